// The trainings of SmartExchange's reproduction, a piece each.

import { encodePacked, storageOf, structuredAnnotation } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { elementCount, type Tensor, tensor, tensorData } from "@dovetail/graph";
import { initializeParameters } from "@dovetail/models";
import {
  type Checkpoint,
  cosine,
  createBatchStream,
  evaluate,
  flipAndCrop,
  oneCycle,
  parametersOf,
  sgd,
  train,
} from "@dovetail/train";
import { z } from "zod";
import type { Piece, PieceContext } from "../reproduction/reproduction.js";
import { type Experiment, type NetworkExperiment, networkFor, retrainingRate } from "./experiment.js";
import { checkForm, formCheckSchema } from "./form-check.js";
import { checkLine, type LineCheck } from "./line-check.js";
import { isStructured, type MethodName, methods, prepareMethod } from "./methods.js";
import type { ProjectedWeights } from "./projection.js";
import { type StructureFacts, structureFacts } from "./structure-facts.js";
import { trainProjected } from "./train-projected.js";

export const floatSchema = z.object({ accuracyFraction: z.number(), weights: z.number(), steps: z.number() });

export const compressedSchema = z.object({
  /** On the test part: compressed without retraining, and at the end. */
  accuracyBefore: z.number(),
  accuracyFraction: z.number(),
  bits: z.number(),
  compressionRate: z.number(),
  losses: z.array(z.number()),
  /** Of SmartExchange: what was delivered, saved and read. */
  form: formCheckSchema.optional(),
});
export type CompressedFigures = z.output<typeof compressedSchema>;

export const pieceName = {
  float: (network: string, seed: number) => `float-${network}-seed${seed}`,
  facts: (network: string) => `structure-${network}`,
  compressed: (network: string, method: MethodName, seed: number) => `${method}-${network}-seed${seed}`,
  line: (network: string) => `line-${network}`,
} as const;

/**
 * Tensors that a piece keeps for others: the weights of the trained network `float-<network>-seed<n>`; those in
 * SmartExchange's form `smartexchange-<network>-seed<n>` and, of the first seed, with shared rows
 * `smartexchange-shared-<network>-seed<n>` and pruned `pruning-<network>-seed<n>`, whose state is `{annotations}`: what each
 * layer takes in SmartExchange's form. Of the first seed SmartExchange's packed file, one tensor `file`.
 */
export const keptName = {
  float: pieceName.float,
  smartExchange: (network: string, seed: number) => pieceName.compressed(network, "smartexchange", seed),
  shared: (network: string, seed: number) => pieceName.compressed(network, "smartexchange-shared", seed),
  pruning: (network: string, seed: number) => pieceName.compressed(network, "pruning", seed),
  packed: (network: string, seed: number) => `packed-${network}-seed${seed}`,
} as const;

/** Thirteen decompositions of all layers, in epochs. */
const factsWork = 3;

/** All layers of one image on the line's model, in epochs. */
const lineWork = 3;

/** A step in straight-through form takes about so much longer than one in float32. */
const formWork = 1.2;

export function piecesOf(experiment: Experiment): readonly Piece[] {
  return experiment.networks.flatMap((network) => {
    const { name, epochs, retrainingEpochs, stepWork, seeds } = network;
    const [firstSeed] = seeds;
    return seeds.flatMap((seed): Piece[] => {
      const ofFirstSeed = (piece: Piece): Piece[] => (seed === firstSeed ? [piece] : []);
      return [
        {
          name: pieceName.float(name, seed),
          work: epochs * stepWork,
          run: (context) => trainFloat(experiment, network, seed, context),
        },
        ...ofFirstSeed({
          name: pieceName.facts(name),
          work: factsWork * stepWork,
          run: (context) => facts(network, experiment, context),
        }),
        ...methods.map(
          (method): Piece => ({
            name: pieceName.compressed(name, method, seed),
            work: retrainingEpochs * stepWork * formWork,
            run: (context) => compress(experiment, network, method, seed, context),
          }),
        ),
        ...ofFirstSeed({
          name: pieceName.line(name),
          work: lineWork * stepWork,
          run: (context) => onLine(network, experiment, context),
        }),
      ];
    });
  });
}

