import { roundHalfToEven, type Tensor, tensorNumbers } from "@dovetail/graph";
import { biasReserve, smallestRange } from "../quantizers/arithmetic.js";

/** Largest integer of a signed quantizer. */
export const signedLevelsOf = (bits: number): number => 2 ** (bits - 1) - 1;

/** Scale of an activation of this range, as a float32. */
export function activationScale(range: number, options: { readonly bits: number; readonly signed: boolean }): number {
  const levels = options.signed ? signedLevelsOf(options.bits) : 2 ** options.bits - 1;
  return Math.fround(Math.max(range, smallestRange) / levels);
}

/** The least range of an activation whose scale holds the weights of an add layer that reads it, as a float32. */
export function rangeForWeights(
  weight: Tensor,
  options: { readonly weightBits: number; readonly activationBits: number; readonly signed: boolean },
): number {
  const { weightBits, activationBits, signed } = options;
  const largest = tensorNumbers(weight).reduce((found, value) => Math.max(found, Math.abs(value)), smallestRange);
  const step = Math.fround(largest / signedLevelsOf(weightBits));
  return Math.fround(step * (signed ? signedLevelsOf(activationBits) : 2 ** activationBits - 1));
}

/** The channel along `axis` of each value of a tensor, as a function of the value's place. */
function channelOf(dimensions: readonly number[], axis: number): (index: number) => number {
  const inner = dimensions.slice(axis + 1).reduce((product, size) => product * size, 1);
  return (index) => Math.floor(index / inner) % dimensions[axis]!;
}

export interface WeightScaleOptions {
  readonly axis: number;
  readonly bits: number;
  /** The layer's bias and the range of its input, see `biasReserve`. */
  readonly bias?: { readonly value: Tensor; readonly inputRange: number } | undefined;
}

/** Scale of each output channel of a weight, as float32. */
export function weightScales(weight: Tensor, { axis, bits, bias }: WeightScaleOptions): Float32Array {
  const { dimensions } = weight;
  const channel = channelOf(dimensions, axis);
  const ranges = new Float32Array(dimensions[axis]!).fill(smallestRange);
  tensorNumbers(weight).forEach((value, index) => {
    ranges[channel(index)] = Math.max(ranges[channel(index)]!, Math.abs(value));
  });
  const inputRange = Math.fround(Math.max(bias?.inputRange ?? 0, smallestRange));
  const biases = bias && tensorNumbers(bias.value);
  return ranges.map((range, index) => {
    const smallest = biases ? Math.fround(Math.abs(biases[index]!) / inputRange) * biasReserve : 0;
    return Math.max(range, smallest) / signedLevelsOf(bits);
  });
}

/** round(v / scale) of each value, half to even as in ONNX, with one scale a channel. */
export function quantizeChannels(
  values: Tensor,
  scales: ArrayLike<number>,
  options: { readonly axis: number; readonly levels: number },
): Int32Array {
  const channel = channelOf(values.dimensions, options.axis);
  return Int32Array.from(tensorNumbers(values), (value, index) => {
    const rounded = roundHalfToEven(Math.fround(value / scales[channel(index)]!));
    return Math.min(Math.max(rounded, -options.levels), options.levels);
  });
}
