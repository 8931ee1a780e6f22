// A training of one of the compared networks.

import type { RandomStream, Watch } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { initializeParameters, type Network, type ParameterSpec } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import {
  type Checkpoint,
  createBatchStream,
  flipAndCrop,
  type ImageDataset,
  oneCycle,
  radam,
  sgd,
  splitByRole,
  train,
} from "@dovetail/train";
import type { UpdateRule } from "./energy.js";
import { fixedPointNetwork } from "./fixed-point.js";
import type { Precision } from "./precision.js";

/** Stochastic gradient descent as ShiftAddNet and AdderNet have it. */
const descent = () => sgd({ momentum: 0.9, weightDecay: 1e-4 });

const rectified = () => radam({ weightDecay: 1e-4 });

/** What shift layers learn in the place of weights. */
export const splitRoles: readonly ParameterSpec["role"][] = ["exponent", "sign"];

/** SGD, but RAdam for exponents and signs, at a multiple of the learning rate. */
const splitAt = (rate: number) => () => splitByRole(descent(), radam(), { roles: splitRoles, rate });

/**
 * Optimizers with their highest learning rates. DeepShift's authors need RAdam for exponents and signs. What a network is
 * offered was found on ResNet-8 (8 to 32 channels), 200 to 300 steps of 64 images, accuracy on 1,000 validation images. Of
 * each kind that does well the best ones are offered, three a network:
 *
 * - convolution, SGD: 34.2, 39.5 and 38.0 % at 0.03, 0.1 and 0.3; RAdam: 37.7, 40.4, 44.0 and 38.7 % at 0.01, 0.05, 0.1 and 0.2
 * - shift, SGD: 27.4, 26.6, 29.2 and 29.8 % at 0.05, 0.1, 0.3 and 1; RAdam: 20.3, 26.5, 28.6, 28.5, 35.0, 37.8 and 34.8 % at
 *   0.01, 0.02, 0.05, 0.1, 0.2, 0.5 and 1; split: 35.4, 37.0, 37.8 and 37.8 % at 2, 5, 10 and 20
 * - add, SGD: 31.1, 32.4, 33.0 and 20.1 % at 0.1, 0.3, 1 and 3; RAdam: 24.0 and 27.5 % at 0.05 and 0.2
 * - shift-add, SGD: 31.0, 32.2, 33.9 and 29.8 % at 0.1, 0.3, 1 and 3; RAdam: 28.8 and 27.3 % at 0.2 and 0.5; split: 32.8,
 *   32.2, 27.6 and 28.5 % at 1, 2, 5 and 10
 */
export const optimizers = {
  "sgd-0.1": { learningRate: 0.1, make: descent, rule: "sgd" },
  "sgd-0.3": { learningRate: 0.3, make: descent, rule: "sgd" },
  "sgd-1": { learningRate: 1, make: descent, rule: "sgd" },
  "radam-0.05": { learningRate: 0.05, make: rectified, rule: "radam" },
  "radam-0.1": { learningRate: 0.1, make: rectified, rule: "radam" },
  "radam-0.5": { learningRate: 0.5, make: rectified, rule: "radam" },
  "sgd-0.1-radam-0.1": { learningRate: 0.1, make: splitAt(1), rule: "split" },
  "sgd-0.1-radam-1": { learningRate: 0.1, make: splitAt(10), rule: "split" },
} as const;

export type OptimizerName = keyof typeof optimizers;

/** How an optimizer updates a parameter of a role. */
export function updateRule(name: OptimizerName, role: ParameterSpec["role"]): UpdateRule {
  const { rule } = optimizers[name];
  return rule === "split" ? (splitRoles.includes(role) ? "radam" : "sgd") : rule;
}

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

const checkpointEverySteps = 50;

/** The network as it computes at a precision. */
export function atPrecision(network: Network, precision: Precision): Network {
  return precision.format === "float" ? network : fixedPointNetwork(network, precision);
}

/** Trains a network; returns it as it computes at the precision, with its weights. Throws the signal's reason. */
export async function trainNetwork(
  options: TrainingOptions,
): Promise<{ readonly network: Network; readonly weights: ReadonlyMap<string, Tensor> }> {
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
  return { network, weights };
}
