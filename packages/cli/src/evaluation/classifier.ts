import { inputError, withPlace } from "@dovetail/core";
import { type ElementType, type Graph, printType, type Tensor, tensorFromData } from "@dovetail/graph";
import { classNamesOf } from "@dovetail/models";
import { type OpenModelOptions, openModel } from "@dovetail/runtime";
import type { ImageShape } from "@dovetail/train";
import type { NetworkFile } from "../files/read-network.js";

// An ONNX file as an image classifier, in plain ONNX Runtime: what anyone who gets the file would see.

export interface ClassifierOptions extends OpenModelOptions {
  /** Shape of the images, for models that leave it open. */
  readonly imageShape?: ImageShape | undefined;
  /** What the model takes for the pixel values 0 and 255; raw pixels by default. */
  readonly pixelRange?: readonly [number, number] | undefined;
}

export interface Classifier {
  /** [channels, height, width] of what `predict` takes, whatever order the model wants. */
  readonly imageShape: ImageShape;
  readonly classCount: number;
  /** As the file carries them. */
  readonly classNames: readonly string[] | undefined;
  /** Raw pixels [N, C, H, W] as float32 → the model's scores, N × classCount. */
  predict(images: Tensor): Promise<Float32Array>;
  /** Scores as probabilities; those of a model that ends in a softmax are that already. */
  probabilities(scores: Float32Array): Float32Array;
  release(): Promise<void>;
}

/**
 * Opens a network as a classifier. Throws input errors with the file's name when it does not take one image and give
 * one score a class, or when ONNX Runtime cannot run it.
 */
export async function openClassifier(network: NetworkFile, options: ClassifierOptions = {}): Promise<Classifier> {
  try {
    return await open(network, options);
  } catch (error) {
    throw withPlace(error, { file: network.path });
  }
}

async function open({ model, bytes }: NetworkFile, options: ClassifierOptions): Promise<Classifier> {
  const { graph } = model;
  const input = imageInput(graph, options.imageShape);
  const output = graph.outputs[0];
  const [, classCount, ...further] = output?.type.shape ?? [];
  if (!output || typeof classCount !== "number" || further.length > 0 || output.type.elementType !== "float32") {
    throw inputError("not_a_classifier", "the model's first output is no score a class", {
      expected: "float32[batch,classes]",
      received: output ? `${output.name} ${printType(output.type)}` : "no output",
    });
  }
  const { threads, provider, pixelRange = [0, 255] } = options;
  const session = await openModel(bytes, { threads, provider });
  const convert = converter(input, pixelRange);
  const predictBatch = async (images: Float32Array, count: number): Promise<Float32Array> => {
    const dimensions = input.isChannelsFirst
      ? [count, ...input.imageShape]
      : [count, ...channelsLast(input.imageShape)];
    const tensor = tensorFromData(input.elementType, dimensions, convert(images, count));
    const results = await session.run({ [input.name]: tensor });
    return results[output.name]!.data as Float32Array;
  };
  return {
    imageShape: input.imageShape,
    classCount,
    classNames: classNamesOf(model),
    predict: ({ data, dimensions }) => inBatches(data as Float32Array, dimensions[0]!, input, classCount, predictBatch),
    probabilities: (scores) => (endsInSoftmax(graph) ? scores : softmaxOfRows(scores, classCount)),
    release: () => session.release(),
  };
}

interface ImageInput {
  readonly name: string;
  readonly elementType: "float32" | "uint8";
  /** Undefined when any number of images may be given at once. */
  readonly batchSize: number | undefined;
  readonly imageShape: ImageShape;
  readonly isChannelsFirst: boolean;
}

const imageTypes: readonly ElementType[] = ["float32", "uint8"];

function imageInput(graph: Graph, fallback: ImageShape | undefined): ImageInput {
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const [input] = inputs;
  const shape = input?.type.shape;
  if (inputs.length !== 1 || !input || shape?.length !== 4 || !imageTypes.includes(input.type.elementType)) {
    throw inputError("not_a_classifier", "the model does not take one image", {
      expected: "one input, float32 or uint8, [batch,channels,height,width] or [batch,height,width,channels]",
      received: inputs.map(({ name, type }) => `${name} ${printType(type)}`).join(", ") || "no input",
    });
  }
  const [batch, ...rest] = shape;
  const isChannels = (size: unknown): boolean => size === 1 || size === 3;
  const isChannelsFirst = isChannels(rest[0]) || !isChannels(rest[2]);
  const ordered = isChannelsFirst ? rest : [rest[2]!, rest[0]!, rest[1]!];
  const known = ordered.map((size, axis) => (typeof size === "number" ? size : fallback?.[axis]));
  if (known.some((size) => size === undefined)) {
    throw inputError("unknown_size", "the model leaves the size of its image open", {
      received: `${input.name} ${printType(input.type)}`,
      hint: "export it with fixed channels, height and width",
    });
  }
  return {
    name: input.name,
    elementType: input.type.elementType as ImageInput["elementType"],
    batchSize: typeof batch === "number" ? batch : undefined,
    imageShape: known as unknown as ImageShape,
    isChannelsFirst,
  };
}

/** Runs as many images at once as the model takes; the last batch of a fixed size is filled up. */
async function inBatches(
  images: Float32Array,
  count: number,
  { batchSize = count, imageShape }: ImageInput,
  classCount: number,
  predict: (images: Float32Array, count: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  if (batchSize === count) return predict(images, count);
  const size = imageShape.reduce((product, extent) => product * extent, 1);
  const scores = new Float32Array(count * classCount);
  for (let start = 0; start < count; start += batchSize) {
    const batch = new Float32Array(batchSize * size);
    batch.set(images.subarray(start * size, Math.min(count, start + batchSize) * size));
    const rows = await predict(batch, batchSize);
    scores.set(rows.subarray(0, (Math.min(count, start + batchSize) - start) * classCount), start * classCount);
  }
  return scores;
}

/** From raw pixels [N, C, H, W] to what the model takes. */
function converter(
  { imageShape, isChannelsFirst, elementType }: ImageInput,
  [low, high]: readonly [number, number],
): (images: Float32Array, count: number) => Float32Array | Uint8Array {
  const isRaw = low === 0 && high === 255;
  const [channels, height, width] = imageShape;
  const area = height * width;
  return (images, count) => {
    if (isRaw && isChannelsFirst && elementType === "float32") return images;
    const converted = elementType === "uint8" ? new Uint8Array(images.length) : new Float32Array(images.length);
    for (let image = 0; image < count; image++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let pixel = 0; pixel < area; pixel++) {
          const from = (image * channels + channel) * area + pixel;
          const value = images[from]!;
          const to = isChannelsFirst ? from : (image * area + pixel) * channels + channel;
          converted[to] = isRaw ? value : low + (value * (high - low)) / 255;
        }
      }
    }
    return converted;
  };
}

function channelsLast([channels, height, width]: ImageShape): [number, number, number] {
  return [height, width, channels];
}

function endsInSoftmax({ nodes, outputs }: Graph): boolean {
  const last = nodes.find((node) => node.outputs.includes(outputs[0]!.name));
  return last?.domain === "" && last.operator === "Softmax";
}

function softmaxOfRows(scores: Float32Array, classCount: number): Float32Array {
  const result = new Float32Array(scores.length);
  for (let start = 0; start < scores.length; start += classCount) {
    const row = scores.subarray(start, start + classCount);
    const largest = row.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
    const exponentials = row.map((score) => Math.exp(score - largest));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    for (let index = 0; index < classCount; index++) result[start + index] = exponentials[index]! / sum;
  }
  return result;
}
