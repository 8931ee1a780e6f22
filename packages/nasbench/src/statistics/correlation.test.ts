import fc from "fast-check";
import { expect, it } from "vitest";
import { kendallTau, pearsonR, spearmanRho } from "./correlation.js";

/** Kendall's τ-b by its definition. */
function plainTau(x: readonly number[], y: readonly number[]): number {
  let [difference, pairsX, pairsY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
      difference += a * b;
      pairsX += a * a;
      pairsY += b * b;
    }
  }
  return difference / Math.sqrt(pairsX) / Math.sqrt(pairsY);
}

const pairs = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })), {
  minLength: 2,
  maxLength: 60,
});

it("is Kendall's τ-b by its definition, ties included", () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const x = list.map(([first]) => first);
      const y = list.map(([, second]) => second);
      const [found, expected] = [kendallTau(x, y), plainTau(x, y)];
      if (Number.isNaN(expected)) expect(found).toBeNaN();
      else expect(found).toBeCloseTo(expected, 12);
    }),
  );
});

it("does not change under rising functions, but for Pearson's", () => {
  const x = [3, 1, 4, 1, 5, 9, 2, 6];
  const y = [2, 7, 1, 8, 2, 8, 1, 8];
  const risen = x.map((value) => Math.exp(value));
  expect(kendallTau(risen, y)).toBe(kendallTau(x, y));
  expect(spearmanRho(risen, y)).toBe(spearmanRho(x, y));
  expect(pearsonR(risen, y)).not.toBeCloseTo(pearsonR(x, y), 3);
});

it("leaves out pairs without a value and has no opinion on constants", () => {
  expect(kendallTau([1, 2, Number.NaN, 3], [2, 4, 0, 6])).toBe(1);
  expect(kendallTau([1, 1, 1], [1, 2, 3])).toBeNaN();
  expect(() => kendallTau([1, 2], [1])).toThrow("two lists of equal length: expected 2, received 1");
});
