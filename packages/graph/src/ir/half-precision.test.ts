import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bfloat16Bits, float16Bits } from "./half-precision.js";
import { scalar, tensor } from "./tensor.js";

/** The number that a binary16 pattern stands for. */
function decoded(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15));
}

describe("half precision", () => {
  it("gives every finite binary16 number its own pattern back", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = decoded(bits);
      if (!Number.isNaN(value)) expect(float16Bits(value)).toBe(bits);
    }
    expect(float16Bits(Number.NaN)).toBe(0x7e00);
  });

  it("rounds to the nearest, ties to even", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7bfe }), fc.double({ min: 0, max: 1, noNaN: true }), (bits, share) => {
        const [low, high] = [decoded(bits), decoded(bits + 1)];
        const rounded = float16Bits(low + share * (high - low));
        if (share < 0.499) expect(rounded).toBe(bits);
        if (share > 0.501) expect(rounded).toBe(bits + 1);
        expect(float16Bits((low + high) / 2)).toBe(bits % 2 === 0 ? bits : bits + 1);
      }),
    );
    expect(float16Bits(65519)).toBe(0x7bff);
    expect(float16Bits(65520)).toBe(0x7c00);
    expect(float16Bits(-1e300)).toBe(0xfc00);
  });

  it("cuts float32 to bfloat16, ties to even", () => {
    expect([1, -2, 0, 1 + 2 ** -8, 1 + 3 * 2 ** -8, Number.POSITIVE_INFINITY].map(bfloat16Bits)).toEqual([
      0x3f80, 0xc000, 0, 0x3f80, 0x3f82, 0x7f80,
    ]);
    expect(bfloat16Bits(Number.NaN)).toBe(0x7fc0);
  });

  it("is what constants of these types hold", () => {
    expect(Array.from(tensor("float16", [2], [0.5, -2]).data as Uint16Array)).toEqual([0x3800, 0xc000]);
    expect(Array.from(scalar(1, "bfloat16").data as Uint16Array)).toEqual([0x3f80]);
  });
});
