// The trainings of SmartDeal's reproduction, a piece each, and the energy that they are modelled to take.

import { createRandomStream } from "@dovetail/core";
import { structuredFormOf } from "@dovetail/graph";
import { type Network, vgg } from "@dovetail/models";
import { oneCycle, type Schedule } from "@dovetail/train";
import { z } from "zod";
import { isCarried, type Setting, settingPiece, settings, splitOf } from "../reproduction/data-splits.js";
import type { Piece, PieceContext } from "../reproduction/reproduction.js";
import { averagedFrom, type Experiment, integerMethods, type NamedMethod, networkFor, rateOf } from "./experiment.js";
import { layerShape } from "./factored-network.js";
import { inferenceEnergyPj } from "./inference-energy.js";
import { coefficientState, type MethodInput, methodSchema } from "./methods.js";
import { type Outcome, type TrainingOptions, trainByMethod } from "./training.js";
import { type Parameters, type StepEnergy, stepEnergy, stepParts } from "./training-energy.js";

const keptSchema = z.object({ columns: z.number(), rows: z.number(), keptRows: z.number(), bases: z.number() });

/** The result of a training. */
export const pieceFiguresSchema = z.object({
  accuracyFraction: z.number(),
  lastAccuracyFraction: z.number(),
  steps: z.number(),
  losses: z.array(z.number()),
  storage: z.object({
    denseWeightBits: z.number(),
    weightBits: z.number(),
    otherBits: z.number(),
    kept: z.record(z.string(), keptSchema),
  }),
  inputZeros: z.record(z.string(), z.number()).optional(),
});
export type PieceFigures = z.output<typeof pieceFiguresSchema>;

const partSchema = z.object({
  weightsPj: z.number(),
  activationsPj: z.number(),
  arithmeticPj: z.number(),
  rebuildPj: z.number(),
});

/** Energy of one step, of one batch, by what is trained and how; of inference, by what is used. */
export const energySchema = z.object({
  steps: z.array(
    z.object({
      network: z.string(),
      method: z.string(),
      arithmetic: z.enum(["float32", "integer8"]),
      batchSize: z.number(),
      parts: z.record(z.enum(stepParts), partSchema),
    }),
  ),
  /** Picojoules of one image at 8 bits. */
  inference: z.array(z.object({ weights: z.enum(["dense", "ours"]), usesZeros: z.boolean(), energyPj: z.number() })),
});
export type ModelledEnergy = z.output<typeof energySchema>;
export type EnergyRow = ModelledEnergy["steps"][number];

export const settingMethods = ["dense", "switch", "latent"] as const;

export const pieceName = {
  scratch: (method: string, seed: number) => `scratch-${method}-seed${seed}`,
  integer: (method: string) => `scratch-${method}`,
  ...settingPiece,
  energy: "energy",
} as const;

/** The network whose weights are most of its traffic, of which only the shapes are used. */
export const wideNetworkName = "vgg11-bn";

/** About how much longer a step with 8-bit operands takes. */
const integerFactor = 2.5;

export function piecesOf(experiment: Experiment): readonly Piece[] {
  return [
    ...scratchPieces(experiment),
    ...integerPieces(experiment),
    ...settings.flatMap((setting) => experiment.seeds.flatMap((seed) => settingPieces(experiment, setting, seed))),
    {
      name: pieceName.energy,
      work: experiment.steps / 8,
      run: (context) => runEnergy(experiment, context),
    },
  ];
}

function scratchPieces(experiment: Experiment): Piece[] {
  const { steps, seeds, methods } = experiment;
  return seeds.flatMap((seed, place) =>
    methods
      .filter(({ isCompared }) => place === 0 || isCompared)
      .map(
        ({ name, method, isAveraged = false }: NamedMethod): Piece => ({
          name: pieceName.scratch(name, seed),
          work: steps,
          run: async (context) => {
            const dataset = await context.dataset(experiment.data);
            const stepsPerEpoch = Math.floor(dataset.parts.train.count / experiment.batchSize);
            const averaging = { fromEpoch: Math.floor((averagedFrom * steps) / stepsPerEpoch) };
            return runTraining(experiment, context, {
              dataset,
              method,
              seed,
              steps,
              learningRate: rateOf(experiment, steps, isAveraged),
              ...(isAveraged && { averaging }),
            });
          },
        }),
      ),
  );
}

