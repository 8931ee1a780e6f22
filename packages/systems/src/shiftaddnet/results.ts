// What ShiftAddNet's reproduction found, by network.

import type { Experiment, NetworkChoice, PrecisionName } from "./experiment.js";
import {
  chosenOptimizer,
  type EnergyResult,
  energySchema,
  type optimizerNames,
  type PruningFigures,
  pieceName,
  pruningSchema,
  type TrainingFigures,
  trainingSchema,
} from "./pieces.js";

export interface Results {
  readonly experiment: Experiment;
  readonly trained: (network: string, precision: PrecisionName, seed?: number) => TrainingFigures;
  readonly optimizerOf: (network: string) => string;
  readonly tuned: (network: string, optimizer: (typeof optimizerNames)[number]) => TrainingFigures;
  readonly pruned: (network: string) => PruningFigures;
  readonly energy: (network: string) => EnergyResult;
}

export function resultsOf(experiment: Experiment, pieces: ReadonlyMap<string, unknown>): Results {
  const [firstSeed] = experiment.seeds as readonly [number];
  const result = (piece: string): unknown => pieces.get(piece);
  const optimizerOf = (name: string) => chosenOptimizer(networkOf(experiment, name).tunedAs, result);
  return {
    experiment,
    optimizerOf,
    trained: (name, precision, seed = firstSeed) => {
      const isTuning = networkOf(experiment, name).isTuned && precision === "float32" && seed === firstSeed;
      const piece = isTuning ? pieceName.tuning(name, optimizerOf(name)) : pieceName.training(name, precision, seed);
      return trainingSchema.parse(result(piece));
    },
    tuned: (name, optimizer) => trainingSchema.parse(result(pieceName.tuning(name, optimizer))),
    pruned: (name) => pruningSchema.parse(result(pieceName.pruning(name))),
    energy: (name) => energySchema.parse(result(pieceName.energy(name))),
  };
}

export const networkOf = ({ networks }: Experiment, name: string): NetworkChoice =>
  networks.find((network) => network.name === name)!;
