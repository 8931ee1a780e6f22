import { inputError, type RandomStream, type Watch } from "@dovetail/core";
import {
  type Accelerator,
  type LayerStatistics,
  mapOnAccelerator,
  type Problem,
  publishedNetwork,
  shapeKey,
} from "@dovetail/hardware";
import type { MachineName } from "./machines.js";
import type { StudyResult } from "./result.js";
import { type StudyNetwork, statisticsFor } from "./statistics.js";

/** An image through a network, or a layer of it. */
export type NetworkCost = Omit<StudyResult, "machine" | "variant" | "network" | "seed">;

export const emptyCost: NetworkCost = { energyPj: 0, latencyCycles: 0, macs: 0, partsPj: {}, waitingCycles: {} };

/** Layers run one after another. */
export function addCost(a: NetworkCost, b: NetworkCost): NetworkCost {
  return {
    energyPj: a.energyPj + b.energyPj,
    latencyCycles: a.latencyCycles + b.latencyCycles,
    macs: a.macs + b.macs,
    partsPj: addByName(a.partsPj, b.partsPj),
    waitingCycles: addByName(a.waitingCycles, b.waitingCycles),
  };
}

function addByName(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

export interface LayerCostOptions {
  readonly statistics: LayerStatistics;
  readonly random: RandomStream;
  /** Mappings evaluated, the same on every machine. */
  readonly evaluations: number;
  readonly watch: Watch;
}

/**
 * A layer with the mapping of the least energy-delay product that the evolutionary mapper finds, in the model exact.
 *
 * @throws DovetailError `layer_unmapped` where there is no mapping.
 */
export function layerCost(layer: Problem, machine: Accelerator, { watch, ...options }: LayerCostOptions): NetworkCost {
  watch.signal?.throwIfAborted();
  const result = mapOnAccelerator(layer, machine, { ...options, signal: watch.signal });
  if (!result.ok) {
    throw inputError("layer_unmapped", `layer ${layer.name} has no mapping on ${machine.title}`, {
      expected: "a tile that fits the memories",
      received: result.rejection.reason,
    });
  }
  const { energyPj, latencyCycles, macs, compute, levels, limitedBy } = result.cost;
  const memories = levels.filter(({ accessEnergyPj }) => accessEnergyPj > 0);
  return {
    energyPj,
    latencyCycles,
    macs,
    partsPj: {
      units: compute.energyPj,
      ...Object.fromEntries(memories.map(({ level, accessEnergyPj }) => [level, accessEnergyPj])),
    },
    waitingCycles: limitedBy.resource === "compute" ? {} : { [limitedBy.level]: latencyCycles },
  };
}

export interface NetworkCostOptions extends Omit<LayerCostOptions, "statistics"> {
  /** Whose statistics the layers have. */
  readonly machine: MachineName;
  readonly network: StudyNetwork;
}

/** An image of 8 bit through a published network on a machine; every distinct layer is searched once. */
export function networkOnMachine(
  accelerator: Accelerator,
  { machine, network, random, ...options }: NetworkCostOptions,
): NetworkCost {
  const layers = publishedNetwork(network, { bits: 8 });
  const found = new Map<string, NetworkCost>();
  let total = emptyCost;
  layers.forEach((layer, index) => {
    const statistics = statisticsFor(machine, network, layers, index);
    const key = `${shapeKey(layer)} ${JSON.stringify(statistics)}`;
    const cost = found.get(key) ?? layerCost(layer, accelerator, { ...options, random: random.split(key), statistics });
    found.set(key, cost);
    total = addCost(total, cost);
    const task = `${network} on ${machine}`;
    options.watch.onProgress?.({ task, done: index + 1, total: layers.length, unit: "layers" });
  });
  return total;
}
