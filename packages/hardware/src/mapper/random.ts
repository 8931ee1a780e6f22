import type { Architecture } from "../architecture/architecture.js";
import { createCandidate } from "../mapspace/candidate.js";
import { createRepairScratch } from "../mapspace/repair.js";
import { sampleMapping } from "../mapspace/sample.js";
import type { Problem } from "../workload/problem.js";
import { type MapLayerResult, type MapperOptions, startTrial } from "./trial.js";

/** The best of independent random mappings (`sampleMapping`): what other searches are measured against. */
export function mapLayerRandomly(problem: Problem, architecture: Architecture, options: MapperOptions): MapLayerResult {
  const trial = startTrial(problem, architecture, options);
  const { space, random } = trial;
  const candidate = createCandidate(space.tables);
  const scratch = createRepairScratch(space);
  while (trial.evaluations < trial.evaluationLimit && space.obstacle === undefined) {
    sampleMapping(space, random, candidate, scratch);
    trial.assess(candidate);
  }
  return trial.finish();
}
