import { inputError, type RandomStream, type Watch } from "@dovetail/core";
import { elementCount, scalar, type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import { countPoints, type DropoutMask, type Network } from "@dovetail/models";
import type { Runtime, StateStore } from "@dovetail/runtime";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { BatchPosition } from "../data/batches/batch-plan.js";
import type { Batch, BatchStream } from "../data/batches/batch-stream.js";
import type { DatasetPart, ImageDataset } from "../data/dataset.js";
import { softmaxCrossEntropy } from "../losses/cross-entropy.js";
import type { Loss } from "../losses/loss.js";
import type { Optimizer } from "../optimizers/optimizer.js";
import { type Scheduled, valueAt } from "../schedules/schedule.js";
import type { Adversary, OpenAdversary } from "./adversary.js";
import type { TrainingController } from "./controller.js";
import { evaluatePredictor } from "./evaluate.js";
import { uniformNoise } from "./noise.js";
import type { Pass } from "./passes.js";
import { createPredictor, imageTensor, parametersOf } from "./predictor.js";
import { type EpochRecord, progressOf, type TrainingProgress, trainingCheckpoint } from "./progress.js";
import { type CompiledStep, planStep, type StepPlan } from "./step-plan.js";

export interface TrainOptions {
  readonly runtime: Runtime;
  readonly network: Network;
  /** First values of all parameters. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Opens the stream of training batches at a place; each batch must have `batchSize` images. */
  readonly batches: (start: BatchPosition) => BatchStream;
  readonly batchSize: number;
  readonly epochs: number;
  /** Ends the training after so many optimizer steps, within an epoch if need be. */
  readonly steps?: number | undefined;
  readonly optimizer: Optimizer;
  readonly learningRate: Scheduled;
  /** The optimizer's other hyper-parameters; its own values where nothing is said. */
  readonly hyperparameters?: Readonly<Record<string, Scheduled>> | undefined;
  /** The network's scalar inputs; their own values where nothing is said. */
  readonly scalars?: Readonly<Record<string, Scheduled>> | undefined;
  /** Sets scalars from what the steps before gave; over those of `scalars`. Its state is part of the checkpoints. */
  readonly controller?: TrainingController | undefined;
  /**
   * Forward and backward passes that each step makes with its batch, in this order, before the optimizer steps once by
   * the sum of their gradients; one pass by default. Recorded are the sum of their losses and their mean accuracy.
   */
  readonly passes?: readonly Pass[] | undefined;
  /** Puts other images in the place of each batch's. */
  readonly adversary?: Adversary | undefined;
  /** Softmax cross-entropy by default. */
  readonly loss?: Loss | undefined;
  /** Largest common norm of the gradients; not clipped by default. */
  readonly maximumNorm?: Scheduled | undefined;
  /** Which parameters the optimizer changes; all trainable ones by default. */
  readonly trains?: ((parameterName: string) => boolean) | undefined;
  /** For dropout and for the network's noises. Only its identity counts, not what was drawn from it. */
  readonly random: RandomStream;
  /** May put other weights in the place of the network's at the end of each epoch, before the validation. */
  readonly onEpochEnd?: ((end: EpochEnd) => Promise<void>) | undefined;
  /** Evaluated after each epoch. */
  readonly validation?: { readonly dataset: ImageDataset; readonly part: DatasetPart } | undefined;
  readonly watch?: Watch | undefined;
  /** Receives a checkpoint after each epoch, every `checkpointEverySteps` steps, and when cancelled. */
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
  readonly checkpointEverySteps?: number | undefined;
  /** Goes on from this checkpoint, to the same bits as if there had been no break. */
  readonly resume?: Checkpoint | undefined;
}

/** What is open to change at the end of an epoch. */
export interface EpochEnd {
  /** Counts from 0. */
  readonly epoch: number;
  /** Copies of all parameters of the network. */
  weights(): Map<string, Tensor>;
  /** Replaces some of them; the optimizer's memory stays. */
  replace(weights: ReadonlyMap<string, Tensor>): void;
}

export interface TrainingResult {
  /** All parameters of the network. */
  readonly weights: Map<string, Tensor>;
  readonly history: readonly EpochRecord[];
  readonly effort: {
    readonly optimizerSteps: number;
    /**
     * Forward multiply–accumulates times three (forward and two backward products), over all images of all passes of all
     * steps. What an adversary computes is not among them.
     */
    readonly trainingMacs: number;
  };
}

/**
 * Trains a network. The result depends on the options alone, not on timing or on breaks. Throws the cancelling signal's
 * reason (after a last checkpoint), and an input error when the loss is no longer a number.
 */
export async function train(options: TrainOptions): Promise<TrainingResult> {
  const { runtime, network } = options;
  const stepOptions = {
    loss: options.loss ?? softmaxCrossEntropy(),
    optimizer: options.optimizer,
    batchSize: options.batchSize,
    clip: options.maximumNorm !== undefined,
    trains: options.trains,
    observes: options.controller?.observes,
    imageGradient: options.adversary?.learnsFromGradient,
  };
  const step = planStep(network, stepOptions, options.passes);
  const progress: TrainingProgress = options.resume
    ? progressOf(options.resume)
    : { epoch: 0, step: 0, optimizerSteps: 0, lossSum: 0, correctSum: 0, history: [] };
  if (progress.controller !== undefined) options.controller?.restore(progress.controller);
  const state = runtime.createState(initialState(options, step));
  const compiled = await step.compile(runtime, state);
  try {
    await runSteps(options, step, state, progress, compiled);
  } finally {
    await compiled.release();
  }
  return {
    weights: parametersOf(network, state.snapshot()),
    history: progress.history,
    effort: {
      optimizerSteps: progress.optimizerSteps,
      trainingMacs:
        3 * countPoints(network.graph) * options.batchSize * progress.optimizerSteps * (options.passes?.length ?? 1),
    },
  };
}

/** Tensors of the checkpoint, or the first weights and an empty memory. Throws when one is missing. */
function initialState({ network, weights, resume, adversary }: TrainOptions, step: StepPlan): Map<string, Tensor> {
  const memory = new Map([...step.initialMemory(), ...(adversary?.memory ?? [])]);
  const state = new Map<string, Tensor>();
  for (const name of [...network.parameters.map((parameter) => parameter.name), ...memory.keys()]) {
    const tensor = resume ? resume.tensors.get(name) : (memory.get(name) ?? weights.get(name));
    if (!tensor) {
      throw inputError("missing_parameter", `${resume ? "checkpoint" : "weights"} of network "${network.name}"`, {
        expected: `a tensor "${name}"`,
        received: "none of that name",
      });
    }
    state.set(name, tensor);
  }
  return state;
}

async function runSteps(
  options: TrainOptions,
  step: StepPlan,
  state: StateStore,
  progress: TrainingProgress,
  compiled: CompiledStep,
): Promise<void> {
  const isDone = (): boolean =>
    progress.epoch >= options.epochs || progress.optimizerSteps >= (options.steps ?? Number.POSITIVE_INFINITY);
  if (isDone()) return;
  const { network, controller } = options;
  const { signal } = options.watch ?? {};
  const save = async (): Promise<void> => {
    if (controller) progress.controller = controller.state();
    await options.onCheckpoint?.(trainingCheckpoint(state.snapshot(), progress));
  };
  const validation = await openValidation(options, state);
  const adversary = await options.adversary?.open(state);
  const batches = options.batches({ epoch: progress.epoch, step: progress.step });
  try {
    while (!isDone()) {
      if (signal?.aborted) {
        await save();
        throw signal.reason;
      }
      const batch = await nextBatch(batches, options);
      const index = progress.optimizerSteps;
      const feeds = feedsOf(options, step, batch, index);
      if (adversary) feeds[step.image] = await perturbed(adversary, feeds, step, index);
      const outputs = await compiled.run(feeds, index);
      if (step.imageGradient !== undefined) adversary?.learn?.(outputs[step.imageGradient]!, index);
      recordStep(progress, options, outputs, step);
      controller?.observe({ step: progress.optimizerSteps - 1, loss: lossOf(outputs, step), values: outputs });
      if (progress.step === batches.stepsPerEpoch) {
        await options.onEpochEnd?.({
          epoch: progress.epoch,
          weights: () => parametersOf(network, state.snapshot()),
          replace: (weights) => {
            for (const [name, tensor] of weights) state.write(name, tensor);
          },
        });
        await finishEpoch(progress, options, step, validation);
      }
      reportProgress(progress, options, batches.stepsPerEpoch);
      const isEpochEnd = progress.step === 0;
      const interval = options.checkpointEverySteps;
      if (isEpochEnd || (interval && progress.optimizerSteps % interval === 0)) await save();
    }
  } finally {
    await batches.close();
    await adversary?.release();
    await validation?.release();
  }
}

function perturbed(
  adversary: OpenAdversary,
  feeds: Readonly<Record<string, Tensor>>,
  step: StepPlan,
  index: number,
): Promise<Tensor> {
  return adversary.perturb({ images: feeds[step.image]!, labels: feeds[step.target]!, step: index });
}

async function nextBatch(batches: BatchStream, { batchSize }: TrainOptions): Promise<Batch> {
  const batch = await batches.next();
  if (batch?.count === batchSize) return batch;
  throw inputError("batch_size", "training batches", {
    expected: `${batchSize} images in every batch of every epoch`,
    received: batch ? `${batch.count}` : "the end of the stream",
  });
}

/** Everything that the training step is fed at optimizer step `index`. */
function feedsOf(options: TrainOptions, step: StepPlan, batch: Batch, index: number): Record<string, Tensor> {
  const { network, optimizer } = options;
  const [, ...imageShape] = network.graph.types.get(network.image)!.shape as readonly number[];
  const feeds: Record<string, Tensor> = {
    [step.image]: imageTensor(batch.images, batch.count, imageShape),
    [step.target]: tensorFromData("int64", [batch.count], batch.labels),
  };
  const values = Object.fromEntries(
    Object.entries({
      ...optimizer.hyperparameters,
      ...options.hyperparameters,
      learningRate: options.learningRate,
    }).map(([name, value]) => [name, valueAt(value, index)] as const),
  );
  const hyperparameters = optimizer.feeds(values, index);
  if (options.maximumNorm !== undefined) hyperparameters.maximumNorm = valueAt(options.maximumNorm, index);
  for (const [name, input] of Object.entries(step.hyperparameters)) feeds[input] = scalar(hyperparameters[name]!);
  for (const [name, value] of Object.entries(scalarsAt(options, index))) feeds[name] = scalar(value);
  const random = options.random.split("dropout").split(index);
  for (const mask of step.masks) feeds[mask.input] = dropoutMask(mask, random.split(mask.input));
  const noise = options.random.split("noise").split(index);
  for (const { input, shape } of step.noises) feeds[input] = uniformNoise(noise.split(input), shape);
  return feeds;
}

/** The network's scalars at optimizer step `index`. */
function scalarsAt({ network, scalars, controller }: TrainOptions, index: number): Record<string, number> {
  const controlled = controller?.scalars() ?? {};
  return Object.fromEntries(
    network.scalars.map(({ name, value }) => [name, controlled[name] ?? valueAt(scalars?.[name] ?? value, index)]),
  );
}

function dropoutMask({ shape, rate }: DropoutMask, random: RandomStream): Tensor {
  const mask = new Float32Array(elementCount(shape));
  for (let index = 0; index < mask.length; index++) mask[index] = random.uniform() < rate ? 0 : 1 / (1 - rate);
  return tensorFromData("float32", shape, mask);
}

function recordStep(
  progress: TrainingProgress,
  { network }: TrainOptions,
  outputs: Readonly<Record<string, Tensor>>,
  step: StepPlan,
): void {
  const loss = lossOf(outputs, step);
  if (!Number.isFinite(loss)) {
    throw inputError("training_diverged", `training of "${network.name}": the loss is no longer a number`, {
      expected: "a finite loss",
      received: `${loss} at step ${progress.optimizerSteps}`,
      hint: "a lower learning rate, a warm-up or maximumNorm may help",
    });
  }
  progress.lossSum += loss;
  if (step.correct !== undefined) progress.correctSum += tensorNumbers(outputs[step.correct]!)[0]!;
  progress.optimizerSteps += 1;
  progress.step += 1;
}

function lossOf(outputs: Readonly<Record<string, Tensor>>, step: StepPlan): number {
  return tensorNumbers(outputs[step.loss]!)[0]!;
}

/** Accuracy on the validation part with the parameters as they are in the state at the time of the call. */
interface Validation {
  accuracyFraction(): Promise<number>;
  release(): Promise<void>;
}

async function openValidation(options: TrainOptions, state: StateStore): Promise<Validation | undefined> {
  const { runtime, network, validation } = options;
  if (!validation) return undefined;
  const scalars = (): Record<string, number> => scalarsAt(options, 0);
  const predictor = await createPredictor({ runtime, network, weights: state, scalars });
  return {
    accuracyFraction: async () => {
      const evaluation = await evaluatePredictor(predictor, validation);
      return evaluation.accuracyFraction;
    },
    release: () => predictor.release(),
  };
}

async function finishEpoch(
  progress: TrainingProgress,
  options: TrainOptions,
  step: StepPlan,
  validation: Validation | undefined,
): Promise<void> {
  progress.history.push({
    epoch: progress.epoch,
    loss: progress.lossSum / progress.step,
    learningRate: valueAt(options.learningRate, progress.optimizerSteps - 1),
    trainingAccuracyFraction:
      step.correct === undefined ? undefined : progress.correctSum / (progress.step * options.batchSize),
    validationAccuracyFraction: await validation?.accuracyFraction(),
  });
  progress.epoch += 1;
  progress.step = 0;
  progress.lossSum = 0;
  progress.correctSum = 0;
}

function reportProgress(progress: TrainingProgress, options: TrainOptions, stepsPerEpoch: number): void {
  const latest = progress.history.at(-1);
  const loss = progress.step > 0 ? progress.lossSum / progress.step : latest?.loss;
  const accuracy = latest?.validationAccuracyFraction;
  options.watch?.onProgress?.({
    task: `train ${options.network.name}`,
    done: progress.optimizerSteps,
    total: Math.min(options.epochs * stepsPerEpoch, options.steps ?? Number.POSITIVE_INFINITY),
    unit: "steps",
    figures: {
      ...(loss === undefined ? {} : { loss }),
      ...(accuracy === undefined ? {} : { validationAccuracyFraction: accuracy }),
    },
  });
}
