// Retraining as SmartExchange does it (systems.md section 1): plain SGD, and after every epoch all layers are projected; and
// of the integers that it is held against, straight through them in every step.

import type { WeightLayer } from "@dovetail/compress";
import type { RandomStream, Watch } from "@dovetail/core";
import { type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import {
  type Augmentation,
  type BatchPosition,
  type Checkpoint,
  createBatchStream,
  flipAndCrop,
  type ImageDataset,
  parametersOf,
  type Scheduled,
  sgd,
  train,
  valueAt,
} from "@dovetail/train";
import { basisNetwork, holdsBases } from "./basis-network.js";
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
  /**
   * Of the epochs, so many last ones, of SmartExchange's form alone: coefficients stay as the last projection left them, and
   * bases are trained. 0 by default, as published.
   */
  readonly basisEpochs?: number | undefined;
  /**
   * Steps, with the weights as they are, in which normalizations take up the statistics of the compressed network at the
   * end. 0 by default.
   */
  readonly recalibrationSteps?: number | undefined;
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
  readonly resume?: Checkpoint | undefined;
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
}

export interface ProjectedTraining {
  /** As the last projection left them, or the training of the bases behind it. */
  readonly final: ProjectedWeights;
  /** Mean loss of every epoch. */
  readonly losses: readonly number[];
}

const checkpointEverySteps = 100;

/** Trains and projects. The result depends on the options alone, not on breaks. Throws the signal's reason. */
export async function trainProjected(options: ProjectedTrainingOptions): Promise<ProjectedTraining> {
  const { projection, projects, layers, resume } = options;
  const basisEpochs = projects === "epoch" ? Math.min(options.basisEpochs ?? 0, options.epochs) : 0;
  const first = await projection.project(options.weights, { watch: options.watch });
  // Behind the projections the checkpoint has all that they left but the form, which `first` has.
  const basisResume = resume && holdsBases(resume.tensors, layers) ? resume : undefined;
  const projected = basisResume
    ? { final: first, losses: tensorNumbers(basisResume.tensors.get(lossesName)!) }
    : await trainWithProjections(options, first, options.epochs - basisEpochs);
  const { final, losses } =
    basisEpochs > 0 ? await trainBases({ ...options, resume: basisResume }, projected, basisEpochs) : projected;
  return { final: await recalibrated(options, final), losses };
}

async function trainWithProjections(
  options: ProjectedTrainingOptions,
  first: ProjectedWeights,
  epochs: number,
): Promise<ProjectedTraining> {
  const { network, projection, resume } = options;
  restoreProjection(projection, resume);
  let final = first;
  const through =
    options.projects === "step" ? straightThroughNetwork(network, options.layers, first.tensors) : undefined;
  const { history, weights } = await train({
    ...trainerOptions(options, epochs),
    network: through?.network ?? network,
    weights: through ? new Map([...options.weights, ...through.form(first.tensors)]) : first.weights,
    resume,
    onCheckpoint: async (checkpoint) => options.onCheckpoint?.(withProjection(checkpoint, projection)),
    onEpochEnd: async (end) => {
      const isLast = end.epoch === epochs - 1;
      // Not stopped half-way: what this epoch did is saved behind it.
      final = await projection.project(parametersOf(network, end.weights()), { refit: !through || !isLast });
      end.replace(through ? through.form(final.tensors) : final.weights);
    },
  });
  // After a break behind the last epoch nothing ran: the weights are projected as they were then.
  if (resume && history.length === epochs)
    final = await projection.project(parametersOf(network, weights), { refit: !through, watch: options.watch });
  return { final, losses: history.map(({ loss }) => loss) };
}

/** The epochs that are left, in which bases are trained on the batches that would have come next. */
async function trainBases(
  options: ProjectedTrainingOptions,
  projected: ProjectedTraining,
  epochs: number,
): Promise<ProjectedTraining> {
  const { network, layers, dataset, batchSize, learningRate, resume } = options;
  const { final, losses: before } = projected;
  const bases = basisNetwork(network, layers, final.tensors);
  const epochsBefore = options.epochs - epochs;
  const stepsBefore = epochsBefore * Math.floor(dataset.parts.train.count / batchSize);
  const { weights, history } = await train({
    ...trainerOptions(options, epochs, epochsBefore),
    network: bases.network,
    weights: bases.start(final),
    learningRate: (step) => valueAt(learningRate, stepsBefore + step),
    resume,
    onCheckpoint: async (checkpoint) => {
      const tensors = new Map(checkpoint.tensors);
      tensors.set(lossesName, tensor("float64", [before.length], before));
      await options.onCheckpoint?.({ ...checkpoint, tensors });
    },
  });
  return { final: bases.projected(weights), losses: [...before, ...history.map(({ loss }) => loss)] };
}

/** What both parts share; the second goes on with the batches of epoch `firstEpoch`. */
function trainerOptions(options: ProjectedTrainingOptions, epochs: number, firstEpoch = 0) {
  const { runtime, dataset, batchSize, learningRate, random, watch } = options;
  const { weightDecay = 5e-4, augmentation = flipAndCrop } = options;
  return {
    runtime,
    batches: ({ epoch, step }: BatchPosition) =>
      createBatchStream({
        dataset,
        part: "train",
        batchSize,
        random: random.split("batches"),
        augmentation,
        start: { epoch: firstEpoch + epoch, step },
      }),
    batchSize,
    epochs,
    optimizer: sgd({ momentum: 0.9, weightDecay }),
    learningRate,
    random: random.split(firstEpoch === 0 ? "training" : "bases"),
    watch,
    checkpointEverySteps,
  };
}

/**
 * The compressed network after steps of rate 0: running statistics follow, all else stays. Images are augmented as in
 * training: on training images as they are, which the network knows by heart, the statistics of a ResNet-20 trained on
 * 10,000 images cost two points of accuracy before any compression.
 */
async function recalibrated(
  options: ProjectedTrainingOptions,
  compressed: ProjectedWeights,
): Promise<ProjectedWeights> {
  const { runtime, dataset, network, batchSize, random, watch, recalibrationSteps: steps = 0 } = options;
  const { augmentation = flipAndCrop } = options;
  const statistics = network.parameters.filter(({ role }) => role === "runningMean" || role === "runningVariance");
  if (steps === 0 || statistics.length === 0) return compressed;
  const stream = random.split("recalibration");
  const { weights } = await train({
    runtime,
    network,
    weights: compressed.weights,
    batches: (start) => createBatchStream({ dataset, part: "train", batchSize, random: stream, augmentation, start }),
    batchSize,
    epochs: Number.POSITIVE_INFINITY,
    steps,
    optimizer: sgd({ momentum: 0, weightDecay: 0 }),
    learningRate: 0,
    random: stream,
    watch: { ...watch, onProgress: (event) => watch?.onProgress?.({ ...event, task: "recalibrate" }) },
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

const projectionPrefix = "projection/";
const lossesName = "projected-losses";

/** A checkpoint with what the projection remembers. */
function withProjection(checkpoint: Checkpoint, projection: Projection): Checkpoint {
  const remembered = [...projection.state()].map(([name, value]) => [projectionPrefix + name, value] as const);
  return { ...checkpoint, tensors: new Map([...checkpoint.tensors, ...remembered]) };
}

function restoreProjection(projection: Projection, resume: Checkpoint | undefined): void {
  const remembered = [...(resume?.tensors ?? [])].flatMap(([name, value]) =>
    name.startsWith(projectionPrefix) ? [[name.slice(projectionPrefix.length), value] as const] : [],
  );
  if (remembered.length > 0) projection.restore(new Map(remembered));
}
