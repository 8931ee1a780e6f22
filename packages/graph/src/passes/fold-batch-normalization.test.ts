import { createRandomStream, type RandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import { float } from "../ir/attribute.js";
import type { Graph, Tensor, Value } from "../ir/graph.js";
import { tensor } from "../ir/tensor.js";
import { foldBatchNormalization } from "./fold-batch-normalization.js";

const operators = (graph: Graph): string[] => graph.nodes.map(({ operator }) => operator);
const epsilon = 1e-3;

const randomTensor = (random: RandomStream, dimensions: number[], offset = 0): Tensor =>
  tensor(
    "float32",
    dimensions,
    Array.from({ length: dimensions.reduce((a, b) => a * b, 1) }, () => random.uniform() - 0.5 + offset),
  );

/** Adds a normalization of `channels` channels in inference mode. */
function normalize(g: GraphBuilder, value: Value, channels: number, random: RandomStream): Value {
  const parameter = (name: string, offset: number) => g.constant(randomTensor(random, [channels], offset), name);
  const parameters = [parameter("gamma", 1), parameter("beta", 0), parameter("mean", 0), parameter("variance", 1)];
  return g.op("BatchNormalization", [value, ...parameters], { epsilon: float(epsilon) });
}

/** y[k] = scale[k]·x[k] + shift[k] of a normalization, from its definition. */
function affine(graph: Graph, channel: number): (value: number) => number {
  const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(
    (name) => (graph.initializers.get(name)!.data as Float32Array)[channel]!,
  ) as [number, number, number, number];
  return (value) => (gamma * (value - mean)) / Math.sqrt(variance + epsilon) + beta;
}

/** Data of a node's input, from the graph's constants. */
const inputData = (graph: Graph, operator: string, index: number): Float32Array => {
  const node = graph.nodes.find((candidate) => candidate.operator === operator)!;
  return graph.initializers.get(node.inputs[index]!)!.data as Float32Array;
};

const image = [0.3, -0.7, 1.1, 0.2, -0.4, 0.9];

/** 1×1 convolution of one pixel with groups: y[k] = Σ w[k,c]·x[group·C/g + c] + b[k]. */
function pointwise(weight: Float32Array, bias: Float32Array | undefined, outputs: number, group: number): number[] {
  const inputsPerGroup = image.length / group;
  return Array.from({ length: outputs }, (_, k) => {
    const first = Math.floor(k / (outputs / group)) * inputsPerGroup;
    let sum = bias?.[k] ?? 0;
    for (let c = 0; c < inputsPerGroup; c++) sum += weight[k * inputsPerGroup + c]! * image[first + c]!;
    return sum;
  });
}

/** Transposed 1×1 convolution of one pixel with groups: y[group·K/g + j] = Σ over the group's c of w[c,j]·x[c]. */
function pointwiseTransposed(
  weight: Float32Array,
  bias: Float32Array | undefined,
  outputs: number,
  group: number,
): number[] {
  const perGroup = outputs / group;
  const result = Array.from({ length: outputs }, (_, k) => bias?.[k] ?? 0);
  image.forEach((value, c) => {
    const first = Math.floor(c / (image.length / group)) * perGroup;
    for (let j = 0; j < perGroup; j++) result[first + j]! += weight[c * perGroup + j]! * value;
  });
  return result;
}

function expectClose(received: number[], expected: number[]): void {
  received.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 5);
  });
}

