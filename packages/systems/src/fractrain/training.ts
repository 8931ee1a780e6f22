// A training by one of the methods, and what came of it.

import type { RandomStream, Watch } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { initializeParameters, type Network } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import {
  type Augmentation,
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
import type { LayerCount } from "./bit-counter.js";
import type { Method } from "./methods.js";
import { type PreparedTraining, prepareTraining } from "./prepare.js";
import { createSkippingPredictor } from "./skipping-predictor.js";

export interface MethodTrainingOptions {
  readonly runtime: Runtime;
  readonly dataset: ImageDataset;
  /** Without quantizers and gates; what is added starts anew. */
  readonly network: Network;
  readonly method: Method;
  /** First values of parameters by name; others are drawn. */
  readonly weights?: ReadonlyMap<string, Tensor> | undefined;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: Schedule;
  readonly momentum?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly augmentation?: Augmentation | undefined;
  /** Only its identity counts: weights, batches and noise are the same for all methods. */
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
  readonly checkpoint?: PieceCheckpoint | undefined;
}

export interface MethodOutcome {
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly prepared: PreparedTraining;
  readonly figures: MethodFigures;
}

/** Figures of a training; all of it is JSON. */
export interface MethodFigures {
  /** On the test part, with the network as it was trained, gates deciding. */
  readonly accuracyFraction: number;
  readonly steps: number;
  readonly images: number;
  /** Float32-equivalent multiply–accumulates of all steps, and what float32 itself takes. */
  readonly bitMacs: number;
  readonly float32Macs: number;
  /** By layer and product. */
  readonly layers: readonly LayerCount[];
  /** Steps after which PFQ's indicator turned. */
  readonly turningPoints: readonly number[];
  /** Shares of the choices by block, in training and on the test part. */
  readonly trainingChoices?: readonly (readonly number[])[] | undefined;
  readonly testChoices?: readonly (readonly number[])[] | undefined;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
}

const checkpointEverySteps = 100;

/** Trains a network by a method and evaluates it. Throws the signal's reason. */
export async function trainByMethod(options: MethodTrainingOptions): Promise<MethodOutcome> {
  const { runtime, dataset, network, method, steps, batchSize, random, checkpoint, watch } = options;
  const { momentum = 0.9, weightDecay = 1e-4, augmentation = flipAndCrop } = options;
  const prepared = prepareTraining(network, method, { batchSize, steps });
  // Parameters of one name start alike, whatever the method adds to the network.
  const weights = new Map([
    ...initializeParameters(prepared.network, random.split("weights")),
    ...(options.weights ?? []),
  ]);
  const { controller } = prepared;
  const stepsPerEpoch = Math.floor(dataset.parts.train.count / batchSize);
  const { weights: trained, history } = await train({
    runtime,
    network: prepared.network,
    weights,
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize, random: random.split("batches"), augmentation, start }),
    batchSize,
    epochs: Math.ceil(steps / stepsPerEpoch),
    steps,
    optimizer: sgd({ momentum, weightDecay }),
    learningRate: options.learningRate,
    loss: prepared.loss,
    controller,
    random: random.split("training"),
    watch,
    checkpointEverySteps,
    onCheckpoint: checkpoint?.save,
    resume: await checkpoint?.load(),
  });
  const { accuracyFraction, choices } = await evaluatePrepared(prepared, { runtime, dataset, weights: trained });
  const count = controller.bits();
  return {
    weights: trained,
    prepared,
    figures: {
      accuracyFraction,
      steps,
      images: steps * batchSize,
      bitMacs: count.total,
      float32Macs: count.float32Total,
      layers: count.layers,
      turningPoints: controller.turningPoints(),
      ...optional("trainingChoices", controller.choices()?.map(sharesOf)),
      ...optional("testChoices", choices?.map(sharesOf)),
      losses: history.map(({ loss }) => loss),
    },
  };
}

/** Accuracy on the test part; with gates, by the predictor that skips, and what they chose. */
export async function evaluatePrepared(
  { network, gated, controller }: PreparedTraining,
  options: Pick<MethodTrainingOptions, "runtime" | "dataset" | "watch"> & {
    readonly weights: ReadonlyMap<string, Tensor>;
  },
): Promise<{ readonly accuracyFraction: number; readonly choices?: readonly (readonly number[])[] | undefined }> {
  const { runtime, dataset, weights } = options;
  const scalars = controller.scalars();
  if (!gated) {
    const predictor = await createPredictor({ runtime, network, weights, scalars });
    const { accuracyFraction } = await evaluatePredictor(predictor, { dataset, part: "test" });
    await predictor.release();
    return { accuracyFraction };
  }
  const predictor = await createSkippingPredictor({ runtime, network, gated, weights, scalars });
  const { accuracyFraction } = await evaluatePredictor(predictor, { dataset, part: "test" });
  await predictor.release();
  return { accuracyFraction, choices: predictor.choices() };
}

function sharesOf(counts: readonly number[]): readonly number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (all === 0 ? 0 : count / all));
}

function optional<Key extends string, T>(key: Key, value: T | undefined): Partial<Record<Key, T>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<Key, T>>);
}
