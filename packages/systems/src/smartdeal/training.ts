// A training by one of the methods, and what came of it.

import { type StructuredLayer, structuredAnnotation, structuredBits } from "@dovetail/compress";
import type { RandomStream, Watch } from "@dovetail/core";
import { elementCount, type Tensor, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, type Network } from "@dovetail/models";
import { quantizeLayers } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import {
  type Augmentation,
  type Checkpoint,
  createBatchStream,
  createPredictor,
  evaluatePredictor,
  flipAndCrop,
  type ImageDataset,
  type Schedule,
  sgd,
  train,
} from "@dovetail/train";
import type { PieceCheckpoint } from "../reproduction/reproduction.js";
import { type Averaging, createAverage, isAverage } from "./average.js";
import { type BetweenSteps, floatWeightValues, keptTensors } from "./between-steps.js";
import type { FactoredNetwork } from "./factored-network.js";
import { inputZeros } from "./input-zeros.js";
import type { Method } from "./methods.js";
import { prepareFactored } from "./prepare.js";
import { structuredLayers } from "./structured-tensors.js";
import type { KeptWeights } from "./training-energy.js";

export interface TrainingOptions {
  readonly runtime: Runtime;
  readonly dataset: ImageDataset;
  /** The part that the accuracy is measured on; test by default. */
  readonly part?: "validation" | "test" | undefined;
  /** Dense. */
  readonly network: Network;
  readonly method: Method;
  /** First values of the dense network's parameters by name; others are drawn. */
  readonly weights?: ReadonlyMap<string, Tensor> | undefined;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: Schedule;
  readonly momentum?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly augmentation?: Augmentation | undefined;
  /** Averages the factors at the ends of the last epochs. */
  readonly averaging?: Averaging | undefined;
  /** Only its identity counts: dense weights and batches are the same for all methods. */
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
  readonly checkpoint?: PieceCheckpoint | undefined;
  /** Where `checkpoint` has nothing yet: a checkpoint of another training that was the same so far. */
  readonly goesOnFrom?: Checkpoint | undefined;
  /** Sees each checkpoint of the training, before it is saved. */
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
}

export interface Outcome {
  /** Parameters of the network as it was trained, the averaged ones where there is an average. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly accuracyFraction: number;
  /** Without averaging, of the same training. */
  readonly lastAccuracyFraction: number;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
  readonly storage: Storage;
  readonly betweenSteps: BetweenSteps;
  /** Share of zeros in the layers' inputs, by the names of their nodes; with 8-bit operands only. */
  readonly inputZeros?: Readonly<Record<string, number>> | undefined;
}

/** Bits of a network's parameters. */
export interface Storage {
  /** Of weights alone, as float32 and as they are stored. */
  readonly denseWeightBits: number;
  readonly weightBits: number;
  /** Biases and what batch normalizations come to when folded, float32: scale and shift. */
  readonly otherBits: number;
  /** By the name of the weight; empty for a dense network. */
  readonly kept: Readonly<Record<string, KeptWeights>>;
}

const checkpointEverySteps = 100;
/** Steps that bring the running statistics of an averaged network up to date: 0.9^60 is below 0.2 %. */
export const statisticsSteps = 60;

