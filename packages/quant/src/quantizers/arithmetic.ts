import type { GraphBuilder, Value } from "@dovetail/graph";

// Symmetric uniform quantization: v̂ = s · round(v / s), zero is exact. The bit-width is a value of the graph, so that
// one compiled graph serves all precisions.

/** Below this a range counts as this: a scale must not be zero. */
export const smallestRange = 2 ** -60;

/**
 * A weight's range counts as at least this share of |bias| / input range, so that with 8 bits each the bias, in units of
 * both scales, is at most 127 · 255 · 2^15 and fits a 32-bit accumulator even in a channel whose weights have vanished.
 */
export const biasReserve = 2 ** -15;

/** Largest integer of a signed quantizer: 2^(bits − 1) − 1; the smallest is its negative. `bits` is rank 0, at least 2. */
export function signedLevels(g: GraphBuilder, bits: Value): Value {
  return g.sub(g.pow(2, g.sub(bits, 1)), 1);
}

/** Largest integer of an unsigned quantizer: 2^bits − 1. */
export function unsignedLevels(g: GraphBuilder, bits: Value): Value {
  return g.sub(g.pow(2, bits), 1);
}

/** What the scale of a weight depends on. `bits` is rank 0. */
export interface WeightScaleOptions {
  readonly bits: Value;
  /** Axis of the output channels; without it, one scale for the tensor. */
  readonly axis?: number | undefined;
  /** The layer's bias [channels] and the range of its input (rank 0), see `biasReserve`. */
  readonly bias?: { readonly value: Value; readonly inputRange: Value } | undefined;
}

/** The scale of each output channel (or of the tensor), max|w| / (2^(bits − 1) − 1), in a shape that broadcasts over the weight. */
export function weightScale(g: GraphBuilder, weight: Value, options: WeightScaleOptions): Value {
  const shape = weight.type.shape!;
  const axes = shape.flatMap((_, axis) => (axis === options.axis ? [] : [axis]));
  let range = g.max(g.op("ReduceMax", [g.abs(weight), g.int64s(axes)], { keepdims: 1 }), smallestRange);
  if (options.bias) {
    const inputRange = g.max(options.bias.inputRange, smallestRange);
    const smallest = g.mul(g.div(g.abs(options.bias.value), inputRange), biasReserve);
    const broadcast = shape.map((_, axis) => (axis === options.axis ? -1 : 1));
    range = g.max(range, g.reshape(smallest, broadcast));
  }
  return g.div(range, signedLevels(g, options.bits));
}

/** scale · round(v / scale). The gradient passes straight through (Bengio et al. 2013). */
export function roundToScale(g: GraphBuilder, value: Value, scale: Value): Value {
  return g.straightThrough(value, (v) => g.mul(g.round(g.div(v, scale)), scale));
}

/** Quantizes a weight with one scale a channel, or one for all. No value lies outside the range, so none is clipped. */
export function quantizeWeight(g: GraphBuilder, weight: Value, options: WeightScaleOptions): Value {
  return roundToScale(g, weight, weightScale(g, weight, options));
}

/** Scale of an activation: range / largest integer. */
export function activationScale(
  g: GraphBuilder,
  options: { readonly bits: Value; readonly range: Value; readonly signed: boolean },
): Value {
  const levels = options.signed ? signedLevels(g, options.bits) : unsignedLevels(g, options.bits);
  return g.div(g.max(options.range, smallestRange), levels);
}

/**
 * Quantizes an activation with one scale, range / largest integer. Unsigned: integers 0 … 2^bits − 1; signed:
 * −2^(bits − 1) … 2^(bits − 1) − 1. Values beyond are clipped and get no gradient; inside it passes straight through.
 */
export function quantizeActivation(
  g: GraphBuilder,
  activation: Value,
  options: { readonly bits: Value; readonly range: Value; readonly signed: boolean },
): Value {
  return g.customGradient(
    [activation, options.range, options.bits],
    ([x, range, bits]) => {
      const { low, high, scale } = grid(g, range!, bits!, options.signed);
      return [g.mul(g.round(g.div(g.clip(x!, low, high), scale)), scale)];
    },
    ([gradient], context) => {
      const [x, range, bits] = context.inputs as readonly [Value, Value, Value];
      const { low, high } = grid(context.g, range, bits, options.signed);
      const inside = context.g.and(context.g.lessOrEqual(x, high), context.g.greaterOrEqual(x, low));
      return [gradient && context.g.where(inside, gradient, 0), undefined, undefined];
    },
  )[0]!;
}

/** Ends and step of an activation quantizer. */
function grid(
  g: GraphBuilder,
  range: Value,
  bits: Value,
  signed: boolean,
): { readonly low: Value; readonly high: Value; readonly scale: Value } {
  const high = g.max(range, smallestRange);
  const scale = activationScale(g, { bits, range, signed });
  return { low: signed ? g.neg(g.add(high, scale)) : g.scalar(0), high, scale };
}
