import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parameterSpec } from "./builder.js";
import { fansOf, initializeParameter } from "./initialize.js";
import type { Initialization } from "./network.js";

const shapes = fc
  .tuple(fc.integer({ min: 8, max: 24 }), fc.integer({ min: 8, max: 24 }), fc.constantFrom(1, 3))
  .map(([outputs, inputs, kernel]) => [outputs, inputs, kernel, kernel]);

/** Deviation that each initialization promises. */
const deviations: Record<
  string,
  { initialization: Initialization; deviation: (fanIn: number, fanOut: number) => number }
> = {
  "kaiming normal, fan in": {
    initialization: { kind: "kaimingNormal", mode: "fanIn" },
    deviation: (fanIn) => Math.sqrt(2 / fanIn),
  },
  "kaiming normal, fan out": {
    initialization: { kind: "kaimingNormal", mode: "fanOut" },
    deviation: (_, fanOut) => Math.sqrt(2 / fanOut),
  },
  "PyTorch's default": {
    initialization: { kind: "kaimingUniform", negativeSlope: Math.sqrt(5) },
    deviation: (fanIn) => 1 / Math.sqrt(3 * fanIn),
  },
  "xavier normal": {
    initialization: { kind: "xavierNormal" },
    deviation: (fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)),
  },
  "xavier uniform": {
    initialization: { kind: "xavierUniform" },
    deviation: (fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)),
  },
};

it.each(Object.entries(deviations))("%s has mean 0 and its deviation", (_, { initialization, deviation }) => {
  fc.assert(
    fc.property(shapes, fc.nat(), (shape, seed) => {
      const spec = parameterSpec("weight", shape, { role: "weight", initialization });
      const values = initializeParameter(spec, createRandomStream(seed)).data as Float32Array;
      const { fanIn, fanOut } = fansOf(shape);
      const expected = deviation(fanIn, fanOut);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      // Bounds of five standard errors or more.
      expect(Math.abs(mean)).toBeLessThan((5.5 * expected) / Math.sqrt(values.length));
      expect(Math.abs(Math.sqrt(variance) / expected - 1)).toBeLessThan(5.5 / Math.sqrt(values.length));
    }),
    { numRuns: 50 },
  );
});

it("draws a parameter's values from its name's own stream, whatever else there is", () => {
  const initialization: Initialization = { kind: "uniform", bound: 1 };
  const spec = parameterSpec("a", [5], { role: "bias", initialization });
  const random = createRandomStream(3);
  const first = initializeParameter(spec, random);
  random.uniform();
  expect(initializeParameter(spec, random)).toEqual(first);
  expect(initializeParameter({ ...spec, name: "b" }, random).data).not.toEqual(first.data);
});
