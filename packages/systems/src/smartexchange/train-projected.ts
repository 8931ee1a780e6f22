// Retraining as SmartExchange does it (systems.md section 1): plain SGD, and after every epoch all layers are projected; and
// of the integers that it is held against, straight through them in every step.

import type { WeightLayer } from "@dovetail/compress";
import type { RandomStream, Watch } from "@dovetail/core";
import { type Tensor, tensorData, tensorFromData } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import {
  type Augmentation,
  type Checkpoint,
  createBatchStream,
  type DatasetPart,
  evaluate,
  flipAndCrop,
  type ImageDataset,
  parametersOf,
  type Scheduled,
  sgd,
  train,
} from "@dovetail/train";
import type { ProjectedWeights, Projection } from "./projection.js";
import { straightThroughNetwork } from "./straight-through.js";

export interface ProjectedTrainingOptions {
  readonly runtime: Runtime;
  readonly dataset: ImageDataset;
  readonly network: Network;
  /** The layers that the projection compresses. */
  readonly layers: readonly WeightLayer[];
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly projection: Projection;
  /**
   * `epoch`: the weights become their projection after every epoch, as published. `step`, of integers: every step computes
   * with the weights as they would be stored, by the scales of the epoch before.
   */
  readonly projects: "epoch" | "step";
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: Scheduled;
  readonly weightDecay?: number | undefined;
  readonly augmentation?: Augmentation | undefined;
  /** Part on which accuracy is measured before and after every projection; not at all by default. */
  readonly validationPart?: DatasetPart | undefined;
  /** Epoch (from 0) from which on the weights before projection are averaged; then the average is projected too. */
  readonly averagesFrom?: number | undefined;
  /**
   * Steps, with the weights as they are, in which normalizations take up the statistics of the compressed network after the
   * last projection. 0 by default.
   */
  readonly recalibrationSteps?: number | undefined;
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
  readonly resume?: Checkpoint | undefined;
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
}

export interface ProjectedEpoch {
  readonly loss: number;
  /** On the validation part, before and after the projection. */
  readonly accuracyBefore?: number | undefined;
  readonly accuracyAfter?: number | undefined;
}

export interface ProjectedTraining {
  /** As the last projection left them. */
  readonly final: ProjectedWeights;
  /** The projected mean of the weights before projection. */
  readonly average?: ProjectedWeights | undefined;
  readonly epochs: readonly ProjectedEpoch[];
}

const checkpointEverySteps = 100;

/** Trains and projects. The result depends on the options alone, not on breaks. Throws the signal's reason. */
export async function trainProjected(options: ProjectedTrainingOptions): Promise<ProjectedTraining> {
  const { runtime, dataset, network, projection, epochs, batchSize, random, watch, validationPart } = options;
  const { weightDecay = 5e-4, augmentation = flipAndCrop, resume, averagesFrom } = options;
  const accuracyOf = async (weights: ReadonlyMap<string, Tensor>): Promise<number | undefined> =>
    validationPart && (await evaluate({ runtime, network, weights, dataset, part: validationPart })).accuracyFraction;
  const first = projection.project(options.weights);
  const memory = createMemory(projection, resume);
  let final = first;
  const through =
    options.projects === "step" ? straightThroughNetwork(network, options.layers, first.tensors) : undefined;
  const { history, weights } = await train({
    runtime,
    network: through?.network ?? network,
    weights: through ? new Map([...options.weights, ...through.form(first.tensors)]) : first.weights,
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize, random: random.split("batches"), augmentation, start }),
    batchSize,
    epochs,
    optimizer: sgd({ momentum: 0.9, weightDecay }),
    learningRate: options.learningRate,
    random: random.split("training"),
    watch,
    resume,
    checkpointEverySteps,
    onCheckpoint: async (checkpoint) => options.onCheckpoint?.(memory.with(checkpoint)),
    onEpochEnd: async (end) => {
      const before = parametersOf(network, end.weights());
      if (averagesFrom !== undefined && end.epoch >= averagesFrom) memory.average(before, end.epoch - averagesFrom + 1);
      const isLast = end.epoch === epochs - 1;
      final = projection.project(before, { refit: !through || !isLast });
      memory.record(await accuracyOf(before), await accuracyOf(final.weights));
      end.replace(through ? through.form(final.tensors) : final.weights);
    },
  });
  // After a break behind the last epoch nothing ran: the weights are projected as they were then.
  if (resume && history.length === epochs)
    final = projection.project(parametersOf(network, weights), { refit: !through });
  const averaged = memory.averaged();
  return {
    final: await recalibrated(options, final),
    average: averaged && (await recalibrated(options, projection.project(averaged))),
    epochs: history.map(({ loss }, index) => ({ loss, ...memory.epochs()[index] })),
  };
}

