import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AffineOptions, quantizeAffine } from "./affine.js";
import { quantizeWeight } from "./arithmetic.js";
import { meanSampleMinMax, minMaxOf } from "./ranges.js";
import { type CompiledFunction, compileFunction, exampleValues } from "./testing/compile.js";
import { ascending, distinct, drawnValues } from "./testing/draws.js";

const drawn = drawnValues(12);
const bitWidths = fc.integer({ min: 1, max: 10 });
const rows = (values: readonly number[]) => [0, 4, 8].map((start) => values.slice(start, start + 4));

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

/** Quantizes [3, 4] between its own smallest and largest value. */
const compile = (axis: number | undefined, options: Partial<AffineOptions> = {}): Promise<CompiledFunction> =>
  compileFunction(runtime, { x: [3, 4], bits: [] }, (g, { x, bits }) =>
    quantizeAffine(g, x!, { bits: bits!, ...minMaxOf(g, x!, { axis }), ...options }),
  );

describe.each([
  ["a tensor", undefined],
  ["a channel", 0],
] as const)("affine quantization with one range for %s", (_, axis) => {
  let plain: CompiledFunction;
  let throughZero: CompiledFunction;
  beforeAll(async () => {
    plain = await compile(axis);
    throughZero = await compile(axis, { exactZero: true });
  });
  const groups = (values: readonly number[]) => (axis === undefined ? [values] : rows(values));

  it("gives at most 2^bits values, reproduces both ends, and is off by half a step at most", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, bitWidths, async (values, bits) => {
        const { y } = await plain.run({ x: values, bits });
        groups(y).forEach((group, index) => {
          const source = groups(values)[index]!;
          const [min, max] = [Math.min(...source), Math.max(...source)];
          const tolerance = 1e-5 * Math.max(Math.abs(min), Math.abs(max)) + 1e-7;
          expect(distinct(group)).toBeLessThanOrEqual(2 ** bits);
          expect(Math.abs(Math.min(...group) - min)).toBeLessThanOrEqual(tolerance);
          expect(Math.abs(Math.max(...group) - max)).toBeLessThanOrEqual(tolerance);
          group.forEach((value, place) => {
            const halfStep = (max - min) / (2 ** bits - 1) / 2;
            expect(Math.abs(value - source[place]!)).toBeLessThanOrEqual(halfStep + tolerance);
          });
        });
      }),
      { numRuns: 60 },
    );
  });

  it("is monotonic, and changes nothing the second time", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, bitWidths, async (values, bits) => {
        const sorted = groups(values).flatMap(ascending);
        const { y } = await plain.run({ x: sorted, bits });
        for (const group of groups(y)) expect(group).toEqual(ascending(group));
        const again = await plain.run({ x: y, bits });
        again.y.forEach((value, index) => {
          expect(Math.abs(value - y[index]!)).toBeLessThanOrEqual(1e-5 * Math.max(...y.map(Math.abs)) + 1e-7);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("keeps zero exactly where that is asked for", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, bitWidths, async (values, bits) => {
        const { y } = await throughZero.run({ x: [0, ...values.slice(1)], bits });
        expect(Math.abs(y[0]!)).toBe(0);
        for (const group of groups(y)) expect(distinct(group)).toBeLessThanOrEqual(2 ** bits);
      }),
      { numRuns: 60 },
    );
  });

  it("leaves the tensor alone at 0 bits, and at 17 and more", async () => {
    for (const bits of [0, 17, 32]) {
      const values = [...exampleValues, ...exampleValues];
      const { y, gradients } = await plain.run({ x: values, bits });
      expect(y).toEqual(values.map(Math.fround));
      expect(gradients.x).toEqual(values.map(() => 1));
    }
  });

  it("reproduces a constant tensor", async () => {
    const { y } = await plain.run({ x: Array(12).fill(0.3), bits: 4 });
    expect(y).toEqual(Array(12).fill(Math.fround(0.3)));
  });
});

describe("gradients of affine quantization", () => {
  it.each(["straightThrough", "clipped"] as const)("%s", async (gradient) => {
    const quantizer = await compileFunction(runtime, { x: [12], bits: [], min: [], max: [] }, (g, inputs) =>
      quantizeAffine(g, inputs.x!, { bits: inputs.bits!, min: inputs.min!, max: inputs.max!, gradient }),
    );
    await fc.assert(
      fc.asyncProperty(drawn, drawn, bitWidths, async (values, upstream, bits) => {
        const { gradients } = await quantizer.run({ x: values, bits, min: -20, max: 30, upstream });
        const passes = (value: number) => gradient === "straightThrough" || (value >= -20 && value <= 30);
        expect(gradients.x!.map((v) => v + 0)).toEqual(
          upstream.map((value, index) => (passes(values[index]!) ? value + 0 : 0)),
        );
      }),
      { numRuns: 60 },
    );
  });
});

it("symmetric weights with one scale for the tensor share their grid", async () => {
  const quantizer = await compileFunction(runtime, { x: [3, 4], bits: [] }, (g, { x, bits }) =>
    quantizeWeight(g, x!, { bits: bits! }),
  );
  await fc.assert(
    fc.asyncProperty(drawn, fc.integer({ min: 2, max: 10 }), async (values, bits) => {
      const { y } = await quantizer.run({ x: [0, ...values.slice(1)], bits });
      const step = Math.max(...values.slice(1).map(Math.abs)) / (2 ** (bits - 1) - 1);
      expect(Math.abs(y[0]!)).toBe(0);
      expect(distinct(y)).toBeLessThanOrEqual(2 ** bits - 1);
      for (const value of y) {
        const code = step === 0 ? 0 : value / step;
        expect(Math.abs(code - Math.round(code))).toBeLessThan(1e-3);
      }
    }),
    { numRuns: 60 },
  );
});

it("gives the golden codes and values of the specification at 3 bits", async () => {
  const quantizer = await compileFunction(runtime, { x: [6], bits: [] }, (g, { x, bits }) =>
    quantizeAffine(g, x!, { bits: bits!, ...minMaxOf(g, x!) }),
  );
  const { y } = await quantizer.run({ x: exampleValues, bits: 3 });
  const expected = [-1.3, -0.3285714, 0.1571429, 0.1571429, 1.1285714, 2.1];
  y.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 6);
  });
  expect(y.map((value) => Math.round((value + 1.3) / (3.4 / 7)))).toEqual([0, 2, 3, 3, 5, 7]);
});

it("the original SBM's range is the mean over samples of each one's ends", async () => {
  const ends = await compileFunction(runtime, { x: [2, 3] }, (g, { x }) => {
    const { min, max } = meanSampleMinMax(g, x!);
    return g.concat([g.unsqueeze(min, [0]), g.unsqueeze(max, [0])], 0);
  });
  const { y } = await ends.run({ x: exampleValues });
  expect(y[0]).toBeCloseTo((-1.3 + 0.26) / 2, 6);
  expect(y[1]).toBeCloseTo((0 + 2.1) / 2, 6);
});
