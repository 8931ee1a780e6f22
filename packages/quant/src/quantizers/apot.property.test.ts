import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apotLevels, quantizeApotWeight } from "./apot.js";
import { type CompiledFunction, compileFunction } from "./testing/compile.js";
import { ascending, distinct, drawnValues, expectClose } from "./testing/draws.js";

describe("the levels", () => {
  it("are sums of powers of two over the largest sum", () => {
    expect(apotLevels(1)).toEqual([0, 1]);
    expect(apotLevels(2)).toEqual([0, 0.25, 0.5, 1]);
    // Terms {0, 1/2, 1/4, 1/16} and {0, 1/8}; the largest sum is 5/8.
    expectClose(
      apotLevels(3),
      [0, 0.0625, 0.125, 0.1875, 0.25, 0.375, 0.5, 0.625].map((value) => value / 0.625),
      1e-12,
    );
    expect(apotLevels(4).length).toBe(16);
    expect(distinct(apotLevels(4))).toBe(16);
    // Terms {0, 1/2, 1/8, 1/32} and {0, 1/4, 1/16, 1/64}.
    expect(apotLevels(4)[1]! / apotLevels(4)[15]!).toBeCloseTo(1 / 64 / 0.75, 12);
  });
});

describe("quantization of weights", () => {
  let runtime: Runtime;
  let quantizer: CompiledFunction;
  beforeAll(async () => {
    runtime = await createRuntime({ threads: 1 });
    quantizer = await compileFunction(
      runtime,
      { x: [12], alpha: [], bits: [] },
      (g, { x, alpha, bits }) => quantizeApotWeight(g, x!, alpha!, { bits: bits! }),
      ["x", "alpha"],
    );
  });
  afterAll(() => runtime.release());

  it("gives levels times α by sign, in the order of the weights; gradients follow the clipping", async () => {
    const settings = fc.record({ bits: fc.integer({ min: 2, max: 5 }), alpha: fc.constantFrom(0.5, 1, 3) });
    await fc.assert(
      fc.asyncProperty(drawnValues(12), settings, async (values, { bits, alpha }) => {
        fc.pre(new Set(values).size > 2);
        const x = ascending(values);
        const mean = x.reduce((sum, value) => sum + value, 0) / 12;
        const deviation = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 11);
        const ratios = x.map((value) => (value - mean) / deviation / alpha);
        const levels = apotLevels(bits - 1);
        const { y, gradients } = await quantizer.run({ x, alpha, bits });
        const codes = y.map((value) => value / alpha);
        expect(codes.every((code) => levels.some((level) => Math.abs(Math.abs(code) - level) < 1e-5))).toBe(true);
        expect(distinct(y)).toBeLessThanOrEqual(2 ** bits - 1);
        expect(y).toEqual(ascending(y));
        const isEdge = ratios.some((ratio) => Math.abs(Math.abs(ratio) - 1) < 1e-4);
        if (isEdge) return;
        expectClose(
          gradients.x!,
          ratios.map((ratio) => (Math.abs(ratio) <= 1 ? 1 / deviation : 0)),
          1e-4,
        );
        const slopes = ratios.map((ratio, index) => (Math.abs(ratio) > 1 ? Math.sign(ratio) : codes[index]! - ratio));
        expectClose(gradients.alpha!, [slopes.reduce((sum, slope) => sum + slope, 0)], 1e-3);
      }),
      { numRuns: 40 },
    );
  });

  it("takes the nearest level, and leaves the weight at full precision", async () => {
    const x = Array.from({ length: 12 }, (_, index) => index - 5.5);
    const deviation = Math.sqrt(x.reduce((sum, value) => sum + value ** 2, 0) / 11);
    const { y } = await quantizer.run({ x, alpha: 3, bits: 4 });
    const levels = apotLevels(3).flatMap((level) => [level, -level]);
    const nearest = x.map((value) => {
      const ratio = value / deviation / 3;
      return 3 * levels.reduce((best, level) => (Math.abs(level - ratio) < Math.abs(best - ratio) ? level : best));
    });
    expectClose(y, nearest, 1e-5);
    expect((await quantizer.run({ x, alpha: 3, bits: 32 })).y).toEqual(x);
  });
});
