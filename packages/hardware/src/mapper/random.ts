import type { Architecture } from "../architecture/architecture.js";
import { createCandidate } from "../mapspace/candidate.js";
import { createRepairScratch } from "../mapspace/repair.js";
import { sampleMapping } from "../mapspace/sample.js";
import { createUniformSampler } from "../mapspace/uniform.js";
import type { Problem } from "../workload/problem.js";
import { type MapLayerResult, type MapperOptions, startTrial } from "./trial.js";

/**
 * The best of independent random mappings, all that fit being equally likely (`createUniformSampler`): what other searches
 * are measured against. Where so few fit that draws find none, those that are drawn and repaired (`sampleMapping`).
 *
 * @throws the signal's reason when cancelled.
 */
export function mapLayerRandomly(problem: Problem, architecture: Architecture, options: MapperOptions): MapLayerResult {
  const trial = startTrial(problem, architecture, options);
  const { space, random } = trial;
  const candidate = createCandidate(space.tables);
  const sampler = createUniformSampler(space);
  const scratch = createRepairScratch(space);
  let fits = space.obstacle === undefined;
  while (trial.evaluations < trial.evaluationLimit && space.obstacle === undefined) {
    if (fits) fits = sampler.draw(random, candidate);
    if (!fits) sampleMapping(space, random, candidate, scratch);
    trial.assess(candidate);
  }
  return trial.finish();
}
