import type { Architecture } from "../architecture/architecture.js";
import { costModelOf } from "../cost/cost.js";
import { createMapspace } from "../mapspace/mapspace.js";
import { paddedProblems } from "../mapspace/padding.js";
import { dropUnitDimensions } from "../mapspace/unit-dimensions.js";
import type { Problem } from "../workload/problem.js";
import { macCount, shapeKey } from "../workload/problem.js";
import { objectives } from "./objective.js";
import { DEFAULT_EVALUATIONS, type MapLayerResult, type MapperOptions, type TracePoint } from "./trial.js";

/**
 * Enlarged versions of a layer worth searching. Energy is taken to grow as the multiply-accumulates, which stay the
 * layer's in the model *exact*.
 */
export function paddingVariants(problem: Problem, architecture: Architecture, options: MapperOptions): Problem[] {
  const score = objectives[options.objective ?? "edp"];
  const own = macCount(problem);
  const promise = costModelOf(options) === "exact" ? (_: number, cycles: number): number => score(own, cycles) : score;
  const reduced = dropUnitDimensions(problem);
  const enlarged = paddedProblems(reduced, createMapspace(reduced, architecture), promise);
  return enlarged.map((variant) => ({ ...problem, dimensions: { ...problem.dimensions, ...variant.dimensions } }));
}

/** Searches a layer and its variants with equal shares of the effort, each with a stream of its own; the best wins. */
export function mapVariants(
  problem: Problem,
  variants: readonly Problem[],
  options: MapperOptions,
  search: (problem: Problem, options: MapperOptions) => MapLayerResult,
): MapLayerResult {
  const { evaluations: total = DEFAULT_EVALUATIONS, random } = options;
  const problems = [problem, ...variants];
  let winner: MapLayerResult | undefined;
  let bestValue = Number.POSITIVE_INFINITY;
  let evaluations = 0;
  const trace: TracePoint[] = [];
  problems.forEach((variant, index) => {
    // What a search leaves of its share goes to the next ones.
    const share = Math.ceil((total - evaluations) / (problems.length - index));
    if (share === 0) return;
    const result = search(variant, { ...options, evaluations: share, random: random.split(shapeKey(variant)) });
    if (result.ok) {
      for (const { evaluation, value } of result.trace) {
        if (value >= bestValue) continue;
        bestValue = value;
        trace.push({ evaluation: evaluations + evaluation, value });
        winner =
          variant === problem || costModelOf(options) === "exact" ? result : { ...result, paddedProblem: variant };
      }
    }
    evaluations += result.evaluations;
    winner ??= result;
  });
  return winner!.ok ? { ...winner!, evaluations, trace } : { ...winner!, evaluations };
}