describe("foldBatchNormalization", () => {
  it.each([
    ["Conv", 1, true],
    ["Conv", 2, false],
    ["Conv", 6, true],
    ["ConvTranspose", 1, false],
    ["ConvTranspose", 2, true],
    ["ConvTranspose", 3, true],
  ] as const)("folds into a %s of %i groups, bias %s, with the same result", (operator, group, hasBias) => {
    const random = createRandomStream(group);
    const outputs = 6;
    const g = new GraphBuilder("fold");
    const x = g.input("x", "float32", [1, 6, 1, 1]);
    const shape = operator === "Conv" ? [outputs, 6 / group, 1, 1] : [6, outputs / group, 1, 1];
    const weight = g.constant(randomTensor(random, shape), "weight");
    const bias = hasBias ? g.constant(randomTensor(random, [outputs]), "bias") : undefined;
    g.output(normalize(g, g.op(operator, [x, weight, bias], { group }), outputs, random), "y");
    const before = g.build();
    const after = foldBatchNormalization(before);
    expect(operators(after)).toEqual([operator]);
    expect(after.nodes[0]!.outputs).toEqual(["y"]);
    expect(after.initializers.size).toBe(2);
    const compute = operator === "Conv" ? pointwise : pointwiseTransposed;
    const original = compute(inputData(before, operator, 1), bias && inputData(before, operator, 2), outputs, group);
    const folded = compute(inputData(after, operator, 1), inputData(after, operator, 2), outputs, group);
    expectClose(
      folded,
      original.map((value, channel) => affine(before, channel)(value)),
    );
  });

  it.each([
    [0, true],
    [1, true],
    [1, false],
  ] as const)("folds into a Gemm with transB %i, bias %s, alpha and beta", (transB, hasBias) => {
    const random = createRandomStream(transB);
    const g = new GraphBuilder("fold");
    const x = g.input("x", "float32", [1, 6]);
    const weight = g.constant(randomTensor(random, transB ? [3, 6] : [6, 3]), "weight");
    const bias = hasBias ? g.constant(randomTensor(random, [3]), "bias") : undefined;
    const attributes = { transB, alpha: float(0.5), beta: float(2) };
    g.output(normalize(g, g.op("Gemm", [x, weight, bias], attributes), 3, random), "y");
    const before = g.build();
    const after = foldBatchNormalization(before);
    expect(operators(after)).toEqual(["Gemm"]);
    expect(after.nodes[0]!.attributes.beta).toBeUndefined();
    const compute = (graph: Graph, factor: number): number[] => {
      const w = inputData(graph, "Gemm", 1);
      const b = graph.nodes[0]!.inputs[2] ? inputData(graph, "Gemm", 2) : new Float32Array(3);
      return [0, 1, 2].map((k) => {
        const sum = image.reduce((total, value, c) => total + value * w[transB ? k * 6 + c : c * 3 + k]!, 0);
        return 0.5 * sum + factor * b[k]!;
      });
    };
    expectClose(
      compute(after, 1),
      compute(before, 2).map((value, channel) => affine(before, channel)(value)),
    );
  });

  it("keeps the name and annotation of a weight, but gives one that others read a new name", () => {
    const random = createRandomStream(1);
    const g = new GraphBuilder("shared");
    const x = g.input("x", "float32", [1, 6, 1, 1]);
    const own = g.constant(randomTensor(random, [6, 6, 1, 1]), "own");
    g.annotate(own, { bitWidth: 8 });
    const normalized = normalize(g, g.conv(x, own), 6, random);
    g.output(normalized, "y");
    const alone = foldBatchNormalization(g.build());
    expect(alone.nodes[0]!.inputs[1]).toBe("own");
    expect(alone.annotations.get("own")).toEqual({ bitWidth: 8 });
    g.output(g.conv(x, own), "z");
    const shared = foldBatchNormalization(g.build());
    expect(operators(shared)).toEqual(["Conv", "Conv"]);
    expect(shared.nodes.map(({ inputs }) => inputs[1])).toEqual(["Conv:weight", "own"]);
    expect(shared.initializers.get("own")).toEqual(g.build().initializers.get("own"));
  });

  it("leaves alone what must not, or cannot, be folded", () => {
    const random = createRandomStream(1);
    const build = (
      change: (g: GraphBuilder, convolved: Value, weight: Value) => void,
      weightIsInput = false,
    ): Graph => {
      const g = new GraphBuilder("left");
      const x = g.input("x", "float32", [1, 6, 1, 1]);
      const weight = weightIsInput
        ? g.input("weight", "float32", [6, 6, 1, 1])
        : g.constant(randomTensor(random, [6, 6, 1, 1]), "weight");
      const convolved = g.conv(x, weight);
      change(g, convolved, weight);
      return g.build();
    };
    const plain = (g: GraphBuilder, convolved: Value): void => g.output(normalize(g, convolved, 6, random), "y");
    expect(operators(foldBatchNormalization(build(plain)))).toEqual(["Conv"]);
    const kept = [
      build(plain, true),
      build((g, convolved) => {
        plain(g, convolved);
        g.output(g.relu(convolved), "also");
      }),
      build((g, convolved, weight) => {
        g.annotate(weight, { powerOfTwo: true });
        plain(g, convolved);
      }),
      build((g, convolved) => {
        const [y] = g.customGradient(
          [convolved],
          ([value]) => [normalize(g, value!, 6, random)],
          (gradients) => gradients,
        );
        g.output(y!, "y");
      }),
    ];
    for (const graph of kept) expect(foldBatchNormalization(graph)).toEqual(graph);
  });
});
