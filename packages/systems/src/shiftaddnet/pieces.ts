// The trainings of ShiftAddNet's reproduction, a piece each.

import { createRandomStream } from "@dovetail/core";
import { operationTables } from "@dovetail/hardware";
import type { Network } from "@dovetail/models";
import { evaluate, parametersOf } from "@dovetail/train";
import { z } from "zod";
import type { Piece, PieceContext } from "../reproduction/reproduction.js";
import { networkEnergy, weightBits } from "./energy.js";
import {
  type Experiment,
  type NetworkChoice,
  networkFor,
  type PrecisionName,
  precisions,
  seededRuns,
  tunedAs,
} from "./experiment.js";
import { countOperations } from "./networks.js";
import { pruneByMagnitude } from "./prune.js";
import { type OptimizerName, trainNetwork } from "./training.js";

const partSchema = z.object({ operationsPj: z.number(), memoryPj: z.number() });
const fractionsSchema = z.record(z.string(), z.object({ before: z.number(), after: z.number() }));

/** The result of a training. */
export const trainingSchema = z.object({
  optimizer: z.string(),
  validationFraction: z.number(),
  accuracyFraction: z.number(),
  /** Part of the shift weights that are zero, after training. */
  zeroFractions: fractionsSchema,
});

/** The result of pruning a trained network. */
export const pruningSchema = z.array(
  z.object({
    share: z.number(),
    zeroFractions: fractionsSchema,
    accuracyFraction: z.number(),
    retrainedFraction: z.number(),
  }),
);

/** Modelled energy of an image, by precision and table; picojoules. */
export const energySchema = z.object({
  operations: z.object({ multiply: z.number(), shift: z.number(), add: z.number() }),
  rows: z.array(
    z.object({
      precision: z.string(),
      table: z.enum(operationTables),
      weightBits: z.number(),
      inference: partSchema,
      training: partSchema,
      parts: z.record(z.string(), partSchema),
    }),
  ),
});

export type TrainingFigures = z.output<typeof trainingSchema>;
export type PruningFigures = z.output<typeof pruningSchema>;
export type EnergyResult = z.output<typeof energySchema>;

export const pieceName = {
  energy: (network: string) => `energy-${network}`,
  tuning: (network: string, optimizer: OptimizerName) => `tuning-${network}-${optimizer}`,
  training: (network: string, precision: PrecisionName, seed: number) => `${network}-${precision}-seed${seed}`,
  pruning: (network: string) => `pruning-${network}`,
} as const;

/** About how much longer a step takes than one of the convolutional network, in float32 and in fixed point. */
const variantWork: Readonly<Record<NetworkChoice["variant"], readonly [float32: number, fixed: number]>> = {
  convolution: [1, 1.5],
  shift: [1.2, 1.7],
  add: [4, 5],
  shiftAdd: [6.3, 7.5],
  fixedShiftAdd: [5.5, 6.5],
};

export function piecesOf(experiment: Experiment): readonly Piece[] {
  const { networks, seeds, steps, retrainingSteps, prunedShares } = experiment;
  const [firstSeed, ...otherSeeds] = seeds as readonly [number, ...number[]];
  const workOf = ({ variant, widening }: NetworkChoice, precision: PrecisionName, count: number): number =>
    count * variantWork[variant][precision === "float32" ? 0 : 1] * widening ** 2;
  const training = (network: NetworkChoice, precision: PrecisionName, seed: number): Piece => ({
    name: pieceName.training(network.name, precision, seed),
    work: workOf(network, precision, steps),
    run: (context) => runTraining(experiment, network, precision, seed, context),
  });
  return [
    ...networks.map(
      (network): Piece => ({
        name: pieceName.energy(network.name),
        work: 1,
        run: (context) => runEnergy(experiment, network, context),
      }),
    ),
    ...networks.flatMap((network) => {
      const tuning = network.optimizers.map(
        (optimizer): Piece => ({
          name: pieceName.tuning(network.name, optimizer),
          work: workOf(network, "float32", steps),
          run: (context) => runTuning(experiment, network, optimizer, context),
        }),
      );
      // With the first seed the chosen one of these is the training in float32.
      const others = network.precisions.filter((precision) => tuning.length === 0 || precision !== "float32");
      return [
        ...tuning,
        ...others.map((precision) => training(network, precision, firstSeed)),
        ...otherSeeds.flatMap((seed) =>
          seededRuns.flatMap(([name, precision]) =>
            name === network.name ? [training(network, precision, seed)] : [],
          ),
        ),
      ];
    }),
    ...networks
      .filter(({ isPruned }) => isPruned)
      .map(
        (network): Piece => ({
          name: pieceName.pruning(network.name),
          work: workOf(network, "float32", retrainingSteps * prunedShares.length),
          run: (context) => runPruning(experiment, network, context),
        }),
      ),
  ];
}

