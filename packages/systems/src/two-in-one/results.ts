// What the reproduction of 2-in-1's algorithm found, read from its pieces.
import { type BriefFigures, briefSchema, type FullFigures, fullSchema } from "./evaluate-robustness.js";
import type { Experiment } from "./experiment.js";
import { pieceName, type TrainedAt, type UsedAt } from "./pieces.js";
import type { TrainingMethod } from "./train-robust.js";

export interface Results {
  readonly experiment: Experiment;
  readonly brief: (method: TrainingMethod, at: TrainedAt, used: UsedAt, seed: number) => BriefFigures;
  readonly full: (at: TrainedAt, used: UsedAt) => FullFigures;
  readonly dial: readonly BriefFigures[];
}

export function readResults(experiment: Experiment, kept: ReadonlyMap<string, unknown>): Results {
  return {
    experiment,
    brief: (method, at, used, seed) => briefSchema.parse(kept.get(pieceName.brief(method, at, used, seed))),
    full: (at, used) => fullSchema.parse(kept.get(pieceName.full(at, used))),
    dial: briefSchema.array().parse((kept.get(pieceName.dial) as { readonly figures: unknown }).figures),
  };
}
