// What ShiftAddNet's reproduction found, by network.

import { type Experiment, networkNamed, type PrecisionName, tunedAs } from "./experiment.js";
import {
  chosenOptimizer,
  type EnergyResult,
  energySchema,
  type PruningFigures,
  pieceName,
  pruningSchema,
  type TrainingFigures,
  trainingSchema,
} from "./pieces.js";
import type { OptimizerName } from "./training.js";

export interface Results {
  readonly experiment: Experiment;
  readonly trained: (network: string, precision: PrecisionName, seed?: number) => TrainingFigures;
  readonly optimizerOf: (network: string) => OptimizerName;
  readonly tuned: (network: string, optimizer: OptimizerName) => TrainingFigures;
  readonly pruned: (network: string) => PruningFigures;
  readonly energy: (network: string) => EnergyResult;
}

export function resultsOf(experiment: Experiment, pieces: ReadonlyMap<string, unknown>): Results {
  const [firstSeed] = experiment.seeds as readonly [number];
  const result = (piece: string): unknown => pieces.get(piece);
  const optimizerOf = (name: string) => chosenOptimizer(tunedAs(experiment, networkNamed(experiment, name)), result);
  return {
    experiment,
    optimizerOf,
    trained: (name, precision, seed = firstSeed) => {
      const isTuned = networkNamed(experiment, name).optimizers.length > 0;
      const isTuning = isTuned && precision === "float32" && seed === firstSeed;
      const piece = isTuning ? pieceName.tuning(name, optimizerOf(name)) : pieceName.training(name, precision, seed);
      return trainingSchema.parse(result(piece));
    },
    tuned: (name, optimizer) => trainingSchema.parse(result(pieceName.tuning(name, optimizer))),
    pruned: (name) => pruningSchema.parse(result(pieceName.pruning(name))),
    energy: (name) => energySchema.parse(result(pieceName.energy(name))),
  };
}
