import { GraphBuilder } from "@dovetail/graph";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initialLsqStep, type LsqOptions, quantizeLsq } from "./lsq.js";
import { type CompiledFunction, compileFunction, exampleValues } from "./testing/compile.js";
import { ascending, distinct, drawnValues, expectClose } from "./testing/draws.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const compile = (shape: readonly number[], options: Omit<LsqOptions, "bits">): Promise<CompiledFunction> =>
  compileFunction(
    runtime,
    { x: shape, step: options.axis === undefined ? [] : [shape[options.axis]!], bits: [] },
    (g, { x, step, bits }) => quantizeLsq(g, x!, step!, { ...options, bits: bits! }),
    ["x", "step"],
  );

const steps = fc.float({ min: Math.fround(0.05), max: 20, noNaN: true });

it("gives the golden values and gradients of the specification at 3 bits", async () => {
  const lsq = await compile([6], { kind: "weight", signed: true });
  const { y, gradients } = await lsq.run({ x: exampleValues, step: 0.3, bits: 3 });
  expectClose(y, [-1.2, -0.3, 0, 0.3, 0.9, 0.9]);
  expect(gradients.x).toEqual([0, 1, 1, 1, 1, 0]);
  expectClose(gradients.step!, [-0.1257078]);
});

describe.each([
  ["signed", { signed: true }, (bits: number): readonly [number, number] => [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]],
  [
    "symmetric",
    { signed: true, symmetric: true },
    (bits: number): readonly [number, number] => [1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1],
  ],
  ["unsigned", { signed: false }, (bits: number): readonly [number, number] => [0, 2 ** bits - 1]],
] as const)("LSQ, %s", (_, signs, codesAt) => {
  let lsq: CompiledFunction;
  beforeAll(async () => {
    lsq = await compile([12], { kind: "weight", ...signs });
  });
  const bitWidths = fc.integer({ min: 2, max: 8 });

  it("stays on its codes, keeps zero and order, and changes nothing the second time", async () => {
    await fc.assert(
      fc.asyncProperty(drawnValues(12), steps, bitWidths, async (values, step, bits) => {
        const { y } = await lsq.run({ x: ascending([0, ...values.slice(1)]), step, bits });
        const [lowest, highest] = codesAt(bits);
        expect(distinct(y)).toBeLessThanOrEqual(highest - lowest + 1);
        for (const value of y) {
          const code = Math.round(value / step);
          expect(Math.abs(value - code * step)).toBeLessThan(1e-4 * step * (1 + Math.abs(code)));
          expect(code).toBeGreaterThanOrEqual(lowest);
          expect(code).toBeLessThanOrEqual(highest);
        }
        expect(y).toEqual(ascending(y));
        expect(y.some((value) => value + 0 === 0)).toBe(true);
        const again = await lsq.run({ x: y, step, bits });
        expect(again.y).toEqual(y);
      }),
      { numRuns: 60 },
    );
  });

  it("has the gradients of the paper", async () => {
    await fc.assert(
      fc.asyncProperty(drawnValues(12), drawnValues(12, 3), steps, bitWidths, async (values, upstream, step, bits) => {
        const [lowest, highest] = codesAt(bits);
        const ratios = values.map((value) => value / step);
        const isNear = (ratio: number, edge: number) => Math.abs(ratio - edge) < 1e-3;
        const isNearTie = (ratio: number) =>
          isNear(Math.abs(ratio % 1), 0.5) || isNear(ratio, highest) || (lowest !== 0 && isNear(ratio, lowest));
        fc.pre(!ratios.some(isNearTie));
        const { gradients } = await lsq.run({ x: values, step, bits, upstream });
        const isInside = (ratio: number) => ratio >= lowest && ratio <= highest;
        expectClose(
          gradients.x!,
          upstream.map((value, index) => (isInside(ratios[index]!) ? value : 0)),
          0,
        );
        const slope = (ratio: number) =>
          isInside(ratio) ? Math.round(ratio) - ratio : ratio < lowest ? lowest : highest;
        const terms = upstream.map((value, index) => value * slope(ratios[index]!));
        const scale = 1 / Math.sqrt(12 * highest);
        const magnitude = terms.reduce((sum, term) => sum + Math.abs(term), 1);
        const sum = terms.reduce((a, b) => a + b, 0);
        expectClose(gradients.step!, [sum * scale], 1e-4 * magnitude * scale);
      }),
      { numRuns: 60 },
    );
  });

  it("leaves the tensor alone at full precision, with no gradient to the step", async () => {
    for (const bits of [0, 32]) {
      const x = [...exampleValues, ...exampleValues];
      const { y, gradients } = await lsq.run({ x, step: 0.3, bits });
      expect(y).toEqual(x.map(Math.fround));
      expect(gradients).toEqual({ x: x.map(() => 1), step: [0] });
    }
  });
});

it("has a step a channel, whose gradient counts the channel's values", async () => {
  const channels = await compile([2, 6], { kind: "weight", signed: true, axis: 0 });
  const { y, gradients } = await channels.run({ x: [...exampleValues, ...exampleValues], step: [0.3, 1], bits: 3 });
  expectClose(y.slice(0, 6), [-1.2, -0.3, 0, 0.3, 0.9, 0.9]);
  expectClose(y.slice(6), [-1, 0, 0, 0, 1, 2]);
  const second = (0.3 + 0.4 - 0.26 + 0.1 - 0.1) / Math.sqrt(18);
  expectClose(gradients.step!, [-0.1257078, second]);
});

it("counts an activation's values in one sample", async () => {
  const batch = await compile([2, 6], { kind: "activation", signed: true });
  const { gradients } = await batch.run({ x: [...exampleValues, ...exampleValues], step: 0.3, bits: 3 });
  expectClose(gradients.step!, [2 * -0.1257078]);
  const g = new GraphBuilder("unknown");
  const bits = g.input("bits", "float32", []);
  const image = g.input("x", "float32", ["batch", 3, "height", 4]);
  expect(() => quantizeLsq(g, image, g.scalar(1), { bits, kind: "activation", signed: false })).toThrow(
    /must be known/,
  );
});

it("starts from 2 · mean|v| / √Q_P", async () => {
  const start = await compileFunction(runtime, { x: [2, 3], bits: [] }, (g, { x, bits }) =>
    initialLsqStep(g, x!, { bits: bits!, signed: true, axis: 0 }),
  );
  const { y } = await start.run({ x: exampleValues, bits: 3 });
  expectClose(y, [(2 * 1.7) / 3 / Math.sqrt(3), (2 * 3.26) / 3 / Math.sqrt(3)]);
});
