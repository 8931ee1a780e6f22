import { GraphBuilder, scalar, tensor, tensorNumbers, withGradients } from "@dovetail/graph";
import { createRuntime, type Runtime, type Segment } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantizeActivation, quantizeWeight } from "./arithmetic.js";

const numbers = (minimum: number) =>
  fc.array(fc.float({ min: Math.fround(-100), max: Math.fround(100), noNaN: true }), {
    minLength: Math.max(minimum, 12),
    maxLength: 12,
  });
const bitWidths = fc.integer({ min: 2, max: 10 });

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const distinct = (values: readonly number[]) => new Set(values.map((value) => value + 0)).size;

/** Quantizes 12 values: as a weight of 3 channels, or as an activation. */
async function quantizer(kind: "weight" | "signed" | "unsigned"): Promise<Segment> {
  const g = new GraphBuilder(kind);
  const x = g.input("x", "float32", [3, 4]);
  const bits = g.input("bits", "float32", []);
  const range = g.input("range", "float32", []);
  const y =
    kind === "weight"
      ? quantizeWeight(g, x, { bits, axis: 0 })
      : quantizeActivation(g, x, { bits, range, signed: kind === "signed" });
  g.output(y, "y");
  return runtime.compile(withGradients(g.build(), { loss: "y", withRespectTo: ["x"] }));
}

async function run(segment: Segment, values: readonly number[], bits: number, range = 10) {
  const outputs = await segment.run({
    x: tensor("float32", [3, 4], values),
    bits: scalar(bits),
    range: scalar(range),
  });
  return { y: tensorNumbers(outputs.y!), gradient: tensorNumbers(outputs["gradient/x"]!) };
}

describe.each(["weight", "signed", "unsigned"] as const)("a %s quantizer", (kind) => {
  let segment: Segment;
  beforeAll(async () => {
    segment = await quantizer(kind);
  });

  const channels = (values: readonly number[]) =>
    kind === "weight" ? [0, 4, 8].map((start) => values.slice(start, start + 4)) : [values];

  it("gives at most 2^bits values a scale, keeps zero, and changes nothing the second time", async () => {
    await fc.assert(
      fc.asyncProperty(numbers(12), bitWidths, async (drawn, bits) => {
        const values = [0, ...drawn.slice(1)];
        const { y } = await run(segment, values, bits);
        for (const channel of channels(y)) expect(distinct(channel)).toBeLessThanOrEqual(2 ** bits);
        expect(y[0]! + 0).toBe(0);
        const again = await run(segment, y, bits);
        again.y.forEach((value, index) => {
          expect(Math.abs(value - y[index]!)).toBeLessThanOrEqual(1e-5 * Math.abs(y[index]!));
        });
      }),
      { numRuns: 60 },
    );
  });

  it("is monotonic, and no further off than half a step inside its range", async () => {
    await fc.assert(
      fc.asyncProperty(numbers(12), bitWidths, async (drawn, bits) => {
        const values = channels(drawn).flatMap((channel) => channel.toSorted((a, b) => a - b));
        const { y } = await run(segment, values, bits);
        channels(y).forEach((channel, index) => {
          const source = channels(values)[index]!;
          expect(channel).toEqual(channel.toSorted((a, b) => a - b));
          const range = kind === "weight" ? Math.max(...source.map(Math.abs)) : 10;
          const step = range / (kind === "unsigned" ? 2 ** bits - 1 : 2 ** (bits - 1) - 1);
          channel.forEach((value, position) => {
            const original = source[position]!;
            if (Math.abs(original) > range || (kind === "unsigned" && original < 0)) return;
            expect(Math.abs(value - original)).toBeLessThanOrEqual(step * 0.5001 + 1e-18);
          });
        });
      }),
      { numRuns: 60 },
    );
  });

  it("passes gradients straight through, except where it clips", async () => {
    await fc.assert(
      fc.asyncProperty(numbers(12), bitWidths, async (values, bits) => {
        const { gradient } = await run(segment, values, bits);
        const step = 10 / (2 ** (bits - 1) - 1);
        values.forEach((value, index) => {
          if (Math.abs(value - 10) < 1e-4 || Math.abs(value + 10 + step) < 1e-4) return;
          const low = kind === "unsigned" ? 0 : -10 - step;
          const isInside = kind === "weight" || (value >= low && value <= 10);
          expect(gradient[index]).toBe(isInside ? 1 : 0);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("changes nothing but rounding errors at 25 bits and more", async () => {
    const values = [0.1, -0.7, 3, -9.5, 2, 8, -1, 0.25, 1e-3, 4, 5, -6];
    const { y } = await run(segment, values, 32);
    y.forEach((value, index) => {
      const expected = kind === "unsigned" ? Math.max(values[index]!, 0) : values[index]!;
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-6 * 10);
    });
  });
});
