import type { GraphBuilder, Value } from "@dovetail/graph";
import { clippedStraightThrough } from "./affine.js";
import { smallestRange, unsignedLevels } from "./arithmetic.js";
import { heldBits, unlessFullPrecision } from "./precision.js";

// DoReFa-Net (Zhou et al. 2016): q_k(r) = round(r · (2^k − 1)) / (2^k − 1) on [0, 1].

export interface DorefaWeightOptions {
  /** Rank 0: 1 … 16; everything else leaves the weight as it is. */
  readonly bits: Value;
  /**
   * `throughMaximum` differentiates through tanh and the maximum (the authors' code), `fixedMaximum` through tanh alone
   * (a common PyTorch version), `straightThrough` through neither (PACT's code).
   */
  readonly gradient?: "throughMaximum" | "fixedMaximum" | "straightThrough" | undefined;
  /** Multiplies by max|tanh w|, which keeps the weight's scale; not in the paper, where the result fills [−1, 1]. */
  readonly keepScale?: boolean | undefined;
}

/**
 * 2 · q_k(t/(2 · max|t|) + ½) − 1 with t = tanh(w), on [−1, 1] whatever w's scale; at 1 bit ± mean|w| by w's sign
 * (zero counts as positive), with the gradient passed straight through.
 */
export function quantizeDorefaWeight(g: GraphBuilder, weight: Value, options: DorefaWeightOptions): Value {
  const { bits, gradient = "throughMaximum" } = options;
  const several = (value: Value): Value => {
    const t = g.tanh(value);
    const maximum = g.max(g.op("ReduceMax", [g.abs(t)], { keepdims: 0 }), smallestRange);
    const divisor = gradient === "throughMaximum" ? maximum : g.stopGradient(maximum);
    const onUnit = g.add(g.div(t, g.mul(divisor, 2)), 0.5);
    const rounded = g.straightThrough(onUnit, (r) => roundOnUnit(g, r, bits));
    const quantized = g.sub(g.mul(rounded, 2), 1);
    return options.keepScale ? g.mul(quantized, divisor) : quantized;
  };
  const binary = (value: Value): Value => {
    const mean = g.op("ReduceMean", [g.abs(value)], { keepdims: 0 });
    return g.where(g.greaterOrEqual(value, 0), mean, g.neg(mean));
  };
  const multiBit = gradient === "straightThrough" ? g.straightThrough(weight, several) : several(weight);
  const quantized = g.where(g.less(bits, 2), g.straightThrough(weight, binary), multiBit);
  return unlessFullPrecision(g, bits, weight, quantized);
}

/** q_k(clip(x, 0, 1)); gradient 1 on [0, 1], 0 outside. `bits` as for weights; full precision still clips. */
export function quantizeDorefaActivation(g: GraphBuilder, x: Value, options: { readonly bits: Value }): Value {
  const range = { min: g.scalar(0), max: g.scalar(1) };
  return clippedStraightThrough(g, x, range, (value) => {
    const clipped = g.clip(value, 0, 1);
    return unlessFullPrecision(g, options.bits, clipped, roundOnUnit(g, clipped, options.bits));
  });
}

/**
 * Quantizes a gradient [samples, …], each sample by its own largest magnitude m:
 * 2m · (q_k(clip(d/(2m) + ½ + noise/(2^k − 1), 0, 1)) − ½). `noise`, of the gradient's shape and uniform in ±½, makes
 * the rounding stochastic; without it, to the nearest. A gradient of zeros stays zero.
 */
export function quantizeDorefaGradient(
  g: GraphBuilder,
  gradient: Value,
  options: { readonly bits: Value; readonly noise?: Value | undefined },
): Value {
  const axes = gradient.type.shape!.slice(1).map((_, axis) => axis + 1);
  const range = g.mul(g.op("ReduceMax", [g.abs(gradient), g.int64s(axes)], { keepdims: 1 }), 2);
  const onUnit = g.add(g.div(gradient, g.max(range, smallestRange)), 0.5);
  const levels = unsignedLevels(g, heldBits(g, options.bits, 1));
  const noisy = options.noise ? g.add(onUnit, g.div(options.noise, levels)) : onUnit;
  const rounded = roundOnUnit(g, g.clip(noisy, 0, 1), options.bits);
  return unlessFullPrecision(g, options.bits, gradient, g.mul(range, g.sub(rounded, 0.5)));
}

/** q_k. */
function roundOnUnit(g: GraphBuilder, r: Value, bits: Value): Value {
  const levels = unsignedLevels(g, heldBits(g, bits, 1));
  return g.div(g.round(g.mul(r, levels)), levels);
}
