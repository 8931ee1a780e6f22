// What ShiftAddNet's reproduction found, by network.

import { mean } from "../reproduction/claims.js";
import { type Experiment, networkNamed, seedsOf, tunedAs } from "./experiment.js";
import {
  type EnergyResult,
  energySchema,
  type IntegerFigures,
  integersSchema,
  type PruningFigures,
  pieceName,
  pruningSchema,
  type TrainingFigures,
  type TuningFigures,
  trainingSchema,
  tuningSchema,
} from "./figures.js";
import type { PrecisionName } from "./precision.js";
import { chosenOptimizer } from "./run-training.js";
import type { OptimizerName } from "./training.js";

export interface Results {
  readonly experiment: Experiment;
  readonly trained: (network: string, precision: PrecisionName, seed?: number) => TrainingFigures;
  /** Test accuracy, the mean over the run's seeds. */
  readonly meanAccuracy: (network: string, precision: PrecisionName) => number;
  readonly optimizerOf: (network: string) => OptimizerName;
  readonly tuned: (network: string, optimizer: OptimizerName) => TuningFigures;
  readonly pruned: (network: string) => PruningFigures;
  readonly integers: (network: string) => IntegerFigures;
  readonly energy: (network: string) => EnergyResult;
}

export function resultsOf(experiment: Experiment, pieces: ReadonlyMap<string, unknown>): Results {
  const [firstSeed] = experiment.seeds as readonly [number];
  const result = (piece: string): unknown => pieces.get(piece);
  const trained: Results["trained"] = (name, precision, seed = firstSeed) =>
    trainingSchema.parse(result(pieceName.training(name, precision, seed)));
  return {
    experiment,
    trained,
    meanAccuracy: (name, precision) =>
      mean(seedsOf(experiment, [name, precision]).map((seed) => trained(name, precision, seed).accuracyFraction)),
    optimizerOf: (name) => chosenOptimizer(tunedAs(experiment, networkNamed(experiment, name)), result),
    tuned: (name, optimizer) => tuningSchema.parse(result(pieceName.tuning(name, optimizer))),
    pruned: (name) => pruningSchema.parse(result(pieceName.pruned(name))),
    integers: (name) => integersSchema.parse(result(pieceName.integers(name))),
    energy: (name) => energySchema.parse(result(pieceName.energy(name))),
  };
}
