import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PactOptions, quantizePact } from "./pact.js";
import { type CompiledFunction, compileFunction, exampleValues } from "./testing/compile.js";
import { ascending, distinct, drawnValues, expectClose } from "./testing/draws.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const compile = (count: number, alphaGradient: PactOptions["alphaGradient"]): Promise<CompiledFunction> =>
  compileFunction(
    runtime,
    { x: [count], alpha: [], bits: [] },
    (g, { x, alpha, bits }) => quantizePact(g, x!, alpha!, { bits: bits!, alphaGradient }),
    ["x", "alpha"],
  );
const alphas = fc.float({ min: 0.5, max: 50, noNaN: true });
const bitWidths = fc.integer({ min: 1, max: 8 });

it("gives the golden values of the specification at 3 bits", async () => {
  const pact = await compile(6, "clipped");
  const { y, gradients } = await pact.run({ x: exampleValues, alpha: 1.5, bits: 3 });
  expectClose(y, [0, 0, 0, 0.2142857, 0.8571429, 1.5]);
  expect(gradients).toEqual({ x: [0, 0, 1, 1, 1, 0], alpha: [1] });
});

describe.each(["clipped", "everywhere"] as const)("PACT with α's gradient %s", (alphaGradient) => {
  let pact: CompiledFunction;
  beforeAll(async () => {
    pact = await compile(12, alphaGradient);
  });

  it("gives at most 2^bits values from 0 to α, in order, and changes nothing the second time", async () => {
    await fc.assert(
      fc.asyncProperty(drawnValues(12), alphas, bitWidths, async (values, alpha, bits) => {
        const { y } = await pact.run({ x: ascending([0, ...values.slice(1)]), alpha, bits });
        expect(distinct(y)).toBeLessThanOrEqual(2 ** bits);
        expect(y).toEqual(ascending(y));
        expect(Math.min(...y) + 0).toBe(0);
        expect(Math.max(...y)).toBeLessThanOrEqual(alpha * (1 + 1e-6));
        const again = await pact.run({ x: y, alpha, bits });
        expectClose(again.y, y, 1e-5 * alpha);
      }),
      { numRuns: 60 },
    );
  });

  it("has the published gradients", async () => {
    await fc.assert(
      fc.asyncProperty(drawnValues(12), drawnValues(12, 3), alphas, bitWidths, async (x, upstream, alpha, bits) => {
        const { y, gradients } = await pact.run({ x, alpha, bits, upstream });
        expectClose(
          gradients.x!,
          upstream.map((d, i) => (x[i]! >= 0 && x[i]! <= alpha ? d : 0)),
          0,
        );
        const share = (value: number, index: number) => {
          if (value >= alpha) return 1;
          return alphaGradient === "everywhere" && value >= 0 ? (y[index]! - value) / alpha : 0;
        };
        const sum = upstream.reduce((total, d, index) => total + d * share(x[index]!, index), 0);
        expectClose(gradients.alpha!, [sum], 1e-4);
      }),
      { numRuns: 60 },
    );
  });

  it("clips without rounding at full precision", async () => {
    const x = [...exampleValues, ...exampleValues];
    const { y } = await pact.run({ x, alpha: 1.5, bits: 32 });
    expectClose(
      y,
      x.map((value) => Math.min(Math.max(value, 0), 1.5)),
    );
  });
});
