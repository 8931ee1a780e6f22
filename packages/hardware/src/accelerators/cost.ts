import type { CostOptions, CostResult, ExactCycles, MappingCost } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import { mapLayer } from "../mapper/evolutionary.js";
import type { MapLayerResult, MapperOptions } from "../mapper/trial.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import type { Accelerator } from "./document.js";
import { type SpecialisedLayer, specialise } from "./specialise.js";
import type { LayerStatistics } from "./statistics.js";

/** The cost of a layer on an accelerator under a mapping, in cycles of its clock. Errors as `specialise`. */
export function costOnAccelerator(
  layer: Problem,
  accelerator: Accelerator,
  mapping: Mapping,
  options: CostOptions & { readonly statistics?: LayerStatistics | undefined } = {},
): CostResult {
  const special = specialise(accelerator, layer, options.statistics);
  const cost = evaluateCost(special.problem, special.architecture, mapping, options);
  return cost.ok ? inClockCycles(cost, special) : cost;
}

/** The best mapping that a search finds for a layer on an accelerator; the cost is in cycles of its clock. */
export function mapOnAccelerator(
  layer: Problem,
  accelerator: Accelerator,
  options: MapperOptions & { readonly statistics?: LayerStatistics | undefined },
): MapLayerResult {
  const special = specialise(accelerator, layer, options.statistics);
  const found = mapLayer(special.problem, special.architecture, options);
  return found.ok ? { ...found, cost: inClockCycles(found.cost, special) } : found;
}

/** A cost in steps as one in cycles. */
export function inClockCycles(cost: MappingCost, { cyclesPerStep }: SpecialisedLayer): MappingCost {
  if (cyclesPerStep === 1) return cost;
  const latencyCycles = Math.ceil(cost.latencyCycles * cyclesPerStep);
  return {
    ...cost,
    latencyCycles,
    edpJouleCycles: cost.energyPj * 1e-12 * latencyCycles,
    levels: cost.levels.map((level) => ({ ...level, cycles: Math.ceil(level.cycles * cyclesPerStep) })),
    compute: { ...cost.compute, cycles: cost.compute.cycles * cyclesPerStep },
    ...(cost.exactCycles !== undefined && { exactCycles: scaled(cost.exactCycles, cyclesPerStep) }),
  };
}

function scaled({ fillCycles, drainCycles, least, most }: ExactCycles, factor: number): ExactCycles {
  return {
    fillCycles: fillCycles * factor,
    drainCycles: drainCycles * factor,
    least: least * factor,
    most: most * factor,
  };
}
