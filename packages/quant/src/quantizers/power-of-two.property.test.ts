import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { quantizeToOwnScale } from "./power-of-two.js";
import { type CompiledFunction, compileFunction } from "./testing/compile.js";
import { distinct, drawnValues, expectClose } from "./testing/draws.js";

let runtime: Runtime;
let nearest: CompiledFunction;
let stochastic: CompiledFunction;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  nearest = await compileFunction(runtime, { x: [12], bits: [] }, (g, { x, bits }) =>
    quantizeToOwnScale(g, x!, { bits: bits! }),
  );
  stochastic = await compileFunction(runtime, { x: [12], bits: [], noise: [12] }, (g, { x, bits, noise }) =>
    quantizeToOwnScale(g, x!, { bits: bits!, noise }),
  );
});
afterAll(() => runtime.release());

const padded = (values: readonly number[]): number[] => [...values, ...Array(12 - values.length).fill(0)];

it("gives the golden errors of the specification at 8 bits, where the scale is a half", async () => {
  const { y } = await nearest.run({ x: padded([0.3, -0.7, 0.05]), bits: 8 });
  expectClose(y.slice(0, 3), [0.3007813, -0.4960938, 0.0507813], 1e-7);
});

it("is true to its bits: integers of b bits times a power of two, whatever the values' size", async () => {
  await fc.assert(
    fc.asyncProperty(
      drawnValues(12),
      fc.integer({ min: 2, max: 10 }),
      fc.integer({ min: -20, max: 20 }),
      async (x, bits, exponent) => {
        const half = 2 ** (bits - 1);
        const { y } = await nearest.run({ x, bits });
        const largest = Math.max(...x.map(Math.abs));
        if (largest === 0) return;
        const scale = 2 ** Math.round(Math.log2(largest));
        expect(distinct(y)).toBeLessThanOrEqual(2 ** bits - 1);
        y.forEach((value, index) => {
          const code = (value / scale) * half;
          expect(Number.isInteger(code)).toBe(true);
          expect(Math.abs(code)).toBeLessThan(half);
          const clipped = Math.max(-1 + 1 / half, Math.min(1 - 1 / half, x[index]! / scale));
          expect(Math.abs(code - clipped * half)).toBeLessThanOrEqual(0.5 + 1e-3);
        });
        // A power of two times the values is that power of two times the result.
        const scaled = await nearest.run({ x: x.map((value) => value * 2 ** exponent), bits });
        expect(scaled.y).toEqual(y.map((value) => value * 2 ** exponent));
      },
    ),
    { numRuns: 40 },
  );
});

it("rounds to a neighbour with noise, and leaves values at 17 bits and more", async () => {
  const x = padded([0.9, 0.101, -0.33]);
  const up = await stochastic.run({ x, bits: 4, noise: Array(12).fill(0.499) });
  const down = await stochastic.run({ x, bits: 4, noise: Array(12).fill(-0.499) });
  expectClose(up.y.slice(0, 3), [0.875, 0.125, -0.25], 1e-7);
  expectClose(down.y.slice(0, 3), [0.875, 0, -0.375], 1e-7);
  expect((await nearest.run({ x, bits: 32 })).y).toEqual(x.map(Math.fround));
});
