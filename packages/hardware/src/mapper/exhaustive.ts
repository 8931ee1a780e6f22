import type { Architecture } from "../architecture/architecture.js";
import { createCandidate } from "../mapspace/candidate.js";
import { eachMapping } from "../mapspace/enumerate.js";
import type { Problem } from "../workload/problem.js";
import { type MapLayerResult, type MapperOptions, startTrial } from "./trial.js";

/**
 * The best of all mappings, tried one after another: for small mapspaces, and as the referee of other searches. Ends
 * early after `evaluations` calls of the cost model.
 *
 * @throws the signal's reason when cancelled.
 */
export function mapLayerExhaustively(
  problem: Problem,
  architecture: Architecture,
  options: MapperOptions,
): MapLayerResult {
  const trial = startTrial(problem, architecture, options);
  const candidate = createCandidate(trial.space.tables);
  eachMapping(trial.space, candidate, () => {
    trial.assess(candidate);
    return trial.evaluations < trial.evaluationLimit;
  });
  return trial.finish();
}
