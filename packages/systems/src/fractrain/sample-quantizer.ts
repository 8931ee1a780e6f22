// Affine quantization in which every sample has its own precision, and samples of one precision share a range: the sum
// Σ mask_k · Q_k(x) of FracTrain's one-convolution form, computed in one quantization instead of one for each choice.

import type { GraphBuilder, Value } from "@dovetail/graph";
import { tensor } from "@dovetail/graph";

/** Below this a step counts as this, as in @dovetail/quant's affine quantizer. */
const smallestStep = 1e-8;

/** Stands in a minimum or maximum where a sample has no say. Times 0 it is 0, unlike infinity. */
const farAway = 3e38;

const minMax = ["min", "max"] as const;
type End = (typeof minMax)[number];

/** A figure for either end of ranges. */
export type Ends = Readonly<Record<End, Value>>;

/** Smallest and largest value of each sample, [N, 1] each. */
function sampleEnds(g: GraphBuilder, x: Value): Ends {
  const axes = g.int64s(x.type.shape!.slice(1).map((_, index) => index + 1));
  const end = (operator: string): Value => g.unsqueeze(g.op(operator, [x, axes], { keepdims: 0 }), [1]);
  return { min: end("ReduceMin"), max: end("ReduceMax") };
}

/**
 * Values [N, P] whose minimum and maximum over the samples are the ranges of the P precisions, each from the samples that
 * have it (`mask` [N, P] is 1); of a precision that no sample has, from all.
 */
export function rangeCandidates(g: GraphBuilder, x: Value, mask: Value): Ends {
  const ends = sampleEnds(g, x);
  const isChosen = g.greater(mask, 0);
  const isUnused = g.equal(g.op("ReduceMax", [mask, g.int64s([0])], { keepdims: 1 }), 0);
  const counts = g.op("Or", [isChosen, isUnused]);
  return { min: g.where(counts, ends.min, farAway), max: g.where(counts, ends.max, -farAway) };
}

/** Ranges [P] of the precisions, each from the samples that have it. */
function rangesOf(g: GraphBuilder, x: Value, mask: Value): Ends {
  const candidates = rangeCandidates(g, x, mask);
  const axis = g.int64s([0]);
  return {
    min: g.op("ReduceMin", [candidates.min, axis], { keepdims: 0 }),
    max: g.op("ReduceMax", [candidates.max, axis], { keepdims: 0 }),
  };
}

/** Bit-widths of the P precisions that a mask [N, P] chooses between; samples without one become zero. */
export type Precisions = readonly number[];

const levelsOf = (bits: number): number => 2 ** bits - 1;

/** Step, its inverse and offset of each sample, in a shape that broadcasts over x; zero where a sample has no precision. */
function sampleGrid(g: GraphBuilder, x: Value, mask: Value, bits: Precisions, ranges: Ends) {
  const levels = g.constant(tensor("float32", [bits.length], bits.map(levelsOf)));
  const steps = g.max(g.div(g.sub(ranges.max, ranges.min), levels), smallestStep);
  const shape = [-1, ...x.type.shape!.slice(1).map(() => 1)];
  const perSample = (figures: Value): Value => g.reshape(g.matMul(mask, g.reshape(figures, [bits.length, 1])), shape);
  return {
    step: perSample(steps),
    inverse: perSample(g.reciprocal(steps)),
    min: perSample(ranges.min),
    levels: perSample(levels),
  };
}

/**
 * x [N, …] with each sample quantized at the precision that `mask` [N, P] gives it, between the ends of that precision,
 * [P] each; samples without one become zero. Straight-through to x; the gradient to mask[n, p] is that of
 * Σ mask[n, p] · Q_p(x[n]): ⟨gradient, Q_p(x[n])⟩, for the sample's precision and those that it did not get.
 */
export function quantizeBySample(g: GraphBuilder, x: Value, mask: Value, bits: Precisions, ranges: Ends): Value {
  return g.customGradient(
    [x, mask, ranges.min, ranges.max],
    () => {
      const { step, inverse, min, levels } = sampleGrid(g, x, mask, bits, ranges);
      const code = g.min(g.max(g.mul(g.sub(x, min), inverse), 0), levels);
      return [g.add(g.mul(g.round(code), step), min)];
    },
    ([gradient], context) => {
      if (!gradient) return [];
      const [value, , min, max] = context.inputs as readonly [Value, Value, Value, Value];
      return [gradient, productsWithAll(context.g, gradient, value, bits, { min, max })];
    },
  )[0]!;
}

/** ⟨gradient[n], Q_p(x[n])⟩ for all samples and precisions, [N, P]. */
function productsWithAll(g: GraphBuilder, gradient: Value, x: Value, bits: Precisions, { min, max }: Ends): Value {
  const gradientRows = g.unsqueeze(g.flatten(gradient), [1]);
  const sums = g.reduceSum(g.flatten(gradient), [1], { keepDims: true });
  const columns = bits.map((width, index) => {
    const end = (value: Value): Value => g.reshape(g.slice(value, [index], [index + 1], [0]), []);
    const [low, high] = [end(min), end(max)];
    const step = g.max(g.div(g.sub(high, low), levelsOf(width)), smallestStep);
    const code = g.round(g.mul(g.sub(g.clip(x, low, high), low), g.reciprocal(step)));
    const product = g.squeeze(g.matMul(gradientRows, g.unsqueeze(g.flatten(code), [2])), [2]);
    return g.add(g.mul(product, step), g.mul(sums, low));
  });
  return g.concat(columns, 1);
}

/**
 * A gradient [N, …] with each sample rounded at the precision that `mask` [N, P] gives it, stochastically with `noise`
 * uniform in ±½, between the ends of all samples of that precision; selected after quantizing, so that samples without a
 * precision get exactly zero.
 */
export function quantizeGradientBySample(
  g: GraphBuilder,
  gradient: Value,
  mask: Value,
  bits: Precisions,
  noise: Value | undefined,
): Value {
  const { step, inverse, min } = sampleGrid(g, gradient, mask, bits, rangesOf(g, gradient, mask));
  const code = g.mul(g.sub(gradient, min), inverse);
  return g.add(g.mul(g.round(noise ? g.add(code, noise) : code), step), min);
}
