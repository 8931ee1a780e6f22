import type { GraphBuilder, Value } from "@dovetail/graph";
import { heldBits, unlessFullPrecision } from "./precision.js";

// Fixed point whose unit follows the values: integers of b bits times Sh / 2^(b − 1), Sh a power of two.

/** Sh = 2^round(log₂ magnitude); for zero 2^−126. */
export function powerOfTwoScale(g: GraphBuilder, magnitude: Value): Value {
  return g.pow(2, g.round(g.div(g.log(g.max(magnitude, 2 ** -126)), Math.LN2)));
}

/** The largest magnitude of a tensor, rank 0. */
export function magnitudeOf(g: GraphBuilder, x: Value): Value {
  return g.op("ReduceMax", [g.abs(x)], { keepdims: 0 });
}

/** 2^(b − 1). */
export function halfRange(g: GraphBuilder, bits: Value): Value {
  return g.pow(2, g.sub(heldBits(g, bits, 2), 1));
}

export interface FixedPointOptions {
  /** Rank 0, from 2; 0, and 17 and more: not quantized. */
  readonly bits: Value;
  /** Sh, see `powerOfTwoScale`. */
  readonly scale: Value;
  /** Of the value's shape, uniform in ±½: rounds stochastically. */
  readonly noise?: Value | undefined;
}

/**
 * Sh · clip(round(x/Sh · 2^(b − 1)), ±(2^(b − 1) − 1)) / 2^(b − 1), half to even: as ShiftAddNet (NeurIPS 2020, its
 * WAGEUBN kind) quantizes errors; its weights and activations lack scale and clipping and so exceed b bits.
 */
export function quantizeFixedPoint(g: GraphBuilder, x: Value, { bits, scale, noise }: FixedPointOptions): Value {
  const half = halfRange(g, bits);
  const unit = g.div(scale, half);
  const limit = g.sub(half, 1);
  const ratio = g.div(x, unit);
  const rounded = g.round(noise ? g.add(ratio, noise) : ratio);
  return unlessFullPrecision(g, bits, x, g.mul(g.clip(rounded, g.neg(limit), limit), unit));
}

/** As `quantizeFixedPoint`, with the scale of the tensor itself: for gradients. */
export function quantizeToOwnScale(g: GraphBuilder, x: Value, options: Omit<FixedPointOptions, "scale">): Value {
  return quantizeFixedPoint(g, x, { ...options, scale: powerOfTwoScale(g, magnitudeOf(g, x)) });
}
