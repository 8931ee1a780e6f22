// The main job with `compress: smartexchange`: what was found is trained, brought into SmartExchange's form epoch by epoch,
// quantized, and delivered with its weights packed. Puts systems together: it may know all of them.
import {
  annotateCompressed,
  encodePacked,
  filtersOf,
  packedTensors,
  type StructuredTensor,
  scaleFilters,
  storageOf,
  unpackTensor,
  type WeightLayer,
  weightLayersOf,
} from "@dovetail/compress";
import { inputError, internalError } from "@dovetail/core";
import { type Tensor, writeModel } from "@dovetail/graph";
import { countPoints, initializeParameters, type Network, parameterCount } from "@dovetail/models";
import { exportQdqModel, type PreparedNetwork, prepareQuantization, withBitWidths } from "@dovetail/quant";
import { cosine, oneCycle } from "@dovetail/train";
import {
  type CandidateOptions,
  measureModel,
  type TrainedCandidate,
  type TrainingContext,
  trainStage,
} from "../dna/candidate.js";
import { chargedPrecision } from "../dna/options.js";
import { prepareMethod } from "../smartexchange/methods.js";
import { trainProjected } from "../smartexchange/train-projected.js";

export interface CompressedDelivery {
  /** For `runCoSearch`: trains what was found, compresses it and makes its 8-bit file. */
  deliver(context: TrainingContext, candidate: CandidateOptions): Promise<TrainedCandidate>;
  /** The packed file of the delivered weights. To be called after `deliver`. */
  packed(): Uint8Array;
  /** 32 bits a value over what the packed weights take, batch norms folded, biases counted. */
  compressionRate(): number;
}

export function createCompressedDelivery(): CompressedDelivery {
  let tensors: ReturnType<typeof packedTensors> | undefined;
  const delivered = (): NonNullable<typeof tensors> => {
    if (!tensors) throw internalError("nothing_delivered", "no compressed network has been trained yet");
    return tensors;
  };
  return {
    deliver: async (context, candidate) => {
      const { network, weights, structured, effort } = await trainCompressed(context, candidate);
      const { runtime, dataset, options } = context;
      const precision = chargedPrecision(options);
      const prepared = await prepareQuantization({ runtime, network, weights, dataset, ...precision });
      const folded = foldedForm(prepared, weights, weightLayersOf(network.graph, weights), structured);
      const model = exportQdqModel(folded.network, folded.weights, { ...precision, classNames: dataset.classNames });
      const parameters = new Set(folded.network.parameters.map(({ name }) => name));
      tensors = packedTensors(new Map([...folded.weights].filter(([name]) => parameters.has(name))), folded.structured);
      const onnx = writeModel(model);
      return {
        name: candidate.name,
        onnx,
        weights,
        validationAccuracyFraction: (await measureModel(onnx, context, "validation")).accuracyFraction,
        ...effort,
        macs: countPoints(network.graph),
        parameters: parameterCount(network, { trainableOnly: true }),
        graph: withBitWidths(folded.network, precision),
        float32: { network, weights },
      };
    },
    packed: () => encodePacked({ tensors: delivered(), graph: new Uint8Array(), metadata: {} }),
    compressionRate: () => storageOf(delivered()).compressionRate,
  };
}

