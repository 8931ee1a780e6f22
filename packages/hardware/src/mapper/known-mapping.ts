import type { Architecture } from "../architecture/architecture.js";
import type { CostOptions } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { type Objective, objectives } from "./objective.js";
import type { MapLayerResult } from "./trial.js";

/**
 * The better of what a search found and a mapping that is known, e.g. that of the same layer at more bits: with it, fewer
 * bits never cost more. Costing the known mapping counts as one evaluation more; one that does not fit, or is of another
 * architecture, is passed over.
 */
export function orKnownMapping<Result extends MapLayerResult>(
  found: Result,
  known: Mapping,
  problem: Problem,
  architecture: Architecture,
  options: CostOptions & { readonly objective?: Objective | undefined },
): MapLayerResult | Result {
  const levels = architecture.levels.map(({ name }) => name).join();
  if (known.levels.map(({ level }) => level).join() !== levels) return found;
  const cost = evaluateCost(problem, architecture, known, options);
  const evaluations = found.evaluations + 1;
  if (!cost.ok) return { ...found, evaluations };
  const value = objectives[options.objective ?? "edp"](cost.energyPj, cost.latencyCycles);
  const trace = found.ok ? found.trace : [];
  if (value >= (trace.at(-1)?.value ?? Number.POSITIVE_INFINITY)) return { ...found, evaluations };
  return { ok: true, mapping: known, cost, evaluations, trace: [...trace, { evaluation: evaluations, value }] };
}
