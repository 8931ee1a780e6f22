// The trainings of FracTrain's reproduction, a piece each.

import { createRandomStream } from "@dovetail/core";
import type { Network } from "@dovetail/models";
import { type ImageDataset, oneCycle, parametersOf } from "@dovetail/train";
import { z } from "zod";
import { isCarried, type Setting, settingPiece, settings, splitOf } from "../reproduction/data-splits.js";
import type { Piece, PieceContext } from "../reproduction/reproduction.js";
import { bitFusionFigures } from "./bit-fusion-array.js";
import type { OperandBits } from "./cost.js";
import { equalStatics } from "./equal-statics.js";
import { type Experiment, gateSettings, networkFor, risingTargets } from "./experiment.js";
import { type MethodInput, methodOf } from "./methods.js";
import { shapedLayers } from "./products.js";
import { type MethodOutcome, trainByMethod } from "./training.js";
import { twoInOneFigures } from "./two-in-one-array.js";

const arrayFiguresSchema = z.object({ latencyCycles: z.number(), energyPj: z.number() });

/** The result of a piece. */
export const pieceFiguresSchema = z.object({
  accuracyFraction: z.number(),
  steps: z.number(),
  /** Float32-equivalent multiply–accumulates of the whole training. */
  bitMacs: z.number(),
  float32Macs: z.number(),
  /** Share of the gates' own layers in them. */
  gateShare: z.number(),
  turningPoints: z.array(z.number()),
  trainingChoices: z.array(z.array(z.number())).optional(),
  testChoices: z.array(z.array(z.number())).optional(),
  /** Of the whole training, on either array. */
  twoInOne: arrayFiguresSchema,
  bitFusion: arrayFiguresSchema,
  /** What a static network of equal cost was set to. */
  bits: z.object({ activationBits: z.number(), gradientBits: z.number() }).optional(),
});

export type PieceFigures = z.output<typeof pieceFiguresSchema>;

const settingMethods = [
  ["sbm-8-8", { kind: "static" }],
  ["fractrain", { kind: "fractrain", ...gateSettings, ...risingTargets }],
] as const satisfies readonly (readonly [string, MethodInput])[];

export const pieceName = {
  scratch: (method: string, seed: number) => `scratch-${method}-seed${seed}`,
  equal: (index: number, seed: number) => `scratch-equal-static-${index + 1}-seed${seed}`,
  ...settingPiece,
} as const;

/** About how much longer a step takes than one in float32. */
const workFactor: Readonly<Record<MethodInput["kind"], number>> = {
  float32: 1,
  static: 2.5,
  "static-blocks": 2.5,
  dorefa: 2.5,
  wageubn: 2.5,
  pfq: 2.5,
  dfq: 3.2,
  fractrain: 3.2,
};

export function piecesOf(experiment: Experiment): readonly Piece[] {
  return [
    ...scratchPieces(experiment),
    ...settings.flatMap((setting) => experiment.seeds.flatMap((seed) => settingPieces(experiment, setting, seed))),
  ];
}

function scratchPieces(experiment: Experiment): Piece[] {
  const { steps, seeds, methods, equalStatics: count } = experiment;
  return seeds.flatMap((seed, place) => {
    const chosen = methods.filter(({ isCompared }) => place === 0 || isCompared);
    return [
      ...chosen.map(
        ({ name, method }): Piece => ({
          name: pieceName.scratch(name, seed),
          work: steps * workFactor[method.kind],
          run: (context) => runScratch(experiment, seed, method, context),
        }),
      ),
      ...Array.from(
        { length: count },
        (_, index): Piece => ({
          name: pieceName.equal(index, seed),
          work: steps * workFactor["static-blocks"],
          run: (context) => runEqual(experiment, seed, index, context),
        }),
      ),
    ];
  });
}

async function runScratch(
  experiment: Experiment,
  seed: number,
  method: MethodInput,
  context: PieceContext,
): Promise<PieceFigures> {
  const dataset = await context.dataset(experiment.data);
  const network = networkFor(experiment, dataset);
  return figuresOf(await trainPiece(experiment, { dataset, network, method, seed, steps: experiment.steps }, context));
}

