import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CompiledFunction, compileFunction } from "./testing/compile.js";
import { distinct, drawnValues, expectClose } from "./testing/draws.js";
import {
  quantizeWageubnActivation,
  quantizeWageubnError,
  quantizeWageubnFlaggedError,
  quantizeWageubnWeight,
  quantizeWageubnWeightGradient,
} from "./wageubn.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const errors = [0.3, -0.7, 0.05, 0.001];

it("gives the golden errors of the specification at 8 bits, where the scale is a half", async () => {
  const e1 = await compileFunction(runtime, { x: [4], bits: [] }, (g, { x, bits }) =>
    quantizeWageubnError(g, x!, { bits: bits! }),
  );
  const e2 = await compileFunction(runtime, { x: [4], bits: [] }, (g, { x, bits }) =>
    quantizeWageubnFlaggedError(g, x!, { bits: bits! }),
  );
  expectClose((await e1.run({ x: errors, bits: 8 })).y, [0.3007813, -0.5, 0.0507813, 0], 1e-7);
  expectClose((await e2.run({ x: errors, bits: 8 })).y, [0.3007813, -0.4960938, 0.0507813, 0.0010071], 1e-7);
  for (const quantizer of [e1, e2]) {
    expect((await quantizer.run({ x: errors, bits: 32 })).y).toEqual(errors.map(Math.fround));
    expect((await quantizer.run({ x: [0, 0, 0, 0], bits: 8 })).y.map((value) => value + 0)).toEqual([0, 0, 0, 0]);
  }
});

describe("fixed point", () => {
  let weight: CompiledFunction;
  let activation: CompiledFunction;
  beforeAll(async () => {
    weight = await compileFunction(runtime, { x: [12], bits: [] }, (g, { x, bits }) =>
      quantizeWageubnWeight(g, x!, { bits: bits! }),
    );
    activation = await compileFunction(runtime, { x: [12], bits: [] }, (g, { x, bits }) =>
      quantizeWageubnActivation(g, x!, { bits: bits! }),
    );
  });

  it("is on the grid, keeps zero and changes nothing the second time; weights are clipped, activations are not", async () => {
    await fc.assert(
      fc.asyncProperty(drawnValues(12, 3), fc.integer({ min: 2, max: 10 }), async (values, bits) => {
        const half = 2 ** (bits - 1);
        const x = [0, ...values.slice(1)];
        for (const [quantizer, limit] of [
          [weight, 1 - 1 / half],
          [activation, Number.POSITIVE_INFINITY],
        ] as const) {
          const { y, gradients } = await quantizer.run({ x, bits });
          expect(y[0]! + 0).toBe(0);
          y.forEach((value, index) => {
            expect(Number.isInteger(value * half)).toBe(true);
            expect(Math.abs(value)).toBeLessThanOrEqual(limit);
            if (Math.abs(x[index]!) < limit) expect(Math.abs(value - x[index]!)).toBeLessThanOrEqual(0.5 / half + 1e-6);
          });
          expect(gradients.x).toEqual(x.map(() => 1));
          expect((await quantizer.run({ x: y, bits })).y).toEqual(y);
        }
        expect(distinct((await weight.run({ x, bits })).y)).toBeLessThanOrEqual(2 ** bits - 1);
      }),
      { numRuns: 40 },
    );
  });
});

it("gives weight gradients at most 2K − 1 values, whatever their size", async () => {
  const quantizer = await compileFunction(runtime, { x: [12], levels: [], noise: [12] }, (g, { x, levels, noise }) =>
    quantizeWageubnWeightGradient(g, x!, { levels: levels!, noise: noise! }),
  );
  const noise = Array.from({ length: 12 }, (_, index) => (index - 5.5) / 12);
  await fc.assert(
    fc.asyncProperty(drawnValues(12), fc.constantFrom(2, 8, 32, 128), async (values, levels) => {
      const { y } = await quantizer.run({ x: values, levels, noise });
      for (const value of y) {
        expect(Number.isInteger(value * 2 ** 14)).toBe(true);
        expect(Math.abs(value) * 2 ** 14).toBeLessThanOrEqual(levels - 1);
      }
      const scaled = await quantizer.run({ x: values.map((value) => value * 64), levels, noise });
      expect(scaled.y).toEqual(y);
      y.forEach((value, index) => {
        if (value !== 0) expect(Math.sign(value)).toBe(Math.sign(values[index]!));
      });
    }),
    { numRuns: 40 },
  );
});
