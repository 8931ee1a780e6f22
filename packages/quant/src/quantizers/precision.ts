import type { GraphBuilder, Value } from "@dovetail/graph";

// A bit-width is a rank-0 value of the graph. 0 and everything above 24 mean "not quantized": integers of more bits are
// not exact in float32, and the published systems write 32 for full precision.

/** Widest quantizer whose integers are exact in float32. */
export const widestBits = 24;

/** The bit-width held inside [narrowest, 24], so that formulas stay finite where the result is not used. */
export function heldBits(g: GraphBuilder, bits: Value, narrowest: number): Value {
  return g.clip(bits, narrowest, widestBits);
}

/** `quantized` at 1 … 24 bits, else `value` itself; gradients follow the branch that is taken. */
export function unlessFullPrecision(g: GraphBuilder, bits: Value, value: Value, quantized: Value): Value {
  const isQuantized = g.and(g.greaterOrEqual(bits, 1), g.lessOrEqual(bits, widestBits));
  return g.where(isQuantized, quantized, value);
}

/** low ≤ x ≤ high, entry by entry. */
export function isWithin(g: GraphBuilder, x: Value, low: Value, high: Value): Value {
  return g.and(g.greaterOrEqual(x, low), g.lessOrEqual(x, high));
}