/** Trains a network by a method and evaluates it. Throws the signal's reason. */
export async function trainByMethod(options: TrainingOptions): Promise<Outcome> {
  const { method, random, dataset, steps, batchSize, checkpoint, averaging } = options;
  const { momentum = 0.9, weightDecay = 1e-4 } = options;
  const denseWeights = new Map([
    ...initializeParameters(options.network, random.split("weights")),
    ...(options.weights ?? []),
  ]);
  const stepsPerEpoch = Math.floor(dataset.parts.train.count / batchSize);
  const prepared =
    method.kind === "dense"
      ? undefined
      : prepareFactored(options.network, method, { weights: denseWeights, momentum, weightDecay, stepsPerEpoch });
  const factored = prepared?.factored;
  const plain = factored?.network ?? options.network;
  const network = method.arithmetic === "integer8" ? inIntegers(plain, factored !== undefined) : plain;
  const first = new Map([
    ...initializeParameters(network, random.split("weights")),
    ...denseWeights,
    ...(prepared?.factors ?? []),
  ]);
  const optimizer = prepared?.optimizer ?? sgd({ momentum, weightDecay });
  const average = factored && averaging ? createAverage(factored, averaging) : undefined;
  const resume = (await checkpoint?.load()) ?? options.goesOnFrom;
  if (resume) average?.restore(resume);
  // What a training that was done already saved last.
  let held = new Map([...(resume?.tensors ?? [])].filter(([name]) => !isAverage(name)));
  let floatWeights = floatWeightValues(network, held);
  const run = (weights: ReadonlyMap<string, Tensor>, learningRate: Schedule, count: number, own: object) =>
    train({
      runtime: options.runtime,
      network,
      weights,
      batches: (start) =>
        createBatchStream({
          dataset,
          part: "train",
          batchSize,
          random: random.split("batches"),
          augmentation: options.augmentation ?? flipAndCrop,
          start,
        }),
      batchSize,
      epochs: Math.ceil(count / stepsPerEpoch),
      steps: count,
      optimizer,
      learningRate,
      random: random.split("training"),
      watch: options.watch,
      ...own,
    });
  const { weights, history } = await run(first, options.learningRate, steps, {
    checkpointEverySteps: Math.min(checkpointEverySteps, steps),
    onCheckpoint: save,
    resume,
  });
  async function save(given: Checkpoint): Promise<void> {
    held = new Map(given.tensors);
    floatWeights = Math.max(floatWeights, floatWeightValues(network, held));
    await options.onCheckpoint?.(given);
    const observed = average ? average.observe(given) : given;
    await checkpoint?.save(observed);
  }
  const evaluate = (trained: ReadonlyMap<string, Tensor>): Promise<number> => accuracyOf(options, network, trained);
  const lastAccuracyFraction = await evaluate(weights);
  const averaged = average?.tensors(weights);
  const final = averaged ? (await run(averaged, () => 0, statisticsSteps, {})).weights : weights;
  const storage = storageOf(options.network, factored, final);
  return {
    weights: final,
    accuracyFraction: averaged ? await evaluate(final) : lastAccuracyFraction,
    lastAccuracyFraction,
    losses: history.map(({ loss }) => loss),
    storage,
    betweenSteps: { layers: keptTensors(options.network, held, { method, kept: storage.kept }), floatWeights },
    ...(method.arithmetic === "integer8" && {
      inputZeros: await inputZeros({ runtime: options.runtime, network, weights: final, dataset }),
    }),
  };
}

/** Activations and gradients at 8 bits, and dense weights; rebuilt ones have been rounded where they are rebuilt. */
function inIntegers(network: Network, isFactored: boolean): Network {
  return quantizeLayers(network, isFactored ? { weightBits: 0 } : {});
}

async function accuracyOf(
  { runtime, dataset, part = "test" }: TrainingOptions,
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
): Promise<number> {
  const predictor = await createPredictor({ runtime, network, weights });
  const { accuracyFraction } = await evaluatePredictor(predictor, { dataset, part });
  await predictor.release();
  return accuracyFraction;
}

function storageOf(
  network: Network,
  factored: FactoredNetwork | undefined,
  weights: ReadonlyMap<string, Tensor>,
): Storage {
  const stored = factored ? structuredLayers(factored, weights) : new Map<string, StructuredLayer>();
  const sizes = network.parameters.map(({ name, shape, role }) => ({ name, role, bits: 32 * elementCount(shape) }));
  const total = (of: (role: string) => boolean): number =>
    sizes.filter(({ role }) => of(role)).reduce((sum, { bits }) => sum + bits, 0);
  const denseWeightBits = total((role) => role === "weight");
  const annotations = [...stored].map(([name, layer]) => [name, structuredAnnotation(layer)] as const);
  const storedBits = annotations.reduce((sum, [, annotation]) => sum + structuredBits(annotation), 0);
  const factoredBits = sizes.filter(({ name }) => stored.has(name)).reduce((sum, { bits }) => sum + bits, 0);
  return {
    denseWeightBits,
    weightBits: denseWeightBits - factoredBits + storedBits,
    otherBits: total((role) => role === "bias" || role === "scale" || role === "shift"),
    kept: Object.fromEntries(
      annotations.map(([name, { columns, rows, bases }]) => [
        name,
        { columns, rows, bases, keptRows: allowedRows(factored!, name, weights) },
      ]),
    ),
  };
}

/** Rows that training may change: more than those that end with a coefficient other than zero. */
function allowedRows({ layers }: FactoredNetwork, weight: string, weights: ReadonlyMap<string, Tensor>): number {
  const { coefficients, mask, form } = layers.find((layer) => layer.weight === weight)!;
  const numbers = tensorNumbers(weights.get(mask ?? coefficients)!);
  let rows = 0;
  for (let start = 0; start < numbers.length; start += form.columns) {
    const row = Array.from({ length: form.columns }, (_, column) => numbers[start + column]!);
    if (row.some((value) => (mask ? value !== 0 : value !== -8))) rows++;
  }
  return rows;
}
