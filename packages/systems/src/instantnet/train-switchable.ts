import type { RandomStream } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import type { SwitchableNetwork } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import {
  type BatchPosition,
  type BatchStream,
  cosine,
  createBatchStream,
  createPredictor,
  type DatasetPart,
  type Evaluation,
  evaluatePredictor,
  flipAndCrop,
  type ImageDataset,
  repeatBatches,
  sgd,
  type TrainingResult,
  type TrainOptions,
  train,
} from "@dovetail/train";
import { type DistillationRule, type PassOptions, precisionPasses } from "./passes.js";
import { type StepwiseRule, stepwiseSchedule } from "./stepwise.js";

export interface SwitchableTrainingOptions
  extends Pick<TrainOptions, "runtime" | "batchSize" | "watch" | "resume" | "onCheckpoint" | "checkpointEverySteps"> {
  readonly dataset: ImageDataset;
  readonly switchable: SwitchableNetwork;
  /** First values of all parameters, a row a precision where there are rows. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** `cascade` by default. */
  readonly rule?: DistillationRule | StepwiseRule | undefined;
  readonly distillationWeight?: PassOptions["distillationWeight"];
  readonly reduction?: PassOptions["reduction"];
  readonly epochs: number;
  /** Ends the training, and the cosine, after so many optimizer steps; with it `epochs` may be infinite. */
  readonly steps?: number | undefined;
  /** At first; it falls along a cosine to `finalLearningRate`. 0.025 by default, as in the public code. */
  readonly learningRate?: number | undefined;
  /** 0.001 by default. */
  readonly finalLearningRate?: number | undefined;
  /** 5e-4 by default. */
  readonly weightDecay?: number | undefined;
  /** Only its identity counts. */
  readonly random: RandomStream;
}

const stepwiseRules: ReadonlySet<string> = new Set<StepwiseRule>(["sandwich", "lowToHigh", "highToLow"]);

/** The public code clips gradients to this norm where it steps after each precision, and nowhere else. */
const stepwiseNorm = 5;

/**
 * Trains one set of weights for all precisions of a switchable network: SGD with momentum 0.9, random crops and mirror
 * images, a cosine. A step of a stepwise rule counts as one optimizer step a precision.
 */
export async function trainSwitchable(options: SwitchableTrainingOptions): Promise<TrainingResult> {
  const { runtime, dataset, switchable, batchSize, epochs, random, rule = "cascade" } = options;
  const { learningRate = 0.025, finalLearningRate = 0.001, weightDecay = 5e-4 } = options;
  const open = (start: BatchPosition): BatchStream =>
    createBatchStream({
      dataset,
      part: "train",
      batchSize,
      random: random.split("batches"),
      augmentation: flipAndCrop,
      start,
    });
  const stepwise = isStepwise(rule) ? stepwiseSchedule(switchable, rule, random.split("precisions")) : undefined;
  const repetitions = stepwise?.repetitions ?? 1;
  const steps = options.steps ?? epochs * Math.floor(dataset.parts.train.count / batchSize) * repetitions;
  return train({
    runtime,
    network: switchable.network,
    weights: options.weights,
    batches: repeatBatches(open, repetitions),
    batchSize,
    epochs,
    steps,
    optimizer: sgd({ momentum: 0.9, weightDecay }),
    learningRate: cosine({ value: learningRate, final: finalLearningRate, steps }),
    scalars: stepwise?.scalars,
    passes: stepwise ? undefined : precisionPasses(switchable, { ...options, rule: rule as DistillationRule }),
    maximumNorm: stepwise && stepwiseNorm,
    random: random.split("training"),
    watch: options.watch,
    resume: options.resume,
    onCheckpoint: options.onCheckpoint,
    checkpointEverySteps: options.checkpointEverySteps,
  });
}

function isStepwise(rule: DistillationRule | StepwiseRule): rule is StepwiseRule {
  return stepwiseRules.has(rule);
}

/** How well a switchable network does at each of its precisions, by bits. Compiled once. */
export async function evaluatePrecisions(options: {
  readonly runtime: Runtime;
  readonly switchable: SwitchableNetwork;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly dataset: ImageDataset;
  readonly part: DatasetPart;
}): Promise<Map<number, Evaluation>> {
  const { runtime, switchable, weights, dataset, part } = options;
  const { network, bitWidths, setting } = switchable;
  let scalars = setting(bitWidths[0]!);
  const predictor = await createPredictor({ runtime, network, weights, scalars: () => scalars });
  try {
    const evaluations = new Map<number, Evaluation>();
    for (const bits of bitWidths) {
      scalars = setting(bits);
      evaluations.set(bits, await evaluatePredictor(predictor, { dataset, part }));
    }
    return evaluations;
  } finally {
    await predictor.release();
  }
}