/** Of those that a network is trained by, the one with the best validation accuracy; of equal ones the first. */
export function chosenOptimizer(
  { name, optimizers }: NetworkChoice,
  result: (piece: string) => unknown,
): OptimizerName {
  const fraction = (optimizer: OptimizerName): number =>
    trainingSchema.parse(result(pieceName.tuning(name, optimizer))).validationFraction;
  return optimizers.reduce((best, next) => (fraction(next) > fraction(best) ? next : best));
}

/** Name under which a tuned network's weights are kept. */
const keptName = (network: string, optimizer: OptimizerName): string => `${network}-${optimizer}`;

async function runTuning(
  experiment: Experiment,
  choice: NetworkChoice,
  optimizer: OptimizerName,
  context: PieceContext,
): Promise<TrainingFigures> {
  const { network, figures, weights } = await trainPiece(
    experiment,
    choice,
    { precision: "float32", seed: experiment.seeds[0]!, optimizer },
    context,
  );
  if (choice.isPruned) {
    await context.keep(keptName(choice.name, optimizer), { tensors: parametersOf(network, weights), state: null });
  }
  return figures;
}

async function runTraining(
  experiment: Experiment,
  choice: NetworkChoice,
  precision: PrecisionName,
  seed: number,
  context: PieceContext,
): Promise<TrainingFigures> {
  const optimizer = chosenOptimizer(tunedAs(experiment, choice), (piece) => context.result(piece));
  return (await trainPiece(experiment, choice, { precision, seed, optimizer }, context)).figures;
}

async function trainPiece(
  experiment: Experiment,
  choice: NetworkChoice,
  run: { readonly precision: PrecisionName; readonly seed: number; readonly optimizer: OptimizerName },
  { runtime, dataset: load, watch, checkpoint }: PieceContext,
) {
  const dataset = await load(experiment.data);
  const plain = networkFor(experiment, choice, dataset);
  const { network, weights, validationFraction, accuracyFraction } = await trainNetwork({
    runtime,
    dataset,
    network: plain,
    precision: precisions[run.precision],
    optimizer: run.optimizer,
    steps: experiment.steps,
    batchSize: experiment.batchSize,
    random: createRandomStream(run.seed),
    watch,
    checkpoint,
  });
  const { zeroFractions } = pruneByMagnitude(plain, weights, 0);
  const figures: TrainingFigures = { optimizer: run.optimizer, validationFraction, accuracyFraction, zeroFractions };
  return { network, weights, figures };
}

/** The tuned network with its smallest weights zeroed: as it is, and after further training with the zeros in place. */
async function runPruning(
  experiment: Experiment,
  choice: NetworkChoice,
  { runtime, dataset: load, result, kept, watch }: PieceContext,
): Promise<PruningFigures> {
  const dataset = await load(experiment.data);
  const plain = networkFor(experiment, choice, dataset);
  const optimizer = chosenOptimizer(choice, result);
  const { tensors } = await kept(keptName(choice.name, optimizer));
  const figures: PruningFigures = [];
  for (const [index, share] of experiment.prunedShares.entries()) {
    const pruned = pruneByMagnitude(plain, tensors, share);
    const { network, weights, zeroFractions } = pruned;
    const before = await evaluate({ runtime, network, weights, dataset, part: "test" });
    const { accuracyFraction: retrainedFraction } = await trainNetwork({
      runtime,
      dataset,
      network,
      weights,
      precision: precisions.float32,
      optimizer,
      steps: experiment.retrainingSteps,
      batchSize: experiment.batchSize,
      learningRateFactor: 0.1,
      random: createRandomStream(experiment.seeds[0]!).split("retraining"),
      watch: watch.signal ? { signal: watch.signal } : {},
    });
    figures.push({
      share,
      zeroFractions: { ...zeroFractions },
      accuracyFraction: before.accuracyFraction,
      retrainedFraction,
    });
    watch.onProgress?.({
      task: `prune ${choice.name}`,
      done: index + 1,
      total: experiment.prunedShares.length,
      unit: "shares",
    });
  }
  return figures;
}

async function runEnergy(
  experiment: Experiment,
  choice: NetworkChoice,
  { dataset: load }: PieceContext,
): Promise<EnergyResult> {
  const network: Network = networkFor(experiment, choice, await load(experiment.data));
  const names = Object.keys(precisions) as readonly PrecisionName[];
  const rows = names.flatMap((precision) =>
    operationTables
      // Synthesised are integer units alone.
      .filter((table) => precision !== "float32" || table !== "synthesised45")
      .map((table) => {
        const of = precisions[precision];
        const { inference, training } = networkEnergy({
          network,
          precision: of,
          table,
          batchSize: experiment.batchSize,
        });
        const { operationsPj, memoryPj, byPart } = training;
        return {
          precision,
          table,
          weightBits: weightBits(network, of),
          inference,
          training: { operationsPj, memoryPj },
          parts: { ...byPart },
        };
      }),
  );
  return { operations: { ...countOperations(network) }, rows };
}