async function trainFloat(
  { data, batchSize }: Experiment,
  settings: NetworkExperiment,
  seed: number,
  { runtime, dataset: load, watch, checkpoint, keep }: PieceContext,
): Promise<z.output<typeof floatSchema>> {
  const dataset = await load(data);
  const network = networkFor(settings, dataset);
  const random = createRandomStream(seed);
  const steps = settings.epochs * Math.floor(dataset.parts.train.count / batchSize);
  const { weights } = await train({
    runtime,
    network,
    weights: initializeParameters(network, random.split("weights")),
    batches: (start) =>
      createBatchStream({
        dataset,
        part: "train",
        batchSize,
        random: random.split("batches"),
        augmentation: flipAndCrop,
        start,
      }),
    batchSize,
    epochs: settings.epochs,
    optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }),
    learningRate: oneCycle({ maximum: settings.learningRate, steps }),
    random: random.split("training"),
    watch,
    checkpointEverySteps: 100,
    onCheckpoint: (saved) => checkpoint.save(saved),
    resume: await checkpoint.load(),
  });
  await keep(keptName.float(settings.name, seed), { tensors: parametersOf(network, weights), state: null });
  const { accuracyFraction } = await evaluate({ runtime, network, weights, dataset, part: "test" });
  const count = [...weights.values()].reduce((sum, { data: values }) => sum + (values as Float32Array).length, 0);
  return { accuracyFraction, weights: count, steps };
}

async function facts(
  settings: NetworkExperiment,
  { data }: Experiment,
  context: PieceContext,
): Promise<StructureFacts> {
  const network = networkFor(settings, await context.dataset(data));
  const { tensors } = await context.kept(keptName.float(settings.name, settings.seeds[0]!));
  return structureFacts(network, tensors);
}

async function onLine(
  settings: NetworkExperiment,
  { data }: Experiment,
  { dataset: load, kept, watch }: PieceContext,
): Promise<LineCheck> {
  const dataset = await load(data);
  const { tensors } = await kept(keptName.packed(settings.name, settings.seeds[0]!));
  const file = tensorData(tensors.get(packedFile)!, packedFile) as Uint8Array;
  const pixels = elementCount(dataset.imageShape);
  const image = Float32Array.from(dataset.images("train").subarray(0, pixels));
  return checkLine(networkFor(settings, dataset), file, image, { rowStep: settings.lineRowStep, watch });
}

async function compress(
  { data, batchSize, retraining, recalibrationSteps, groupFilters }: Experiment,
  settings: NetworkExperiment,
  method: MethodName,
  seed: number,
  { runtime, dataset: load, kept, keep, watch, checkpoint }: PieceContext,
): Promise<CompressedFigures> {
  const dataset = await load(data);
  const { tensors } = await kept(keptName.float(settings.name, seed));
  const prepared = await prepareMethod(method, networkFor(settings, dataset), tensors, { ...settings, groupFilters });
  const { network, weights, projection } = prepared;
  const { weights: start } = await projection.project(weights, { watch });
  const accuracyOf = async (of: ReadonlyMap<string, Tensor>) =>
    (await evaluate({ runtime, network, weights: of, dataset, part: "test" })).accuracyFraction;
  const accuracyBefore = await accuracyOf(start);
  const epochs = settings.retrainingEpochs;
  const { trainsBases } = retraining[method];
  const steps = epochs * Math.floor(dataset.parts.train.count / batchSize);
  const { final, losses } = await trainProjected({
    ...prepared,
    runtime,
    dataset,
    epochs,
    batchSize,
    learningRate: cosine({ value: retrainingRate(settings, retraining[method]), steps }),
    basisEpochs: trainsBases ? epochs : 0,
    recalibrationSteps,
    // The same batches for every method.
    random: createRandomStream(seed).split("retraining"),
    watch,
    resume: await checkpoint.load(),
    onCheckpoint: (saved) => checkpoint.save(saved),
  });
  const original = [...tensors.values()].reduce((sum, { data: values }) => sum + (values as Float32Array).length, 0);
  const { bits, compressionRate } = storageOf(final.tensors, original);
  const isFirst = seed === settings.seeds[0];
  if (method === "smartexchange") {
    await keep(keptName.smartExchange(settings.name, seed), checkpointOf(final));
    if (isFirst) await keep(keptName.packed(settings.name, seed), packedCheckpoint(final));
  }
  if (isFirst && (method === "pruning" || method === "smartexchange-shared")) {
    await keep(pieceName.compressed(settings.name, method, seed), checkpointOf(final));
  }
  return {
    accuracyBefore,
    accuracyFraction: await accuracyOf(final.weights),
    bits,
    compressionRate,
    losses: [...losses],
    ...(isStructured(method) && { form: checkForm(network, final) }),
  };
}

const packedFile = "file";

function packedCheckpoint({ tensors }: ProjectedWeights): Checkpoint {
  const file = encodePacked({ tensors, graph: new Uint8Array(), metadata: {} });
  return { tensors: new Map([[packedFile, tensor("uint8", [file.length], file)]]), state: null };
}

function checkpointOf({ weights, tensors }: ProjectedWeights): Checkpoint {
  const annotations = Object.fromEntries(
    [...tensors].flatMap(([name, packed]) =>
      packed.kind === "structured" ? [[name, { ...structuredAnnotation(packed.layer) }]] : [],
    ),
  );
  return { tensors: weights, state: JSON.parse(JSON.stringify({ annotations })) };
}