/** With the first seed. */
function integerPieces(experiment: Experiment): Piece[] {
  const { integerSteps: steps, seeds } = experiment;
  return integerMethods.map(
    ([name, method]): Piece => ({
      name: pieceName.integer(name),
      work: steps * integerFactor,
      run: async (context) => {
        const dataset = await context.dataset(experiment.data);
        return runTraining(experiment, context, { dataset, method, seed: seeds[0]!, steps });
      },
    }),
  );
}

/** Training before: dense, on one half of the images or classes; after: each method on the other half. */
function settingPieces(experiment: Experiment, setting: Setting, seed: number): Piece[] {
  const { settingSteps: steps, methods } = experiment;
  const kept = pieceName.before(setting, seed);
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
  const after = settingMethods.map(
    (name): Piece => ({
      name: pieceName.after(setting, name, seed),
      work: steps,
      run: async (context) => {
        const dataset = splitOf(await context.dataset(experiment.data), setting, 1);
        const { tensors } = await context.kept(kept);
        const weights = new Map([...tensors].filter(([parameter]) => isCarried(parameter, setting)));
        const { method } = methods.find((one) => one.name === name)!;
        return runTraining(experiment, context, { dataset, method, seed, steps, weights });
      },
    }),
  );
  return [before, ...after];
}

interface PieceTraining extends Pick<TrainingOptions, "dataset" | "steps" | "weights" | "averaging"> {
  readonly method: MethodInput;
  readonly seed: number;
  /** One cycle by default. */
  readonly learningRate?: Schedule | undefined;
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

/** Steps of one image and of the experiment's batch: of its network as trained, and of a wide one's shapes. */
async function runEnergy(experiment: Experiment, context: PieceContext): Promise<ModelledEnergy> {
  const dataset = await context.dataset(experiment.data);
  const seed = experiment.seeds[0]!;
  const trained = networkFor(experiment, dataset);
  const wide = vgg({ depth: 11 });
  const rows: EnergyRow[] = [];
  const compared = experiment.methods.filter(({ isAveraged }) => !isAveraged);
  for (const { name, method } of compared) {
    const { storage } = pieceFiguresSchema.parse(context.result(pieceName.scratch(name, seed)));
    for (const network of [trained, wide]) {
      const kept = network === trained ? storage.kept : keptByShare(network, experiment.keptRowShare);
      for (const arithmetic of ["float32", "integer8"] as const) {
        for (const batchSize of [1, experiment.batchSize]) {
          const parts = stepEnergy(network, { batchSize, arithmetic, parameters: parametersOf(method, kept) });
          rows.push({
            network: network.name,
            method: name,
            arithmetic,
            batchSize,
            parts: { ...parts } satisfies StepEnergy,
          });
        }
      }
    }
    context.watch.signal?.throwIfAborted();
  }
  return { steps: rows, inference: inferenceRows(trained, context) };
}

/** Dense and ours, as trained with 8-bit operands: without and with the activations' side. */
function inferenceRows(network: Network, context: PieceContext): ModelledEnergy["inference"] {
  return (
    [
      ["dense", "dense-8"],
      ["ours", "switch-8"],
    ] as const
  ).flatMap(([weights, method]) => {
    const { storage, inputZeros } = pieceFiguresSchema.parse(context.result(pieceName.integer(method)));
    const kept = weights === "ours" ? new Map(Object.entries(storage.kept)) : undefined;
    return [false, true].map((usesZeros) => ({
      weights,
      usesZeros,
      energyPj: inferenceEnergyPj(network, { kept, ...(usesZeros && { inputZeros }) }),
    }));
  });
}

function parametersOf(input: MethodInput, kept: PieceFigures["storage"]["kept"]): Parameters {
  const method = methodSchema.parse(input);
  if (method.kind === "dense") return { kind: "dense" };
  return { kind: "factored", kept: new Map(Object.entries(kept)), state: coefficientState(method) };
}

/** What a network keeps when the same share of rows is kept in every layer. */
function keptByShare({ parameters }: Network, share: number): PieceFigures["storage"]["kept"] {
  return Object.fromEntries(
    parameters
      .filter(({ role }) => role === "weight")
      .map(({ name, shape }) => {
        const { columns, rowsPerFilter, piecesPerFilter } = structuredFormOf(layerShape(shape));
        const filters = shape[0]!;
        const keptRows = filters * Math.round(share * rowsPerFilter);
        return [name, { columns, rows: filters * rowsPerFilter, keptRows, bases: filters * piecesPerFilter }];
      }),
  );
}
