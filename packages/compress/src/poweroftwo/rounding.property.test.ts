import fc from "fast-check";
import { expect, it } from "vitest";
import { nearestExponentByLogarithm, nearestExponentByValue } from "./rounding.js";

it("switches by value at 1.5·2^k, by logarithm at 2^(k+½)", () => {
  expect([0.7, 0.75, 0.749, 1, 1.5, 1.49, 3].map(nearestExponentByValue)).toEqual([-1, 0, -1, 0, 1, 0, 2]);
  // DeepShift-Q: .7, .72, .3, .36 → .5, 1, .25, .5
  expect([0.7, 0.72, 0.3, 0.36, 1.4, 1.42].map(nearestExponentByLogarithm)).toEqual([-1, 0, -2, -1, 0, 1]);
});

it("is exact for powers of two, and nearest by its own measure", () => {
  fc.assert(
    fc.property(fc.integer({ min: -60, max: 60 }), fc.double({ min: 1, max: 2, noNaN: true }), (exponent, part) => {
      expect(nearestExponentByValue(2 ** exponent)).toBe(exponent);
      expect(nearestExponentByLogarithm(2 ** exponent)).toBe(exponent);
      const magnitude = part * 2 ** exponent;
      const distances = (found: number, distance: (k: number) => number) =>
        [found - 1, found + 1].every((other) => distance(found) <= distance(other));
      expect(distances(nearestExponentByValue(magnitude), (k) => Math.abs(2 ** k - magnitude))).toBe(true);
      expect(distances(nearestExponentByLogarithm(magnitude), (k) => Math.abs(k - Math.log2(magnitude)))).toBe(true);
    }),
  );
});
