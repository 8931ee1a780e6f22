// Adversarial training with and without random precision (2-in-1 Accelerator, MICRO 2021; Double-Win Quant, ICML 2021).
import type { RandomStream } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import type { SwitchableNetwork } from "@dovetail/quant";
import {
  type Adversary,
  type BatchPosition,
  type BatchStream,
  createBatchStream,
  flipAndCrop,
  type ImageDataset,
  repeatBatches,
  type Scheduled,
  sgd,
  stepSchedule,
  type TrainingResult,
  type TrainOptions,
  train,
} from "@dovetail/train";
import { drawnScalars } from "./precision-set.js";
import { type AttackedForm, freeAdversary, pgdAdversary } from "./training-attack.js";

/** How the images of a training are changed. */
export const trainingMethods = ["natural", "fgsm-rs", "pgd-7", "free"] as const;
export type TrainingMethod = (typeof trainingMethods)[number];

/** Settings of the methods that attack each batch anew, as the public code has them; step sizes in units of epsilon. */
const attacks: Readonly<Record<"fgsm-rs" | "pgd-7", { readonly steps: number; readonly stepOfEpsilon: number }>> = {
  "fgsm-rs": { steps: 1, stepOfEpsilon: 1.25 },
  "pgd-7": { steps: 7, stepOfEpsilon: 0.25 },
};

export interface RobustTrainingOptions
  extends Pick<TrainOptions, "runtime" | "batchSize" | "watch" | "resume" | "onCheckpoint" | "checkpointEverySteps"> {
  readonly dataset: ImageDataset;
  readonly switchable: SwitchableNetwork;
  /** First values of all parameters. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly method: TrainingMethod;
  /** Precisions to draw one from at each step (RPT); of one precision, it is the only one that is trained. */
  readonly precisions: readonly number[];
  /** 8/255 by default. */
  readonly epsilon?: number | undefined;
  /** `inference` by default. */
  readonly attackedForm?: AttackedForm | undefined;
  /** Times that `free` repeats each batch; 4 by default. Its epochs are divided by it, so that the steps stay as many. */
  readonly repetitions?: number | undefined;
  readonly epochs: number;
  /** Ends the training after so many optimizer steps; with it `epochs` may be infinite. */
  readonly steps?: number | undefined;
  /** A tenth of it after half of the steps, a hundredth after three quarters; 0.1 by default. */
  readonly learningRate?: number | undefined;
  /** 5e-4 by default. */
  readonly weightDecay?: number | undefined;
  /** Only its identity counts. */
  readonly random: RandomStream;
}

/**
 * Trains at a precision drawn for each step: the attack is made at it, and the weights, and its own batch-norm
 * parameters, are moved at it, on the changed images alone.
 */
export async function trainRobust(options: RobustTrainingOptions): Promise<TrainingResult> {
  const { runtime, dataset, switchable, batchSize, random, method, learningRate = 0.1, weightDecay = 5e-4 } = options;
  const repetitions = method === "free" ? (options.repetitions ?? 4) : 1;
  const epochs = Math.max(1, Math.round(options.epochs / repetitions));
  const steps = options.steps ?? epochs * repetitions * Math.floor(dataset.parts.train.count / batchSize);
  const scalars = drawnScalars(switchable, options.precisions, random.split("precisions"));
  const open = (start: BatchPosition): BatchStream =>
    createBatchStream({
      dataset,
      part: "train",
      batchSize,
      random: random.split("batches"),
      augmentation: flipAndCrop,
      start,
    });
  return train({
    runtime,
    network: switchable.network,
    weights: options.weights,
    batches: repeatBatches(open, repetitions),
    batchSize,
    epochs,
    steps,
    optimizer: sgd({ momentum: 0.9, weightDecay }),
    learningRate: stepSchedule({
      value: learningRate,
      milestones: [0.5, 0.75].map((part) => Math.floor(part * steps)),
    }),
    scalars,
    adversary: adversaryOf(options, scalars),
    random: random.split("training"),
    watch: options.watch,
    resume: options.resume,
    onCheckpoint: options.onCheckpoint,
    checkpointEverySteps: options.checkpointEverySteps,
  });
}

/** Multiply-accumulates of a training step for one image, over those of the forward pass: attack and training. */
export function robustStepFactor(method: TrainingMethod): number {
  // Each attack step: forward, and backward to the image. The training: forward and two backward products.
  return method === "fgsm-rs" || method === "pgd-7" ? 2 * attacks[method].steps + 3 : 3;
}

function adversaryOf(
  options: RobustTrainingOptions,
  scalars: Readonly<Record<string, Scheduled>>,
): Adversary | undefined {
  const { method, runtime, batchSize, random, epsilon = 8 / 255 } = options;
  const { network } = options.switchable;
  if (method === "natural") return undefined;
  if (method === "free") return freeAdversary({ network, batchSize, epsilon });
  const { steps, stepOfEpsilon } = attacks[method];
  return pgdAdversary({
    runtime,
    network,
    batchSize,
    epsilon,
    steps,
    stepSize: stepOfEpsilon * epsilon,
    scalars,
    form: options.attackedForm,
    random: random.split("attack"),
  });
}
