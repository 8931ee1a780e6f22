// Coefficients as four-bit codes: −7 … 7 a sign and an exponent, 0 an allowed zero, −8 an element that stays zero. One code
// up or down is one exponent up or down, through zero: an exponent below the smallest is zero, and from zero a step leads to
// the smallest magnitude of either sign.

import { type GraphBuilder, type Tensor, tensor, tensorFromData, type Value } from "@dovetail/graph";

/** What the codes stand for. */
export interface CodeRange {
  /** Exponent of the smallest magnitude, min_C = 2^minimumExponent; the largest is 2^(minimumExponent + 6). */
  readonly minimumExponent: number;
  /** Magnitudes below round to zero; from here on to min_C at least. */
  readonly zeroBelow: number;
}

/** Magnitudes of a code. */
export const magnitudeCount = 7;
export const forbiddenCode = -8;
/** Bits of a stored code: all sixteen are used. */
export const codeBits = 4;

/**
 * Magnitudes 2^−6 to 1: a basis has a power of two of its own, which places the range. Published: 4e-3 and min_C = 2^−7, the
 * smallest power of two above it, which is the same ratio of nearly ½: the nearest value.
 */
export const defaultCodeRange: CodeRange = { minimumExponent: -6, zeroBelow: 2 ** -7 };

/** What a code stands for; exact. */
export function valueOfCode(code: number, { minimumExponent }: CodeRange): number {
  if (code === 0 || code === forbiddenCode) return 0;
  return Math.sign(code) * 2 ** (minimumExponent + Math.abs(code) - 1);
}

/** The nearest code by value, the larger magnitude at the middle; larger magnitudes are clipped. */
export function codeOfValue(value: number, range: CodeRange): number {
  const magnitude = Math.abs(value);
  const steps = boundaries(range).filter((boundary) => magnitude >= boundary).length;
  return steps === 0 ? 0 : Math.sign(value) * steps;
}

/** Smallest magnitude of each code 1 … 7: 1.5 times the power of two below, but `zeroBelow` for the first. */
function boundaries({ minimumExponent, zeroBelow }: CodeRange): readonly number[] {
  return Array.from({ length: magnitudeCount }, (_, index) =>
    Math.fround(index === 0 ? zeroBelow : 1.5 * 2 ** (minimumExponent + index - 1)),
  );
}

/** Values of int8 codes, float32, exact. */
export function decode(g: GraphBuilder, codes: Value, range: CodeRange, name?: string): Value {
  const table = Array.from({ length: 2 * magnitudeCount + 2 }, (_, place) => valueOfCode(place + forbiddenCode, range));
  const place = g.cast(g.sub(g.cast(codes, "float32"), forbiddenCode), "int32");
  const values = g.constant(tensor("float32", [table.length], table));
  return g.op("Gather", [values, place], { axis: 0 }, name === undefined ? {} : { outputs: [name] });
}

/** Codes of values, as float32 integers. */
export function encode(g: GraphBuilder, values: Value, range: CodeRange): Value {
  const magnitude = g.abs(values);
  const steps = boundaries(range)
    .map((boundary) => g.cast(g.greaterOrEqual(magnitude, boundary), "float32"))
    .reduce((sum, step) => g.add(sum, step));
  return g.mul(g.sign(values), steps);
}

/** Codes of values, int8; forbidden where `allowed` says so. */
export function encodeTensor(
  values: ArrayLike<number>,
  shape: readonly number[],
  range: CodeRange,
  allowed: (index: number) => boolean = () => true,
): Tensor {
  const codes = Int8Array.from(values, (value, index) => (allowed(index) ? codeOfValue(value, range) : forbiddenCode));
  return tensorFromData("int8", shape, codes);
}
