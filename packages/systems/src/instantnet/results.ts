// What InstantNet's reproduction found, read from its pieces.
import { type DeploymentFigures, deploymentSchema } from "./deployment.js";
import type { Experiment } from "./experiment.js";
import type { DistillationRule } from "./passes.js";
import {
  type distillingRules,
  factsSchema,
  pieceName,
  searchSchema,
  type TrainingFigures,
  trainingSchema,
} from "./pieces.js";

export interface Results {
  readonly experiment: Experiment;
  readonly rule: (rule: DistillationRule, seed: number) => TrainingFigures;
  /** With the published β, of the first seed. */
  readonly published: (rule: (typeof distillingRules)[number]) => TrainingFigures;
  readonly alone: (bits: number, seed: number) => TrainingFigures;
  readonly found: TrainingFigures;
  readonly facts: ReturnType<typeof factsSchema.parse>;
  readonly search: ReturnType<typeof searchSchema.parse>;
  readonly deployment: DeploymentFigures;
  readonly foundDeployment: DeploymentFigures;
}

export function readResults(experiment: Experiment, kept: ReadonlyMap<string, unknown>): Results {
  return {
    experiment,
    rule: (rule, seed) => trainingSchema.parse(kept.get(pieceName.rule(rule, seed))),
    published: (rule) => trainingSchema.parse(kept.get(pieceName.published(rule))),
    alone: (bits, seed) => trainingSchema.parse(kept.get(pieceName.independent(bits, seed))),
    found: trainingSchema.parse(kept.get(pieceName.found)),
    facts: factsSchema.parse(kept.get(pieceName.facts)),
    search: searchSchema.parse(kept.get(pieceName.search)),
    deployment: deploymentSchema.parse(kept.get(pieceName.deployment)),
    foundDeployment: deploymentSchema.parse(kept.get(pieceName.foundDeployment)),
  };
}
