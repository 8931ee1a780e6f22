import type { GraphBuilder, Value } from "@dovetail/graph";
import { halfRange, magnitudeOf, powerOfTwoScale } from "./power-of-two.js";
import { unlessFullPrecision } from "./precision.js";

// WAGEUBN (Yang et al. 2020): fixed-point numbers, scaled by powers of two where they are errors. The
// published bits b are 8.

/** Q(x, b) = round(x · 2^(b − 1)) / 2^(b − 1). */
function fixedPoint(g: GraphBuilder, x: Value, bits: Value): Value {
  const scale = halfRange(g, bits);
  return g.div(g.round(g.mul(x, scale)), scale);
}

/** clip(Q(w, b), ±(1 − 2^(1 − b))); the gradient passes straight through. Bits from 2; 17 and more leave it. */
export function quantizeWageubnWeight(g: GraphBuilder, weight: Value, options: { readonly bits: Value }): Value {
  const { bits } = options;
  return g.straightThrough(weight, (w) => {
    const limit = g.sub(1, g.reciprocal(halfRange(g, bits)));
    return unlessFullPrecision(g, bits, w, g.clip(fixedPoint(g, w, bits), g.neg(limit), limit));
  });
}

/** Q(x, b), not clipped; the gradient passes straight through. */
export function quantizeWageubnActivation(g: GraphBuilder, x: Value, options: { readonly bits: Value }): Value {
  return g.straightThrough(x, (value) =>
    unlessFullPrecision(g, options.bits, value, fixedPoint(g, value, options.bits)),
  );
}

/** E₁, for errors at activations: Sh · clip(Q(e/Sh, b), ±1). */
export function quantizeWageubnError(g: GraphBuilder, error: Value, options: { readonly bits: Value }): Value {
  const scale = powerOfTwoScale(g, magnitudeOf(g, error));
  const quantized = g.mul(scale, g.clip(fixedPoint(g, g.div(error, scale), options.bits), -1, 1));
  return unlessFullPrecision(g, options.bits, error, quantized);
}

/**
 * E₂, for errors at the outputs of convolutions, with two scales that a flag tells apart: r = e · 2^(b − 1)/Sh is rounded
 * and clipped to ±(2^(b − 1) − 1) where |r| ≥ 1, and becomes Q(r, b) below; times Sh/2^(b − 1).
 */
export function quantizeWageubnFlaggedError(g: GraphBuilder, error: Value, options: { readonly bits: Value }): Value {
  const half = halfRange(g, options.bits);
  const unit = g.div(powerOfTwoScale(g, magnitudeOf(g, error)), half);
  const ratio = g.div(error, unit);
  const limit = g.sub(half, 1);
  const large = g.clip(g.round(ratio), g.neg(limit), limit);
  const small = fixedPoint(g, ratio, options.bits);
  const quantized = g.mul(g.where(g.greaterOrEqual(g.abs(ratio), 1), large, small), unit);
  return unlessFullPrecision(g, options.bits, error, quantized);
}

/**
 * A weight's gradient as sign(g) · round(|g|/Sh · K + noise), clipped to ±(K − 1), over 2¹⁴ (which is 15-bit fixed point).
 * Sh is not multiplied back: the update depends on the gradient's direction and on K, not on its size. `levels` is K,
 * rank 0 (128 at first, then 32, 8 and 2); `noise`, of the weight's shape and uniform in ±½, makes it stochastic.
 */
export function quantizeWageubnWeightGradient(
  g: GraphBuilder,
  gradient: Value,
  options: { readonly levels: Value; readonly noise?: Value | undefined },
): Value {
  const { levels, noise } = options;
  const magnitude = g.mul(g.div(g.abs(gradient), powerOfTwoScale(g, magnitudeOf(g, gradient))), levels);
  const rounded = g.round(noise ? g.add(magnitude, noise) : magnitude);
  const clipped = g.clip(rounded, 0, g.sub(levels, 1));
  return g.div(g.mul(g.sign(gradient), clipped), 2 ** 14);
}