interface CompressedTraining {
  readonly network: Network;
  /** As the last projection left them. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly structured: ReadonlyMap<string, StructuredTensor>;
  readonly effort: Pick<TrainedCandidate, "trainingMacs" | "optimizerSteps">;
}

/** In float32 first, then with a projection after every epoch: whole ones, about the share of the steps asked for. */
async function trainCompressed(
  context: TrainingContext,
  { name, network, weights, trainingMacs }: CandidateOptions,
): Promise<CompressedTraining> {
  const { options, dataset, runtime, random, stages, watch } = context;
  const { effort, training, compression } = options;
  const stream = random.split(name);
  const macsPerStep = 3 * countPoints(network.graph) * effort.batchSize;
  const steps = Math.floor(trainingMacs / macsPerStep);
  const epochSteps = Math.floor(dataset.parts.train.count / effort.batchSize);
  const epochs = Math.max(1, Math.round((compression.retrainFraction * steps) / epochSteps));
  const floatSteps = steps - epochs * epochSteps;
  if (floatSteps < 1) {
    throw inputError("effort_too_small", "nothing is left to train in full before weights are compressed", {
      path: ["effort", "trainingMacs"],
      expected: `at least ${Math.ceil(effort.trainingMacs + (1 - floatSteps) * macsPerStep)}`,
      received: `${effort.trainingMacs}`,
    });
  }
  const float = await trainStage(context, {
    name: `${name}-float32`,
    network,
    weights: weights ?? initializeParameters(network, stream.split("weights")),
    steps: floatSteps,
    learningRate: oneCycle({ maximum: training.learningRate, steps: floatSteps }),
    random: stream.split("float32"),
  });
  const stage = `${name}-compressed`;
  const { equalBits } = compression;
  const method = await prepareMethod("smartexchange", network, float.weights, {
    equalBits,
    factorization: "spatial",
    groupFilters: 1,
  });
  const { final } = await trainProjected({
    ...method,
    runtime,
    dataset,
    epochs,
    batchSize: effort.batchSize,
    learningRate: cosine({ value: compression.learningRate, steps: epochs * epochSteps }),
    weightDecay: training.weightDecay,
    augmentation: { flip: training.flip, cropPadding: training.cropPadding, cutout: 0 },
    random: stream.split("compressed"),
    watch,
    resume: await stages.load(stage),
    onCheckpoint: (checkpoint) => stages.save(stage, checkpoint),
  });
  const structured = new Map(
    [...final.tensors].flatMap(([tensor, packed]) => (packed.kind === "structured" ? [[tensor, packed] as const] : [])),
  );
  return {
    network,
    weights: final.weights,
    structured,
    effort: { trainingMacs: steps * macsPerStep, optimizerSteps: steps },
  };
}

interface FoldedForm {
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly structured: ReadonlyMap<string, StructuredTensor>;
}

/** Folding scales filters, whose bases are their own: the form stays, bases are rounded anew. */
function foldedForm(
  { folded, weights: foldedWeights }: PreparedNetwork,
  weights: ReadonlyMap<string, Tensor>,
  layers: readonly WeightLayer[],
  structured: ReadonlyMap<string, StructuredTensor>,
): FoldedForm {
  const scaled = new Map<string, StructuredTensor>();
  const rebuilt = new Map(foldedWeights);
  for (const layer of layers) {
    const packed = structured.get(layer.name);
    const after = foldedWeights.get(layer.name);
    if (!packed || !after) continue;
    const factors = filterFactors(filtersOf(layer, weights.get(layer.name)!), filtersOf(layer, after), layer);
    const own = { ...packed, layer: scaleFilters(packed.layer, factors) };
    scaled.set(layer.name, own);
    rebuilt.set(layer.name, unpackTensor(own));
  }
  return {
    network: { ...folded, graph: annotateCompressed(folded.graph, scaled) },
    weights: rebuilt,
    structured: scaled,
  };
}

/** By what each filter was multiplied, read where its weight is largest; a filter of zeros by nothing. */
function filterFactors(before: Float32Array, after: Float32Array, { shape }: WeightLayer): number[] {
  const size = before.length / shape.outputChannels;
  return Array.from({ length: shape.outputChannels }, (_, filter) => {
    let largest = filter * size;
    for (let index = largest; index < (filter + 1) * size; index++) {
      if (Math.abs(before[index]!) > Math.abs(before[largest]!)) largest = index;
    }
    return before[largest] === 0 ? 0 : after[largest]! / before[largest]!;
  });
}
