import { type GraphBuilder, tensor, type Value } from "@dovetail/graph";
import {
  basicBlock,
  convBatchNorm,
  globalAveragePool,
  linear,
  NetworkBuilder,
  pixels,
  preActivationBlock,
} from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { withBitWidths } from "./bit-widths.js";
import { quantizationPoints } from "./points.js";

function network(body: (n: NetworkBuilder, x: Value) => Value) {
  const n = new NetworkBuilder("small");
  const x = body(n, pixels(n, { height: 8, width: 8 }));
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 4 }));
}

/** Node that makes each stored activation, and whether it may be negative. */
const stored = (of: ReturnType<typeof network>) =>
  quantizationPoints(of).activations.map(({ value, signed }) => `${value.replace(/:out$/, "")} ${signed ? "±" : "+"}`);

describe("stored activations", () => {
  it("are what convolutions, sums and pools give after normalization and activation", () => {
    const residual = network((n, x) => {
      const stem = convBatchNorm(n, "stem", x, { channels: 4, kernel: 3 });
      return basicBlock(n, "block", stem, { channels: 4 });
    });
    expect(stored(residual)).toEqual([
      "preprocessing/Mul ±",
      "stem/Relu +",
      "block/first/Relu +",
      "block/second/bn/BatchNormalization ±",
      "block/Relu +",
      "GlobalAveragePool +",
    ]);
  });

  it("are a sum and its pre-activation too, where both are read", () => {
    const preActivated = network((n, x) => preActivationBlock(n, "block", x, { channels: 3 }));
    expect(stored(preActivated)).toEqual([
      "preprocessing/Mul ±",
      "block/Relu +",
      "block/Relu_1 +",
      "block/conv2/Conv ±",
      "block/Add ±",
      "GlobalAveragePool ±",
    ]);
  });

  it("are never negative when the image goes straight in", () => {
    const n = new NetworkBuilder("raw");
    const x = convBatchNorm(n, "stem", n.imageInput(3, 8, 8), { channels: 4, kernel: 3 });
    expect(stored(n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 4 })))[0]).toBe("image +");
  });

  it("pass through pooling of maxima, which adds no values", () => {
    const pooled = network((n, x) => n.g.maxPool(convBatchNorm(n, "stem", x, { channels: 4, kernel: 3 }), [2, 2]));
    expect(stored(pooled)).toEqual(["preprocessing/Mul ±", "stem/Relu +", "GlobalAveragePool +"]);
  });
});

describe("weights and biases", () => {
  it("have the axis of the output channels, by operator", () => {
    const transposed = (g: GraphBuilder, x: Value, weight: Value) => g.op("ConvTranspose", [x, weight], {});
    const of = network((n, x) => {
      const weight = n.parameter("up.weight", [3, 5, 2, 2], {
        role: "weight",
        initialization: { kind: "xavierNormal" },
      });
      const sum = transposed(n.g, x, weight);
      return n.g.mul(sum, n.g.constant(tensor("float32", [1, 5, 1, 1], [1, 2, 3, 4, 5])));
    });
    const { weights, biases } = quantizationPoints(of);
    expect(weights).toEqual([
      { value: "up.weight", axis: 1 },
      { value: "classifier.weight", axis: 0 },
    ]);
    expect(biases.map(({ value, input }) => [value, input.value])).toEqual([
      ["classifier.bias", "GlobalAveragePool:out"],
    ]);
  });
});

it("annotates weights, stored activations and what is computed on the way to them, and the logits in float32", () => {
  const of = network((n, x) => convBatchNorm(n, "stem", x, { channels: 4, kernel: 3 }));
  const graph = withBitWidths(of, { weightBits: 4, activationBits: 6 });
  const widths = Object.fromEntries([...graph.annotations].map(([name, { bitWidth }]) => [name, bitWidth]));
  expect(widths).toEqual({
    "preprocessing/Sub:out": 6,
    "preprocessing/Mul:out": 6,
    "stem.conv.weight": 4,
    "stem/conv/Conv:out": 6,
    "stem/bn/BatchNormalization:out": 6,
    "stem/Relu:out": 6,
    "GlobalAveragePool:out": 6,
    "Flatten:out": 6,
    "classifier.weight": 4,
    logits: 32,
  });
});
