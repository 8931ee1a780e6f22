import type { Watch } from "@dovetail/core";
import { inputError, type RandomStream } from "@dovetail/core";
import {
  type Accelerator,
  type MapLayerResult,
  mapOnAccelerator,
  publishedNetwork,
  shapeKey,
} from "@dovetail/hardware";
import type { MachineName } from "./machines.js";
import type { StudyResult } from "./result.js";
import { type StudyNetwork, statisticsFor } from "./statistics.js";

export interface MachineCostOptions {
  /** Whose statistics the layers have. */
  readonly machine: MachineName;
  readonly network: StudyNetwork;
  readonly random: RandomStream;
  /** Mappings evaluated for each distinct layer, the same on every machine. */
  readonly evaluations: number;
  readonly watch: Watch;
}

type NetworkCost = Omit<StudyResult, "machine" | "variant" | "network" | "seed">;

/**
 * An image of 8 bit through a network on a machine: for every distinct layer the mapping of the least energy-delay product
 * that the evolutionary mapper finds, in the model exact.
 *
 * @throws DovetailError `layer_unmapped` for a layer that has no mapping.
 */
export function networkOnMachine(
  accelerator: Accelerator,
  { machine, network, random, evaluations, watch }: MachineCostOptions,
): NetworkCost {
  const layers = publishedNetwork(network, { bits: 8 });
  const found = new Map<string, MapLayerResult>();
  const total = { energyPj: 0, latencyCycles: 0, macs: 0 };
  const parts = new Map<string, number>();
  const waiting = new Map<string, number>();
  layers.forEach((layer, index) => {
    watch.signal?.throwIfAborted();
    const statistics = statisticsFor(machine, network, layers, index);
    const key = `${shapeKey(layer)} ${JSON.stringify(statistics)}`;
    let result = found.get(key);
    if (result === undefined) {
      const settings = { random: random.split(key), evaluations, statistics, signal: watch.signal };
      result = mapOnAccelerator(layer, accelerator, settings);
      found.set(key, result);
    }
    if (!result.ok) {
      throw inputError("layer_unmapped", `layer ${layer.name} has no mapping on ${accelerator.title}`, {
        expected: "a tile that fits the memories",
        received: result.rejection.reason,
      });
    }
    const { cost } = result;
    total.energyPj += cost.energyPj;
    total.latencyCycles += cost.latencyCycles;
    total.macs += cost.macs;
    add(parts, "units", cost.compute.energyPj);
    for (const { level, accessEnergyPj } of cost.levels) if (accessEnergyPj > 0) add(parts, level, accessEnergyPj);
    if (cost.limitedBy.resource !== "compute") add(waiting, cost.limitedBy.level, cost.latencyCycles);
    watch.onProgress?.({ task: `${network} on ${machine}`, done: index + 1, total: layers.length, unit: "layers" });
  });
  return { ...total, partsPj: Object.fromEntries(parts), waitingCycles: Object.fromEntries(waiting) };
}

function add(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value);
}
