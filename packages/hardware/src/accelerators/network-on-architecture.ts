import type { Architecture } from "../architecture/architecture.js";
import type { CostOptions, CostResult } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import { createMappingCache } from "../mapper/cache.js";
import type { AnyMapResult } from "../mapper/mappers.js";
import { type MapNetworkResult, mapNetwork, type NetworkMapperOptions } from "../mapper/network.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Layer } from "../workload/extract/extract.js";
import { inClockCycles } from "./cost.js";
import { specialiseArchitecture } from "./specialise-architecture.js";
import { annotatedStatistics } from "./statistics.js";

/** A layer of a network, with what its graph says of its tensors. */
export type AnnotatedLayer = Pick<Layer, "problem" | "weights" | "inputs" | "outputs">;

/**
 * The cost of a network's layer on an architecture under a mapping: by its kind, and with its compressed weights where the
 * architecture rebuilds such. Cycles are those of the clock. Errors as `evaluateCost`.
 */
export function costOnArchitecture(
  layer: AnnotatedLayer,
  architecture: Architecture,
  mapping: Mapping,
  options: CostOptions = {},
): CostResult {
  const special = specialiseArchitecture(architecture, layer.problem, annotatedStatistics(layer));
  const cost = evaluateCost(special.problem, special.architecture, mapping, options);
  return cost.ok ? inClockCycles(cost, special) : cost;
}

/** `mapNetwork` for the layers of a graph: what it finds costs what `costOnArchitecture` says. */
export function mapNetworkOnArchitecture(
  layers: readonly (AnnotatedLayer & Pick<Layer, "repetitions">)[],
  architecture: Architecture,
  { cache = createMappingCache(), ...options }: NetworkMapperOptions,
): MapNetworkResult {
  const special = layers.map((layer) =>
    specialiseArchitecture(architecture, layer.problem, annotatedStatistics(layer)),
  );
  if (special.every((each) => each.architecture === architecture)) {
    const plain = layers.map(({ problem, repetitions }) => ({ problem, count: repetitions }));
    return mapNetwork(plain, architecture, { ...options, cache });
  }
  let evaluations = 0;
  // A search is known by its shape and architecture: layers that share both share its result.
  const results = special.map((each): AnyMapResult => {
    const found = mapNetwork([{ problem: each.problem }], each.architecture, { ...options, cache });
    evaluations += found.evaluations;
    const [result] = found.layers;
    return result!.ok ? { ...result!, cost: inClockCycles(result!.cost, each) } : result!;
  });
  const unmapped = results.flatMap((result, index) => (result.ok ? [] : [index]));
  if (unmapped.length > 0) return { ok: false, layers: results, unmapped, evaluations };
  const found = results.filter((result) => result.ok);
  const sum = (value: (result: (typeof found)[number]) => number): number =>
    found.reduce((total, result, index) => total + value(result) * layers[index]!.repetitions, 0);
  const energyPj = sum(({ cost }) => cost.energyPj);
  const latencyCycles = sum(({ cost }) => cost.latencyCycles);
  const edpJouleCycles = energyPj * 1e-12 * latencyCycles;
  return { ok: true, layers: found, energyPj, latencyCycles, edpJouleCycles, evaluations };
}