/** A static network whose blocks cost as much as FracTrain's did with this seed, weights at 4 bits. */
async function runEqual(
  experiment: Experiment,
  seed: number,
  index: number,
  context: PieceContext,
): Promise<PieceFigures> {
  const dataset = await context.dataset(experiment.data);
  const network = networkFor(experiment, dataset);
  const { bitMacs, steps } = pieceFiguresSchema.parse(context.result(pieceName.scratch("fractrain", seed)));
  const bits = equalStatics(network, bitMacs / (steps * experiment.batchSize))[index]!;
  const method: MethodInput = { kind: "static-blocks", ...bits };
  const outcome = await trainPiece(experiment, { dataset, network, method, seed, steps: experiment.steps }, context);
  const { activationBits, gradientBits } = bits;
  return { ...figuresOf(outcome), bits: { activationBits, gradientBits } };
}

/** Training before: float32, on one half of the images or classes; after: each method on the other half. */
function settingPieces(experiment: Experiment, setting: Setting, seed: number): Piece[] {
  const { settingSteps: steps } = experiment;
  const kept = pieceName.before(setting, seed);
  const before: Piece = {
    name: kept,
    work: steps,
    run: async (context) => {
      const dataset = splitOf(await context.dataset(experiment.data), setting, 0);
      const network = networkFor(experiment, dataset);
      const outcome = await trainPiece(
        experiment,
        { dataset, network, method: { kind: "float32" }, seed, steps },
        context,
      );
      await context.keep(kept, { tensors: parametersOf(network, outcome.weights), state: null });
      return figuresOf(outcome);
    },
  };
  const after = settingMethods.map(
    ([name, method]): Piece => ({
      name: pieceName.after(setting, name, seed),
      work: steps * workFactor[method.kind],
      run: async (context) => {
        const dataset = splitOf(await context.dataset(experiment.data), setting, 1);
        const network = networkFor(experiment, dataset);
        const { tensors } = await context.kept(kept);
        const own = network.parameters.filter(({ name: parameter }) => isCarried(parameter, setting));
        const weights = new Map(own.flatMap(({ name: parameter }) => [[parameter, tensors.get(parameter)!] as const]));
        return figuresOf(await trainPiece(experiment, { dataset, network, method, seed, steps, weights }, context));
      },
    }),
  );
  return [before, ...after];
}

interface TrainingOfPiece {
  readonly dataset: ImageDataset;
  readonly network: Network;
  readonly method: MethodInput;
  readonly seed: number;
  readonly steps: number;
  readonly weights?: Parameters<typeof trainByMethod>[0]["weights"];
}

function trainPiece(
  { batchSize, learningRate }: Experiment,
  { dataset, network, method, seed, steps, weights }: TrainingOfPiece,
  { runtime, watch, checkpoint }: PieceContext,
): Promise<MethodOutcome> {
  return trainByMethod({
    runtime,
    dataset,
    network,
    method: methodOf(method),
    weights,
    steps,
    batchSize,
    learningRate: oneCycle({ maximum: learningRate, steps }),
    random: createRandomStream(seed),
    watch,
    checkpoint,
  });
}

function figuresOf({ figures, prepared }: MethodOutcome): PieceFigures {
  const layers = new Map(shapedLayers(prepared.network).map((layer) => [layer.name, layer]));
  const work = figures.layers.flatMap(({ name, precisions }) => {
    const layer = layers.get(name);
    return layer
      ? precisions.map(({ bits, images }: { bits: OperandBits; images: number }) => ({ layer, bits, images }))
      : [];
  });
  const ofGates = figures.layers.filter(({ name }) => name.startsWith("gates/"));
  const gates = ofGates.reduce((sum, { forward, error, gradient }) => sum + forward + error + gradient, 0);
  const { accuracyFraction, steps, bitMacs, float32Macs, turningPoints, trainingChoices, testChoices } = figures;
  return {
    accuracyFraction,
    steps,
    bitMacs,
    float32Macs,
    gateShare: gates / bitMacs,
    turningPoints: [...turningPoints],
    ...(trainingChoices && { trainingChoices: trainingChoices.map((row) => [...row]) }),
    ...(testChoices && { testChoices: testChoices.map((row) => [...row]) }),
    twoInOne: twoInOneFigures(work),
    bitFusion: bitFusionFigures(work),
  };
}
