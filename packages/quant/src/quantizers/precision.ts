import type { GraphBuilder, Value } from "@dovetail/graph";

// A bit-width is a rank-0 value of the graph. 0 and everything above 16 mean "not quantized": the published systems write
// 32 for full precision and go no higher than 16 otherwise, and up to there codes fit 16-bit integers.

export const widestBits = 16;

/** The bit-width held inside [narrowest, 16], so that formulas stay finite where the result is not used. */
export function heldBits(g: GraphBuilder, bits: Value, narrowest: number): Value {
  return g.clip(bits, narrowest, widestBits);
}

/** True at 1 … 16 bits. */
export function isQuantizing(g: GraphBuilder, bits: Value): Value {
  return g.and(g.greaterOrEqual(bits, 1), g.lessOrEqual(bits, widestBits));
}

/** `quantized` at 1 … 16 bits, else `value` itself; gradients follow the branch that is taken. */
export function unlessFullPrecision(g: GraphBuilder, bits: Value, value: Value, quantized: Value): Value {
  return g.where(isQuantizing(g, bits), quantized, value);
}

/** low ≤ x ≤ high, entry by entry. */
export function isWithin(g: GraphBuilder, x: Value, low: Value, high: Value): Value {
  return g.and(g.greaterOrEqual(x, low), g.lessOrEqual(x, high));
}
