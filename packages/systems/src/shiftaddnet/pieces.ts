// The pieces of ShiftAddNet's reproduction, in the order in which they run.

import type { Piece } from "../reproduction/reproduction.js";
import { type Experiment, type NetworkChoice, seedsOf } from "./experiment.js";
import { pieceName } from "./figures.js";
import type { PrecisionName } from "./precision.js";
import { runEnergy } from "./run-energy.js";
import { runIntegers } from "./run-integers.js";
import { runPruning } from "./run-pruning.js";
import { runChosen, runTraining, runTuning } from "./run-training.js";

/**
 * How much longer a step takes than one of the convolutional network in float32, in float32 and in fixed point: measured
 * on one core step by step in turns, ResNet-20, batches of 64, beside other work.
 */
const variantWork: Readonly<Record<NetworkChoice["variant"], readonly [float32: number, fixed: number]>> = {
  convolution: [1, 1.8],
  shift: [1.2, 1.7],
  add: [4.6, 5.6],
  shiftAdd: [6, 7.5],
  fixedShiftAdd: [5.5, 6.5],
};

/** Part of a training step's time that an image's evaluation takes, times the images of a batch. */
const evaluationWork = 0.35;

/** Trainings with other seeds than the first come last: a run that must stop early has everything once. */
export function piecesOf(experiment: Experiment): readonly Piece[] {
  const { networks, seeds } = experiment;
  const trainings = (wanted: (seed: number) => boolean) => (network: NetworkChoice) =>
    network.precisions.flatMap((precision) =>
      seedsOf(experiment, [network.name, precision])
        .filter(wanted)
        .map((seed) => trainingPiece(experiment, network, precision, seed)),
    );
  const first = trainings((seed) => seed === seeds[0]);
  return [
    ...networks.flatMap((network) => [...tuningPieces(experiment, network), ...first(network)]),
    ...networks.filter(({ isPruned }) => isPruned).map((network) => pruningPiece(experiment, network)),
    ...networks
      .filter(({ runsInIntegers }) => runsInIntegers)
      .map(
        (network): Piece => ({
          name: pieceName.integers(network.name),
          work: 100 * experiment.integerImages,
          run: (context) => runIntegers(experiment, network, context),
        }),
      ),
    ...networks.map(
      (network): Piece => ({
        name: pieceName.energy(network.name),
        work: 20,
        run: (context) => runEnergy(experiment, network, context),
      }),
    ),
    ...networks.flatMap(trainings((seed) => seed !== seeds[0])),
  ];
}

const tuningPieces = (experiment: Experiment, network: NetworkChoice): Piece[] =>
  network.optimizers.map((optimizer) => ({
    name: pieceName.tuning(network.name, optimizer),
    work: workOf(experiment, network, "float32", { steps: experiment.steps, validations: 1 }),
    run: (context) => runTuning(experiment, network, optimizer, context),
  }));

function trainingPiece(experiment: Experiment, network: NetworkChoice, precision: PrecisionName, seed: number): Piece {
  const name = pieceName.training(network.name, precision, seed);
  // With the first seed the tuned network in float32 is trained already.
  if (network.optimizers.length > 0 && precision === "float32" && seed === experiment.seeds[0]) {
    return {
      name,
      work: workOf(experiment, network, precision, { steps: 0, tests: 1 }),
      run: (context) => runChosen(experiment, network, context),
    };
  }
  return {
    name,
    work: workOf(experiment, network, precision, { steps: experiment.steps, validations: 1, tests: 1 }),
    run: (context) => runTraining(experiment, network, { precision, seed }, context),
  };
}

function pruningPiece(experiment: Experiment, network: NetworkChoice): Piece {
  const { prunedShares, retrainingSteps } = experiment;
  const count = prunedShares.length;
  const effort = { steps: count * retrainingSteps, validations: count, tests: count };
  return {
    name: pieceName.pruned(network.name),
    work: workOf(experiment, network, "float32", effort),
    run: (context) => runPruning(experiment, network, context),
  };
}

/** In training steps of the convolutional network in float32. */
function workOf(
  { batchSize, data }: Experiment,
  { variant, widening }: NetworkChoice,
  precision: PrecisionName,
  {
    steps,
    validations = 0,
    tests = 0,
  }: { readonly steps: number; readonly validations?: number; readonly tests?: number },
): number {
  const { validationImagesPerClass = 0, testImagesPerClass = 1000 } = data;
  const images = 10 * (validations * validationImagesPerClass + tests * testImagesPerClass);
  const factor = variantWork[variant][precision === "float32" ? 0 : 1] * widening ** 2;
  return Math.ceil(factor * (steps + (evaluationWork * images) / batchSize));
}