/** The compressed network after steps of rate 0: running statistics follow, all else stays. */
async function recalibrated(
  options: ProjectedTrainingOptions,
  compressed: ProjectedWeights,
): Promise<ProjectedWeights> {
  const { runtime, dataset, network, batchSize, random, watch, recalibrationSteps: steps = 0 } = options;
  const statistics = network.parameters.filter(({ role }) => role === "runningMean" || role === "runningVariance");
  if (steps === 0 || statistics.length === 0) return compressed;
  const stream = random.split("recalibration");
  const { weights } = await train({
    runtime,
    network,
    weights: compressed.weights,
    batches: (start) => createBatchStream({ dataset, part: "train", batchSize, random: stream, start }),
    batchSize,
    epochs: Number.POSITIVE_INFINITY,
    steps,
    optimizer: sgd({ momentum: 0, weightDecay: 0 }),
    learningRate: 0,
    random: stream,
    watch: { signal: watch?.signal },
  });
  const tensors = new Map(compressed.tensors);
  const all = new Map(compressed.weights);
  for (const { name } of statistics) {
    const tensor = weights.get(name)!;
    tensors.set(name, { kind: "plain", tensor });
    all.set(name, tensor);
  }
  return { weights: all, tensors };
}

/** What a training remembers beside the trainer's own checkpoint: the projection's state, averages, accuracies. */
function createMemory(projection: Projection, resume: Checkpoint | undefined) {
  const averages = new Map<string, Tensor>();
  const accuracies: { accuracyBefore?: number; accuracyAfter?: number }[] = [];
  if (resume) {
    const under = (prefix: string) =>
      [...resume.tensors].flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
      );
    const remembered = new Map(under(projectionPrefix));
    if (remembered.size > 0) projection.restore(remembered);
    for (const [name, tensor] of under(averagePrefix)) averages.set(name, tensor);
    for (const pair of tensorPairs(resume.tensors.get(accuraciesName))) accuracies.push(pair);
  }
  return {
    average(weights: ReadonlyMap<string, Tensor>, count: number): void {
      for (const [name, tensor] of weights) {
        const values = tensorData(tensor, name) as Float32Array;
        const before = averages.get(name);
        const mean = before ? (tensorData(before, name) as Float32Array) : values;
        const data = Float32Array.from(values, (value, index) => mean[index]! + (value - mean[index]!) / count);
        averages.set(name, tensorFromData("float32", tensor.dimensions, data));
      }
    },
    averaged: (): ReadonlyMap<string, Tensor> | undefined => (averages.size > 0 ? averages : undefined),
    record(before: number | undefined, after: number | undefined): void {
      accuracies.push({
        ...(before !== undefined && { accuracyBefore: before }),
        ...(after !== undefined && { accuracyAfter: after }),
      });
    },
    epochs: () => accuracies,
    with(checkpoint: Checkpoint): Checkpoint {
      const tensors = new Map(checkpoint.tensors);
      for (const [name, tensor] of projection.state()) tensors.set(projectionPrefix + name, tensor);
      for (const [name, tensor] of averages) tensors.set(averagePrefix + name, tensor);
      tensors.set(accuraciesName, pairsTensor(accuracies));
      return { ...checkpoint, tensors };
    },
  };
}

const projectionPrefix = "projection/";
const averagePrefix = "average/";
const accuraciesName = "projection-accuracies";

/** NaN stands for what was not measured. */
function pairsTensor(pairs: readonly { accuracyBefore?: number; accuracyAfter?: number }[]): Tensor {
  const values = pairs.flatMap(({ accuracyBefore, accuracyAfter }) => [
    accuracyBefore ?? Number.NaN,
    accuracyAfter ?? Number.NaN,
  ]);
  return tensorFromData("float64", [pairs.length, 2], Float64Array.from(values));
}

function tensorPairs(tensor: Tensor | undefined): { accuracyBefore?: number; accuracyAfter?: number }[] {
  const values = (tensor?.data ?? new Float64Array()) as Float64Array;
  return Array.from({ length: values.length / 2 }, (_, index) => {
    const [before, after] = values.subarray(2 * index, 2 * index + 2) as unknown as [number, number];
    return {
      ...(Number.isFinite(before) && { accuracyBefore: before }),
      ...(Number.isFinite(after) && { accuracyAfter: after }),
    };
  });
}
