import { inputError, type RandomStream } from "@dovetail/core";
import {
  type Accelerator,
  type CostModel,
  type MapLayerResult,
  mapOnAccelerator,
  type Problem,
  shapeKey,
} from "@dovetail/hardware";

/** An image through a network, layer after layer, each with the best mapping that was found for it. */
export interface NetworkFrameCost {
  readonly energyPj: number;
  readonly latencyCycles: number;
  /** Of the units alone: what another level of their energy's anchor scales. */
  readonly unitPj: number;
  /** Cycles in which a memory's port is what a layer waits for. */
  readonly memoryBoundCycles: number;
}

export interface MachineCostOptions {
  /** Each distinct layer draws from a stream of its own, whatever the company. */
  readonly random: RandomStream;
  /** Mappings evaluated for each distinct layer. */
  readonly evaluations: number;
  readonly model: CostModel;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Searches a dataflow for every distinct layer on a machine (least energy-delay product, evolutionary) and sums the costs.
 *
 * @throws DovetailError `layer_unmapped` for a layer that has no mapping, and `no_energy_data` at a precision for which
 * the machine's units have no figures.
 */
export function networkOnMachine(
  layers: readonly Problem[],
  machine: Accelerator,
  { random, ...options }: MachineCostOptions,
): NetworkFrameCost {
  const results = new Map<string, MapLayerResult>();
  const total = { energyPj: 0, latencyCycles: 0, unitPj: 0, memoryBoundCycles: 0 };
  for (const layer of layers) {
    const key = shapeKey(layer);
    let result = results.get(key);
    if (result === undefined) {
      result = mapOnAccelerator(layer, machine, { ...options, random: random.split(key) });
      results.set(key, result);
    }
    if (!result.ok) {
      throw inputError("layer_unmapped", `layer ${layer.name} has no mapping on ${machine.title}`, {
        expected: "a tile that fits the memories",
        received: result.rejection.reason,
      });
    }
    const { cost } = result;
    total.energyPj += cost.energyPj;
    total.latencyCycles += cost.latencyCycles;
    total.unitPj += cost.compute.energyPj;
    if (cost.limitedBy.resource !== "compute") total.memoryBoundCycles += cost.latencyCycles;
  }
  return total;
}

/** Energy of an image at another level of the units' anchor: memories and mappings unchanged. */
export function energyAtAnchor({ energyPj, unitPj }: NetworkFrameCost, anchorScale: number): number {
  return energyPj + (anchorScale - 1) * unitPj;
}
