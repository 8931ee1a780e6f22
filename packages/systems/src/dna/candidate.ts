// One network from its first weights to the file that is delivered: train, quantize, fine-tune, export, measure.
import { bakeShiftWeights } from "@dovetail/compress";
import type { RandomStream, Watch } from "@dovetail/core";
import { type Graph, type Tensor, writeModel } from "@dovetail/graph";
import { countPoints, initializeParameters, type Network, parameterCount } from "@dovetail/models";
import { bitInputs, exportQdqModel, prepareQuantization, withBitWidths } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import {
  type BatchPosition,
  type BatchStream,
  type Checkpoint,
  cosine,
  createBatchStream,
  type DatasetPart,
  evaluate,
  evaluateModel,
  type ImageDataset,
  oneCycle,
  type Schedule,
  softmaxCrossEntropy,
  train,
} from "@dovetail/train";
import { type CoSearchOptions, chargedPrecision } from "./options.js";
import type { StageStore } from "./stages.js";
import { weightOptimizer } from "./weight-optimizer.js";

/** What every candidate is trained with: the same for the found network and for all baselines. */
export interface TrainingContext {
  readonly options: CoSearchOptions;
  readonly dataset: ImageDataset;
  readonly runtime: Runtime;
  readonly random: RandomStream;
  readonly stages: StageStore;
  readonly watch: Watch;
}

/** A network that was trained and exported. */
export interface TrainedCandidate {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly validationAccuracyFraction: number;
  readonly trainingMacs: number;
  readonly optimizerSteps: number;
  readonly macs: number;
  readonly parameters: number;
  /** The delivered network's graph with its bit-widths: what the hardware side reads. */
  readonly graph: Graph;
  /** In float32, for the last evaluation. */
  readonly float32: { readonly network: Network; readonly weights: ReadonlyMap<string, Tensor> };
}

export interface CandidateOptions {
  /** Name of its stages, unique within the run. */
  readonly name: string;
  readonly network: Network;
  /** First weights; drawn when absent. */
  readonly weights?: ReadonlyMap<string, Tensor> | undefined;
  /** Multiply-accumulates that may be spent on it. */
  readonly trainingMacs: number;
}

/** Trains within the budget, the last part of it at the delivered precision, and exports. Reads no test image. */
export async function trainCandidate(context: TrainingContext, candidate: CandidateOptions): Promise<TrainedCandidate> {
  const { options, dataset, runtime, random } = context;
  const { effort, training } = options;
  const { network, name } = candidate;
  const stream = random.split(name);
  const macsPerStep = 3 * countPoints(network.graph) * effort.batchSize;
  const steps = Math.max(2, Math.floor(candidate.trainingMacs / macsPerStep));
  const fineTuneSteps = Math.floor(steps * effort.fineTuneFraction);
  const initial = candidate.weights ?? initializeParameters(network, stream.split("weights"));
  const float = await trainStage(context, {
    name: `${name}-float32`,
    network,
    weights: initial,
    steps: steps - fineTuneSteps,
    learningRate: oneCycle({ maximum: training.learningRate, steps: steps - fineTuneSteps }),
    random: stream.split("float32"),
  });
  const { weightBits, activationBits } = chargedPrecision(options);
  // From here on the weights of shift layers stay as they are: a step at the final precision would not move an exponent.
  const baked = await bakeShiftWeights({ runtime, network, weights: float.weights });
  const prepared = await prepareQuantization({ runtime, ...baked, dataset, weightBits, activationBits });
  const tuned = await trainStage(context, {
    name: `${name}-fine-tune`,
    network: prepared.quantized,
    weights: prepared.weights,
    steps: fineTuneSteps,
    learningRate: cosine({ value: training.fineTuneLearningRate, steps: Math.max(1, fineTuneSteps) }),
    scalars: { [bitInputs.weights]: weightBits, [bitInputs.activations]: activationBits },
    random: stream.split("fine-tune"),
  });
  const model = exportQdqModel(prepared.folded, tuned.weights, {
    weightBits,
    activationBits,
    classNames: dataset.classNames,
  });
  const onnx = writeModel(model);
  return {
    name,
    onnx,
    weights: float.weights,
    validationAccuracyFraction: (await measureModel(onnx, context, "validation")).accuracyFraction,
    trainingMacs: steps * macsPerStep,
    optimizerSteps: steps,
    macs: countPoints(network.graph),
    parameters: parameterCount(network, { trainableOnly: true }),
    graph: withBitWidths(prepared.folded, { weightBits, activationBits }),
    float32: { network, weights: float.weights },
  };
}

interface StageOptions {
  readonly name: string;
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly steps: number;
  readonly learningRate: Schedule;
  readonly scalars?: Readonly<Record<string, number>> | undefined;
  readonly random: RandomStream;
}

/** One training that goes on from its last checkpoint. */
export async function trainStage(
  context: TrainingContext,
  stage: StageOptions,
): Promise<{ weights: ReadonlyMap<string, Tensor> }> {
  const { options, dataset, runtime, stages, watch } = context;
  const { effort, training } = options;
  const resume = await stages.load(stage.name);
  const augmentation = { flip: training.flip, cropPadding: training.cropPadding, cutout: 0 };
  const batches = (start: BatchPosition): BatchStream =>
    createBatchStream({
      dataset,
      part: "train",
      batchSize: effort.batchSize,
      random: stage.random.split("batches"),
      augmentation,
      start,
    });
  return train({
    runtime,
    network: stage.network,
    weights: stage.weights,
    batches,
    batchSize: effort.batchSize,
    epochs: Number.POSITIVE_INFINITY,
    steps: stage.steps,
    optimizer: weightOptimizer(training),
    learningRate: stage.learningRate,
    scalars: stage.scalars,
    loss: softmaxCrossEntropy({ labelSmoothing: training.labelSmoothing }),
    random: stage.random,
    watch,
    resume,
    checkpointEverySteps: effort.checkpointEvery,
    onCheckpoint: (checkpoint: Checkpoint) => stages.save(stage.name, checkpoint),
  });
}

/** Accuracy of exactly this file in plain ONNX Runtime, add layers by kernels of ours. */
export async function measureModel(
  onnx: Uint8Array,
  { dataset, watch }: Pick<TrainingContext, "dataset" | "watch">,
  part: DatasetPart,
): ReturnType<typeof evaluateModel> {
  return evaluateModel(onnx, { dataset, part, watch });
}

/** Accuracy of the float32 network that the delivered one was made from. */
export async function measureFloat32(
  { float32 }: Pick<TrainedCandidate, "float32">,
  { runtime, dataset, watch }: Pick<TrainingContext, "runtime" | "dataset" | "watch">,
  part: DatasetPart,
): ReturnType<typeof evaluate> {
  return evaluate({ runtime, ...float32, dataset, part, watch });
}
