// The trainings of SmartDeal's reproduction, a piece each, and one for the energy.

import { createRandomStream } from "@dovetail/core";
import { oneCycle } from "@dovetail/train";
import { isCarried, type Setting, settingPiece, settings, splitOf } from "../reproduction/data-splits.js";
import type { Piece, PieceContext } from "../reproduction/reproduction.js";
import { epochsDone } from "./average.js";
import { runEnergy } from "./energy-piece.js";
import {
  averagedFrom,
  type Experiment,
  integerMethods,
  type NamedMethod,
  networkFor,
  rateOf,
  seedsOf,
} from "./experiment.js";
import { type PieceFigures, pieceFiguresSchema, pieceName } from "./figures.js";
import { type MethodInput, methodSchema } from "./methods.js";
import { type Outcome, statisticsSteps, type TrainingOptions, trainByMethod } from "./training.js";

/** About how much longer a step with 8-bit operands takes. */
const integerFactor = 2;
/** Mappings are found in some seconds. */
const energyWork = 20;

export function piecesOf(experiment: Experiment): readonly Piece[] {
  return [
    ...scratchPieces(experiment),
    ...integerPieces(experiment),
    ...settings.flatMap((setting) => experiment.seeds.flatMap((seed) => settingPieces(experiment, setting, seed))),
    { name: pieceName.energy, work: energyWork, run: (context) => runEnergy(experiment, context) },
  ];
}

function scratchPieces(experiment: Experiment): Piece[] {
  const { seeds, methods } = experiment;
  return seeds.flatMap((seed) =>
    methods
      .filter(({ name }) => seedsOf(experiment, name).includes(seed))
      .map((named) =>
        named.averageOf === undefined
          ? scratchPiece(experiment, named, seed)
          : averagedPiece(experiment, named, named.averageOf, seed),
      ),
  );
}

function scratchPiece(experiment: Experiment, { name, method }: NamedMethod, seed: number): Piece {
  const { steps, methods } = experiment;
  const isAveraged = methods.some(({ averageOf }) => averageOf === name);
  return {
    name: pieceName.scratch(name, seed),
    work: steps,
    run: async (context) => {
      const dataset = await context.dataset(experiment.data);
      const { fromEpoch } = averagingOf(experiment, dataset);
      return runTraining(experiment, context, {
        dataset,
        method,
        seed,
        steps,
        onCheckpoint: async (checkpoint) => {
          const isStart = isAveraged && epochsDone(checkpoint) === fromEpoch;
          if (isStart) await context.keep(averagedStart(name, seed), checkpoint);
        },
      });
    },
  };
}

/** Goes on from where the same training without averaging had come when averaging begins. */
function averagedPiece(experiment: Experiment, { name, method }: NamedMethod, averageOf: string, seed: number): Piece {
  const { steps } = experiment;
  return {
    name: pieceName.scratch(name, seed),
    work: steps - Math.floor(averagedFrom * steps) + statisticsSteps,
    run: async (context) => {
      const dataset = await context.dataset(experiment.data);
      return runTraining(experiment, context, {
        dataset,
        method,
        seed,
        steps,
        learningRate: rateOf(experiment, steps, true),
        averaging: averagingOf(experiment, dataset),
        goesOnFrom: await context.kept(averagedStart(averageOf, seed)),
      });
    },
  };
}

const averagedStart = (method: string, seed: number): string => `${pieceName.scratch(method, seed)}-before-averaging`;

function averagingOf(
  { steps, batchSize }: Experiment,
  { parts }: TrainingOptions["dataset"],
): NonNullable<TrainingOptions["averaging"]> {
  const stepsPerEpoch = Math.floor(parts.train.count / batchSize);
  return { fromEpoch: Math.floor((averagedFrom * steps) / stepsPerEpoch) };
}

function integerPieces(experiment: Experiment): Piece[] {
  const { integerSteps: steps, seeds } = experiment;
  return seeds.flatMap((seed) =>
    integerMethods.map(
      ([name, method]): Piece => ({
        name: pieceName.scratch(name, seed),
        work: steps * integerFactor,
        run: async (context) => {
          const dataset = await context.dataset(experiment.data);
          return runTraining(experiment, context, { dataset, method, seed, steps });
        },
      }),
    ),
  );
}

/** Training before: dense, on one half of the images or classes; after: each method on the other half. */
function settingPieces(experiment: Experiment, setting: Setting, seed: number): Piece[] {
  const { settingSteps: steps } = experiment;
  const kept = settingPiece.before(setting, seed);
  const before: Piece = {
    name: kept,
    work: steps,
    run: async (context) => {
      const dataset = splitOf(await context.dataset(experiment.data), setting, 0);
      const outcome = await trainPiece(experiment, context, { dataset, method: { kind: "dense" }, seed, steps });
      await context.keep(kept, { tensors: outcome.weights, state: null });
      return figuresOf(outcome, steps);
    },
  };
  const after = experiment.settingMethods.map(
    ([name, method]): Piece => ({
      name: settingPiece.after(setting, name, seed),
      work: steps,
      run: async (context) => {
        const dataset = splitOf(await context.dataset(experiment.data), setting, 1);
        const { tensors } = await context.kept(kept);
        const weights = new Map([...tensors].filter(([parameter]) => isCarried(parameter, setting)));
        return runTraining(experiment, context, { dataset, method, seed, steps, weights });
      },
    }),
  );
  return [before, ...after];
}

/** What differs between the trainings; the learning rate follows one cycle by default. */
interface PieceTraining
  extends Pick<TrainingOptions, "dataset" | "steps" | "weights" | "averaging" | "goesOnFrom" | "onCheckpoint">,
    Partial<Pick<TrainingOptions, "learningRate">> {
  readonly method: MethodInput;
  readonly seed: number;
}

async function runTraining(
  experiment: Experiment,
  context: PieceContext,
  training: PieceTraining,
): Promise<PieceFigures> {
  return figuresOf(await trainPiece(experiment, context, training), training.steps);
}

function trainPiece(
  experiment: Experiment,
  { runtime, watch, checkpoint }: PieceContext,
  { method, seed, learningRate, ...training }: PieceTraining,
): Promise<Outcome> {
  const { batchSize, learningRate: maximum } = experiment;
  return trainByMethod({
    ...training,
    learningRate: learningRate ?? oneCycle({ maximum, steps: training.steps }),
    runtime,
    network: networkFor(experiment, training.dataset),
    method: methodSchema.parse(method),
    batchSize,
    random: createRandomStream(seed),
    watch,
    checkpoint,
  });
}

function figuresOf({ weights: _, ...figures }: Outcome, steps: number): PieceFigures {
  return pieceFiguresSchema.parse({ ...figures, steps });
}
