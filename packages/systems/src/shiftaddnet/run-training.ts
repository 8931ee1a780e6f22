// The trainings of ShiftAddNet's reproduction.

import { createRandomStream } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { evaluate, parametersOf } from "@dovetail/train";
import type { PieceContext } from "../reproduction/reproduction.js";
import { type Experiment, type NetworkChoice, networkFor, tunedAs } from "./experiment.js";
import { keptName, pieceName, type TrainingFigures, type TuningFigures, tuningSchema } from "./figures.js";
import { type PrecisionName, precisions } from "./precision.js";
import { pruneByMagnitude } from "./prune.js";
import { type OptimizerName, trainNetwork } from "./training.js";

/** Of those that a network is trained by, the one with the best validation accuracy; of equal ones the first. */
export function chosenOptimizer(
  { name, optimizers }: NetworkChoice,
  result: (piece: string) => unknown,
): OptimizerName {
  const fraction = (optimizer: OptimizerName): number =>
    tuningSchema.parse(result(pieceName.tuning(name, optimizer))).validationFraction;
  return optimizers.reduce((best, next) => (fraction(next) > fraction(best) ? next : best));
}

interface TrainingRun {
  readonly precision: PrecisionName;
  readonly seed: number;
  readonly optimizer: OptimizerName;
}

interface TrainedNetwork {
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly figures: TuningFigures;
}

/** A training in float32 with the first seed; its weights are kept. */
export async function runTuning(
  experiment: Experiment,
  choice: NetworkChoice,
  optimizer: OptimizerName,
  context: PieceContext,
): Promise<TuningFigures> {
  const run = { precision: "float32", seed: experiment.seeds[0]!, optimizer } as const;
  const { network, weights, figures } = await trained(experiment, choice, run, context);
  await context.keep(keptName.tuned(choice.name, optimizer), {
    tensors: parametersOf(network, weights),
    state: null,
  });
  return figures;
}

/** The test accuracy of the tuned network that the validation images chose. */
export async function runChosen(
  experiment: Experiment,
  choice: NetworkChoice,
  { runtime, dataset: load, result, kept }: PieceContext,
): Promise<TrainingFigures> {
  const dataset = await load(experiment.data);
  const network = networkFor(experiment, choice, dataset);
  const optimizer = chosenOptimizer(choice, result);
  const figures = tuningSchema.parse(result(pieceName.tuning(choice.name, optimizer)));
  const { tensors: weights } = await kept(keptName.tuned(choice.name, optimizer));
  const { accuracyFraction } = await evaluate({ runtime, network, weights, dataset, part: "test" });
  return { ...figures, accuracyFraction };
}

/** A training by the optimizer that was chosen. */
export async function runTraining(
  experiment: Experiment,
  choice: NetworkChoice,
  { precision, seed }: Omit<TrainingRun, "optimizer">,
  context: PieceContext,
): Promise<TrainingFigures> {
  const optimizer = chosenOptimizer(tunedAs(experiment, choice), context.result);
  const run = { precision, seed, optimizer };
  const { network, weights, figures } = await trained(experiment, choice, run, context);
  if (choice.runsInIntegers && precision === "fixed16" && seed === experiment.seeds[0]) {
    await context.keep(keptName.fixed(choice.name), { tensors: parametersOf(network, weights), state: null });
  }
  const dataset = await context.dataset(experiment.data);
  const { accuracyFraction } = await evaluate({ runtime: context.runtime, network, weights, dataset, part: "test" });
  return { ...figures, accuracyFraction };
}

async function trained(
  experiment: Experiment,
  choice: NetworkChoice,
  { precision, seed, optimizer }: TrainingRun,
  { runtime, dataset: load, watch, checkpoint }: PieceContext,
): Promise<TrainedNetwork> {
  const dataset = await load(experiment.data);
  const plain = networkFor(experiment, choice, dataset);
  const { network, weights } = await trainNetwork({
    runtime,
    dataset,
    network: plain,
    precision: precisions[precision],
    optimizer,
    steps: experiment.steps,
    batchSize: experiment.batchSize,
    random: createRandomStream(seed),
    watch,
    checkpoint,
  });
  const { accuracyFraction } = await evaluate({ runtime, network, weights, dataset, part: "validation" });
  const { zeroFractions } = pruneByMagnitude(plain, weights, 0);
  return { network, weights, figures: { optimizer, validationFraction: accuracyFraction, zeroFractions } };
}
