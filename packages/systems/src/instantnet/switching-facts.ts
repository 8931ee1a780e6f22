// Facts about a trained switchable network that the paper's argument rests on (seeds-hardware.md §4.5, checks 3 and 5).
import { scalar, type Tensor, tensorFromData } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { layersOf, type SwitchableNetwork } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import { createPredictor, evaluatePredictor, type ImageDataset } from "@dovetail/train";

interface FactsOptions {
  readonly runtime: Runtime;
  readonly switchable: SwitchableNetwork;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly dataset: ImageDataset;
}

const factImages = 100;

function someImages(dataset: ImageDataset): Tensor {
  const size = dataset.imageShape.reduce((product, length) => product * length, 1);
  const count = Math.min(factImages, dataset.parts.test.count);
  return tensorFromData(
    "float32",
    [count, ...dataset.imageShape],
    Float32Array.from(dataset.images("test").subarray(0, count * size)),
  );
}

/**
 * Mean squared error of rounding at 4, 5, 6, 7 and 8 bits, in the input of a layer in the middle of the network (in full
 * precision, over its own smallest and largest value): by how much it grows a bit removed, from 8 to 4 bits.
 */
export async function noiseGrowth(
  { runtime, switchable, weights, dataset }: FactsOptions,
  base: Network,
): Promise<{ readonly layer: string; readonly errors: readonly number[]; readonly perBit: number }> {
  const layers = layersOf(base).filter(({ role }) => role === "inner");
  const layer = layers[Math.floor(layers.length / 2)]!;
  const { network, setting, bitWidths } = switchable;
  const type = network.graph.types.get(layer.input)!;
  const state = runtime.createState(new Map([...weights].filter(([name]) => network.graph.types.has(name))));
  const segment = await runtime.compile({ ...network.graph, outputs: [{ name: layer.input, type }] }, { state });
  const highest = Object.entries(setting(Math.max(...bitWidths))).map(
    ([name, value]) => [name, scalar(value)] as const,
  );
  const outputs = await segment.run({ ...Object.fromEntries(highest), [network.image]: someImages(dataset) });
  await segment.release();
  const values = outputs[layer.input]!.data as Float32Array;
  const errors = [4, 5, 6, 7, 8].map((bits) => roundingError(values, bits));
  return { layer: layer.name, errors, perBit: (errors[0]! / errors.at(-1)!) ** 0.25 };
}

function roundingError(values: Float32Array, bits: number): number {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const step = (max - min) / (2 ** bits - 1);
  let sum = 0;
  for (const value of values) sum += (Math.round((value - min) / step) * step + min - value) ** 2;
  return sum / values.length;
}

/** MSE between the logits of two precisions, over some test images. */
export async function logitDistance(options: FactsOptions, first: number, second: number): Promise<number> {
  const { runtime, switchable, weights, dataset } = options;
  const { network, setting } = switchable;
  let scalars = setting(first);
  const predictor = await createPredictor({ runtime, network, weights, scalars: () => scalars });
  const images = someImages(dataset);
  const own = await predictor.predict(images);
  scalars = setting(second);
  const other = await predictor.predict(images);
  await predictor.release();
  return own.reduce((sum, value, index) => sum + (value - other[index]!) ** 2, 0) / own.length;
}

/** Accuracy at a precision when its activation ranges are those that one shared range would have been left at. */
export async function accuracyWithSharedRanges(options: FactsOptions, bits: number): Promise<number> {
  const { runtime, switchable, dataset } = options;
  const { network, setting } = switchable;
  const weights = withSharedRanges(switchable, options.weights);
  const predictor = await createPredictor({ runtime, network, weights, scalars: setting(bits) });
  const { accuracyFraction } = await evaluatePredictor(predictor, { dataset, part: "test" });
  await predictor.release();
  return accuracyFraction;
}

/**
 * A range that all precisions share and that each pass moves by 0.9, highest precision first, as in the public code, is
 * left at 0.9 · lowest + 0.09 · next + …: the ranges of all precisions are replaced by this mixture of them.
 */
function withSharedRanges(
  { network, bitWidths }: SwitchableNetwork,
  weights: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const order = bitWidths.map((bits, row) => ({ bits, row })).sort((a, b) => a.bits - b.bits);
  const ranges = network.parameters.filter(({ role, row }) => role === "activationRange" && row !== undefined);
  const changed = new Map(weights);
  for (const { name, shape } of ranges) {
    const values = weights.get(name)!.data as Float32Array;
    const size = values.length / bitWidths.length;
    const mixture = new Float32Array(size);
    order.forEach(({ row }, place) => {
      const share = place === order.length - 1 ? 0.1 ** place : 0.9 * 0.1 ** place;
      for (let index = 0; index < size; index++) mixture[index]! += share * values[row * size + index]!;
    });
    const shared = new Float32Array(values.length);
    for (let row = 0; row < bitWidths.length; row++) shared.set(mixture, row * size);
    changed.set(name, tensorFromData("float32", shape, shared));
  }
  return changed;
}
