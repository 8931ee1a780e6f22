import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adamStep, createCategorical, drawGumbel, drawTop, entropyFraction, probabilities } from "./categorical.js";
import { proxyHardGradient, proxyHardStep } from "./proxy-hard.js";

const logits = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 2, maxLength: 9 });

describe("categorical choices", () => {
  it("have probabilities that add up to one, and an entropy between none and its maximum", () => {
    fc.assert(
      fc.property(logits, fc.double({ min: 0.1, max: 5, noNaN: true }), (values, temperature) => {
        const p = probabilities(values, temperature);
        expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 10);
        expect(entropyFraction(values)).toBeGreaterThanOrEqual(0);
        expect(entropyFraction(values)).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
    expect(entropyFraction([0, 0, 0])).toBeCloseTo(1, 12);
  });

  it("are drawn in proportion to their softmax (the Gumbel-max trick)", () => {
    const values = [0, 1, -1];
    const expected = probabilities(values);
    const random = createRandomStream(3);
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 20_000; draw++) counts[drawGumbel(values, 1, random).index]!++;
    for (const [index, count] of counts.entries()) expect(count / 20_000).toBeCloseTo(expected[index]!, 1);
  });

  it("draws distinct options, the likelier ones first more often", () => {
    const random = createRandomStream(4);
    let firstWins = 0;
    for (let draw = 0; draw < 2000; draw++) {
      const [first, second] = drawTop([3, 0, 0, 0], 2, 1, random);
      expect(first).not.toBe(second);
      if (first === 0) firstWins++;
    }
    expect(firstWins / 2000).toBeCloseTo(probabilities([3, 0, 0, 0])[0]!, 1);
  });

  it("Adam's first step moves every logit by the learning rate against its gradient", () => {
    const choice = createCategorical(3);
    adamStep(choice, [2, -0.5, 0], { learningRate: 0.1 });
    expect(choice.logits[0]).toBeCloseTo(-0.1, 6);
    expect(choice.logits[1]).toBeCloseTo(0.1, 6);
    expect(choice.logits[2]).toBeCloseTo(0, 6);
  });
});

describe("proxy-hard sampling", () => {
  it("gives the gradient of the two-way softmax mixture (finite differences)", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true })),
        fc.tuple(fc.double({ min: -2, max: 2, noNaN: true }), fc.double({ min: -2, max: 2, noNaN: true })),
        (pair, products) => {
          const value = (a: number, b: number): number => {
            const [p1, p2] = probabilities([a, b]) as [number, number];
            return p1 * products[0] + p2 * products[1];
          };
          const h = 1e-5;
          const gradient = proxyHardGradient(pair, products);
          expect(gradient[0]).toBeCloseTo((value(pair[0] + h, pair[1]) - value(pair[0] - h, pair[1])) / (2 * h), 6);
          expect(gradient[1]).toBeCloseTo((value(pair[0], pair[1] + h) - value(pair[0], pair[1] - h)) / (2 * h), 6);
        },
      ),
    );
  });

  it("leaves the probability of inactive operators alone", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 9 }), (values) => {
        const choice = { ...createCategorical(values.length), logits: [...values] };
        const before = probabilities(values);
        proxyHardStep(choice, [0, 2], [0.7, -0.7], { learningRate: 0.3 });
        const after = probabilities(choice.logits);
        before.forEach((p, index) => {
          if (index !== 0 && index !== 2) expect(after[index]).toBeCloseTo(p, 6);
        });
        expect(after[0]! < before[0]!).toBe(true);
      }),
    );
  });
});
