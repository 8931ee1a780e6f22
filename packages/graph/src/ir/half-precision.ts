// 16-bit floating-point patterns from numbers, rounded to the nearest, ties to even.

import { roundHalfToEven } from "./rounding.js";

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** The IEEE binary16 pattern of a number; beyond ±65504 (rounded) infinity. */
export function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // Below 2⁻¹⁴ steps are 2⁻²⁴ apart: the rounded count of steps is the pattern, also where it reaches the first normal one.
  if (magnitude < 2 ** -14) return sign | roundHalfToEven(magnitude * 2 ** 24);
  const exponent = Math.min(exponentOf(magnitude), 16);
  const mantissa = exponent === 16 ? 0 : roundHalfToEven((magnitude / 2 ** exponent - 1) * 1024);
  // A mantissa that rounds up to 1024 carries into the exponent, up to infinity.
  return sign | Math.min(((exponent + 15) << 10) + mantissa, 0x7c00);
}

/** The bfloat16 pattern of a number: the upper half of its float32 pattern. */
export function bfloat16Bits(value: number): number {
  float32[0] = value;
  const bits = bits32[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  const isOdd = (bits >>> 16) & 1;
  return ((bits + 0x7fff + isOdd) >>> 16) & 0xffff;
}

/** ⌊log₂⌋ of a positive number of ordinary size. */
function exponentOf(magnitude: number): number {
  const exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) return exponent - 1;
  return 2 ** (exponent + 1) <= magnitude ? exponent + 1 : exponent;
}
