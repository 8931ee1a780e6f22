// The trainings and evaluations of the reproduction of 2-in-1's algorithm, a piece each.
import { createRandomStream } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { initializeParameters } from "@dovetail/models";
import { type SwitchableNetwork, spreadOverPrecisions } from "@dovetail/quant";
import type { ImageDataset } from "@dovetail/train";
import type { Piece, PieceContext } from "../reproduction/reproduction.js";
import { copyPrecision } from "./copy-precision.js";
import { type BriefFigures, briefRobustness, type FullFigures, fullRobustness } from "./evaluate-robustness.js";
import { type Experiment, networkFor, seedsOf, switchableFor } from "./experiment.js";
import { type TrainingMethod, trainRobust } from "./train-robust.js";

/** With random precision in training, or at one precision. */
export type TrainedAt = "rpt" | "single";
/** With random precision in use, or at one precision. */
export type UsedAt = "rpi" | "single";

export const pieceName = {
  train: (method: TrainingMethod, at: TrainedAt, seed: number) => `train-${method}-${at}-seed${seed}`,
  brief: (method: TrainingMethod, at: TrainedAt, used: UsedAt, seed: number) =>
    `attack-${method}-${at}-used-${used}-seed${seed}`,
  full: (at: TrainedAt, used: UsedAt) => `evaluate-pgd-7-${at}-used-${used}`,
  dial: "dial",
} as const;

/** Each training with what it is used as. */
export const uses: readonly (readonly [TrainedAt, UsedAt])[] = [
  ["single", "single"],
  ["single", "rpi"],
  ["rpt", "rpi"],
];

/** How much longer an epoch takes than one of natural training. */
const workOf: Readonly<Record<TrainingMethod, number>> = { natural: 1, free: 1, "fgsm-rs": 2, "pgd-7": 6 };

export function algorithmPieces(experiment: Experiment): readonly Piece[] {
  const { methods, epochs, attackedImages, precisions, pgdSteps } = experiment;
  const runs = methods.flatMap(({ method }) => seedsOf(experiment, method).map((seed) => [method, seed] as const));
  // A step of PGD takes about a third of an epoch's share of images: no gradients of weights, no augmentation.
  const attackWork = 0.36 * (attackedImages / 10_000) * precisions.length * pgdSteps;
  return [
    ...runs.flatMap(([method, seed]) => [
      ...(["single", "rpt"] as const).map(
        (at): Piece => ({
          name: pieceName.train(method, at, seed),
          work: epochs * workOf[method],
          run: (context) => trainPiece(experiment, method, at, seed, context),
        }),
      ),
      ...uses.map(
        ([at, used]): Piece => ({
          name: pieceName.brief(method, at, used, seed),
          work: used === "rpi" ? 2 * attackWork : (2 * attackWork) / precisions.length,
          run: (context) => briefPiece(experiment, { method, at, used, seed }, context),
        }),
      ),
    ]),
    ...uses.map(
      ([at, used]): Piece => ({
        name: pieceName.full(at, used),
        work: used === "rpi" ? 60 * attackWork : (60 * attackWork) / precisions.length,
        run: (context) => fullPiece(experiment, at, used, context),
      }),
    ),
    { name: pieceName.dial, work: 4 * attackWork, run: (context) => dialPiece(experiment, context) },
  ];
}

interface Subject {
  readonly dataset: ImageDataset;
  readonly switchable: SwitchableNetwork;
  readonly first: Map<string, Tensor>;
}

async function subjectOf(experiment: Experiment, seed: number, context: PieceContext): Promise<Subject> {
  const dataset = await context.dataset(experiment.data);
  const base = networkFor(experiment, dataset);
  const switchable = switchableFor(experiment, base);
  const random = createRandomStream(seed);
  const first = new Map([
    ...initializeParameters(switchable.network, random.split("ranges")),
    ...spreadOverPrecisions(switchable, initializeParameters(base, random.split("weights"))),
  ]);
  return { dataset, switchable, first };
}

async function trainPiece(
  experiment: Experiment,
  method: TrainingMethod,
  at: TrainedAt,
  seed: number,
  context: PieceContext,
): Promise<{ readonly steps: number }> {
  const { batchSize, epochs, learningRate, precisions, single } = experiment;
  const { dataset, switchable, first } = await subjectOf(experiment, seed, context);
  const { weights, effort } = await trainRobust({
    runtime: context.runtime,
    dataset,
    switchable,
    weights: first,
    method,
    precisions: at === "rpt" ? precisions : [single],
    batchSize,
    epochs,
    learningRate,
    random: createRandomStream(seed).split("training"),
    watch: context.watch,
    resume: await context.checkpoint.load(),
    onCheckpoint: (saved) => context.checkpoint.save(saved),
  });
  await context.keep(pieceName.train(method, at, seed), { tensors: weights, state: null });
  return { steps: effort.optimizerSteps };
}

interface Evaluated {
  readonly method: TrainingMethod;
  readonly at: TrainedAt;
  readonly used: UsedAt;
  readonly seed: number;
}

/** The trained network as it is used: at one precision, or at all, with that precision's batch norms where there are no others. */
async function usedNetwork(experiment: Experiment, { method, at, used, seed }: Evaluated, context: PieceContext) {
  const { precisions, single } = experiment;
  const { dataset, switchable } = await subjectOf(experiment, seed, context);
  const { tensors } = await context.kept(pieceName.train(method, at, seed));
  const weights = at === "single" ? copyPrecision(switchable, tensors, single) : tensors;
  return {
    runtime: context.runtime,
    dataset,
    switchable,
    weights,
    set: used === "rpi" ? precisions : [single],
    experiment,
    random: createRandomStream(seed).split("attack"),
    watch: context.watch,
  };
}

async function briefPiece(experiment: Experiment, of: Evaluated, context: PieceContext): Promise<BriefFigures> {
  return briefRobustness(await usedNetwork(experiment, of, context));
}

async function fullPiece(
  experiment: Experiment,
  at: TrainedAt,
  used: UsedAt,
  context: PieceContext,
): Promise<FullFigures> {
  const seed = experiment.seeds[0]!;
  return fullRobustness(await usedNetwork(experiment, { method: "pgd-7", at, used, seed }, context));
}

/** Sets of the trade-off in use, from one set of weights: all, the lower and the upper half, the lowest alone. */
export function dialSets(precisions: readonly number[]): readonly (readonly number[])[] {
  const half = Math.ceil(precisions.length / 2);
  return [precisions, precisions.slice(0, half), precisions.slice(-half), precisions.slice(0, 1)];
}

async function dialPiece(
  experiment: Experiment,
  context: PieceContext,
): Promise<{ readonly figures: readonly BriefFigures[] }> {
  const seed = experiment.seeds[0]!;
  const of = await usedNetwork(experiment, { method: "pgd-7", at: "rpt", used: "rpi", seed }, context);
  const figures: BriefFigures[] = [];
  for (const set of dialSets(experiment.precisions)) figures.push(await briefRobustness({ ...of, set }));
  return { figures };
}
