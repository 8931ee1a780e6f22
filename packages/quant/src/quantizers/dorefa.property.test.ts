import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type DorefaWeightOptions,
  quantizeDorefaActivation,
  quantizeDorefaGradient,
  quantizeDorefaWeight,
} from "./dorefa.js";
import { type CompiledFunction, compileFunction, exampleValues } from "./testing/compile.js";
import { ascending, distinct, drawnValues, expectClose } from "./testing/draws.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const bitWidths = fc.integer({ min: 1, max: 8 });
const weights = (count: number, options: Omit<DorefaWeightOptions, "bits"> = {}): Promise<CompiledFunction> =>
  compileFunction(runtime, { x: [count], bits: [] }, (g, { x, bits }) =>
    quantizeDorefaWeight(g, x!, { ...options, bits: bits! }),
  );

describe("DoReFa weights", () => {
  it("are the specification's golden values at 3 bits, and ± the mean at 1", async () => {
    const quantizer = await weights(6);
    const three = await quantizer.run({ x: exampleValues, bits: 3 });
    expectClose(three.y, [-1, -0.4285714, 0.1428572, 0.1428572, 0.7142857, 1]);
    const one = await quantizer.run({ x: exampleValues, bits: 1 });
    const mean = exampleValues.reduce((sum, value) => sum + Math.abs(value), 0) / 6;
    expectClose(one.y, [-mean, -mean, mean, mean, mean, mean]);
    expect(one.gradients.x).toEqual([1, 1, 1, 1, 1, 1]);
    const full = await quantizer.run({ x: exampleValues, bits: 32 });
    expect(full.y).toEqual(exampleValues.map(Math.fround));
  });

  it("have at most 2^bits values, in order, and all of [−1, 1] unless the scale is kept", async () => {
    const [plain, kept] = [await weights(12), await weights(12, { keepScale: true })];
    await fc.assert(
      fc.asyncProperty(drawnValues(12, 2), fc.integer({ min: 2, max: 8 }), async (values, bits) => {
        fc.pre(values.some((value) => Math.abs(value) > 1e-3));
        const x = ascending(values);
        const { y } = await plain.run({ x, bits });
        expect(distinct(y)).toBeLessThanOrEqual(2 ** bits);
        expect(y).toEqual(ascending(y));
        expect(Math.max(...y.map(Math.abs))).toBeCloseTo(1, 6);
        const maximum = Math.tanh(Math.max(...x.map(Math.abs)));
        const scaled = await kept.run({ x, bits });
        expectClose(
          scaled.y,
          y.map((value) => value * maximum),
          1e-5,
        );
      }),
      { numRuns: 60 },
    );
  });

  it.each(["throughMaximum", "fixedMaximum", "straightThrough"] as const)("have the gradient %s", async (gradient) => {
    const quantizer = await weights(12, { gradient });
    await fc.assert(
      fc.asyncProperty(drawnValues(12, 2), drawnValues(12, 3), async (x, upstream) => {
        const t = x.map(Math.tanh);
        const magnitudes = t.map(Math.abs);
        const maximum = Math.max(...magnitudes);
        fc.pre(maximum > 0.05 && magnitudes.filter((value) => value > maximum - 1e-4).length === 1);
        const { gradients } = await quantizer.run({ x, bits: 4, upstream });
        const atMaximum = upstream.reduce((sum, d, index) => sum + d * t[index]!, 0) / maximum ** 2;
        const expected = upstream.map((d, index) => {
          if (gradient === "straightThrough") return d;
          const slope = 1 - t[index]! ** 2;
          const isMaximum = magnitudes[index] === maximum && gradient === "throughMaximum";
          return slope * (d / maximum - (isMaximum ? Math.sign(t[index]!) * atMaximum : 0));
        });
        expectClose(gradients.x!, expected, 1e-4 / maximum ** 2);
      }),
      { numRuns: 60 },
    );
  });
});

it("DoReFa activations have at most 2^bits values on [0, 1], keep zero and order, and pass gradients there alone", async () => {
  const quantizer = await compileFunction(runtime, { x: [12], bits: [] }, (g, { x, bits }) =>
    quantizeDorefaActivation(g, x!, { bits: bits! }),
  );
  await fc.assert(
    fc.asyncProperty(drawnValues(12, 2), drawnValues(12, 3), bitWidths, async (values, upstream, bits) => {
      const x = ascending([0, 1, ...values.slice(2)]);
      const { y, gradients } = await quantizer.run({ x, bits, upstream });
      expect(distinct(y)).toBeLessThanOrEqual(2 ** bits);
      expect(y).toEqual(ascending(y));
      expect([Math.min(...y) + 0, Math.max(...y)]).toEqual([0, 1]);
      expectClose((await quantizer.run({ x: y, bits })).y, y, 0);
      expectClose(
        gradients.x!,
        upstream.map((d, index) => (x[index]! >= 0 && x[index]! <= 1 ? d : 0)),
        0,
      );
    }),
    { numRuns: 60 },
  );
  const full = await quantizer.run({ x: [...exampleValues, ...exampleValues], bits: 32 });
  expectClose(full.y.slice(0, 6), [0, 0, 0, 0.26, 0.9, 1]);
});

describe("DoReFa gradients", () => {
  let quantizer: CompiledFunction;
  beforeAll(async () => {
    quantizer = await compileFunction(runtime, { x: [2, 3], bits: [], noise: [2, 3] }, (g, { x, bits, noise }) =>
      quantizeDorefaGradient(g, x!, { bits: bits!, noise: noise! }),
    );
  });
  const still = Array(6).fill(0);

  it("are the specification's golden values at 4 bits, a range a sample; zeros stay zero", async () => {
    const { y } = await quantizer.run({ x: [0.2, -0.5, 0.1, 0, 0, 0], bits: 4, noise: still });
    expectClose(y, [0.1666667, -0.5, 0.1, 0, 0, 0]);
  });

  it("have at most 2^bits values a sample, within half a step without noise and a step with it", async () => {
    const noises = fc.array(fc.double({ min: -0.5, max: 0.4999, noNaN: true }), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(drawnValues(6), noises, bitWidths, async (x, noise, bits) => {
        for (const [added, stepsOff] of [
          [still, 0.5],
          [noise, 1],
        ] as const) {
          const { y } = await quantizer.run({ x, bits, noise: added });
          for (const sample of [0, 3]) {
            const source = x.slice(sample, sample + 3);
            const step = (2 * Math.max(...source.map(Math.abs))) / (2 ** bits - 1);
            expect(distinct(y.slice(sample, sample + 3))).toBeLessThanOrEqual(2 ** bits);
            expectClose(y.slice(sample, sample + 3), source, stepsOff * step + 1e-4);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
