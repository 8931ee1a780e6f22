import type { Tensor } from "@dovetail/graph";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRuntime, type Runtime } from "../index.js";
import { type Layer, type NetworkDescription, randomNetwork } from "./testing/random-network.js";

let blocked: Runtime;
let plain: Runtime;
beforeAll(async () => {
  blocked = await createRuntime({ threads: 1 });
  plain = await createRuntime({ threads: 1, layout: "plain" });
});
afterAll(async () => {
  await blocked.release();
  await plain.release();
});

const channels = fc.constantFrom(16, 32, 24, 48, 3, 8, 12, 20, 33);
const size = fc.integer({ min: 1, max: 3 });
const layer: fc.Arbitrary<Layer> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("conv" as const),
      outputs: channels,
      kernel: fc.tuple(size, size),
      stride: fc.integer({ min: 1, max: 3 }),
      pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
      dilation: fc.integer({ min: 1, max: 2 }),
      bias: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("depthwise" as const),
      kernel: fc.constantFrom(1, 3, 5),
      stride: fc.integer({ min: 1, max: 2 }),
      pad: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("grouped" as const),
      outputs: fc.constantFrom(32, 64),
      group: fc.constantFrom(2, 4),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("norm", "relu", "relu6", "inferenceNorm", "square", "maxPool", "averagePool", "sigmoid"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("residual" as const), back: fc.integer({ min: 1, max: 5 }) }) },
);
const network: fc.Arbitrary<NetworkDescription> = fc.record({
  // Images become channels in the gradient to the weights: more than a block of them, and no whole blocks, too.
  batch: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 2, max: 9 }) }, fc.constantFrom(16, 18, 20, 32)),
  channels,
  height: fc.integer({ min: 4, max: 9 }),
  width: fc.integer({ min: 4, max: 9 }),
  layers: fc.array(layer, { minLength: 1, maxLength: 7 }),
});

const largest = (values: Iterable<number>): number => {
  let result = 0;
  for (const value of values) result = Math.max(result, Math.abs(value));
  return result;
};
const numbers = (tensor: Tensor): Float32Array => tensor.data as Float32Array;

it("gives the forward results and all gradients of the plain graph", async () => {
  await fc.assert(
    fc.asyncProperty(network, fc.nat(1e6), async (description, seed) => {
      const { graph, feeds } = randomNetwork(description, seed);
      const [fast, slow] = await Promise.all([blocked.compile(graph), plain.compile(graph)]);
      const [actual, expected] = [await fast.run(feeds), await slow.run(feeds)];
      await Promise.all([fast.release(), slow.release()]);
      // Gradients that cancel to zero (a bias before batch normalization) are rounding errors of the others.
      const overall = largest(Object.values(expected).map((tensor) => largest(numbers(tensor))));
      for (const [name, reference] of Object.entries(expected)) {
        const result = numbers(actual[name]!);
        const difference = largest(numbers(reference).map((value, index) => value - result[index]!));
        expect(difference, name).toBeLessThanOrEqual(1e-3 * largest(numbers(reference)) + 1e-4 * overall);
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 60) },
  );
});
