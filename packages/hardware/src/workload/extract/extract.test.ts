import { elementTypes, float, GraphBuilder, shapeTable, tensor, type Value } from "@dovetail/graph";
import { describe, expect, test } from "vitest";
import { convolutionProblem, matmulProblem } from "../layers.js";
import { dataSpaceWords, readProblem, writeProblem } from "../problem.js";
import { distinctLayers, extractWorkloads, type Layer, layerTable } from "./extract.js";
import { freeOperators, operationTable } from "./operation.js";

function constant(g: GraphBuilder, name: string, dimensions: readonly number[]): Value {
  return g.constant({ elementType: "float32", dimensions }, name);
}

function wordsOf({ problem }: Layer): readonly number[] {
  return problem.dataSpaces.map((space) => dataSpaceWords(problem, space));
}

function bitsOf({ problem }: Layer): readonly number[] {
  return problem.dataSpaces.map(({ bitWidth }) => bitWidth);
}

describe("convolutions", () => {
  test("with groups, strides and dilation are the loop nest of convolutionProblem", () => {
    const g = new GraphBuilder("net");
    const x = g.input("image", "float32", ["batch", 8, 17, 15]);
    const attributes = { strides: [2, 1], dilations: [1, 2], pads: [1, 2, 1, 2], group: 4 };
    g.output(g.op("Conv", [x, constant(g, "w", [12, 2, 3, 3])], attributes, { name: "a/conv:1" }), "y");
    const [layer] = extractWorkloads(g.build(), {
      batchSize: 5,
      bitWidths: { weights: 4, inputs: 6, outputs: 20 },
    }).layers;
    expect(layer!.problem).toEqual(
      convolutionProblem({
        name: "a_conv_1",
        batch: 5,
        inputChannels: 8,
        outputChannels: 12,
        outputHeight: 9,
        outputWidth: 15,
        kernelHeight: 3,
        kernelWidth: 3,
        strideHeight: 2,
        dilationWidth: 2,
        groups: 4,
        bitWidths: { weights: 4, inputs: 6, outputs: 20 },
      }),
    );
    expect(layer!.macs).toBe(5 * 12 * 9 * 15 * 2 * 9);
    expect(layer).toMatchObject({ name: "a/conv:1", operator: "Conv", repetitions: 1, weightsAre: "parameters" });
    expect(readProblem(writeProblem(layer!.problem))).toEqual(layer!.problem);
  });

  test("without channels are refused", () => {
    const g = new GraphBuilder("net");
    const x = g.input("image", "float32", ["batch", 3, 8, 8]);
    g.output(g.op("Conv", [x, constant(g, "w", [0, 3, 3, 3])], {}, { name: "conv1" }), "y");
    expect(() => extractWorkloads(g.build())).toThrow(
      'node "conv1" (Conv): the layer has nothing to compute: expected at least 1 along every dimension, received M = 0',
    );
  });

  test("over one axis have one row", () => {
    const g = new GraphBuilder("net");
    g.output(
      g.conv(g.input("x", "float32", [1, 4, 20]), constant(g, "w", [6, 4, 5]), undefined, { strides: [3] }),
      "y",
    );
    const [layer] = extractWorkloads(g.build()).layers;
    expect(layer!.problem.dimensions).toEqual({ N: 1, M: 6, C: 4, P: 1, Q: 6, R: 1, S: 5 });
    // Columns 3·5 + 5 of the 20 are read.
    expect(wordsOf(layer!)).toEqual([6 * 4 * 5, 4 * 20, 6 * 6]);
  });

  test("over three axes have a depth", () => {
    const g = new GraphBuilder("net");
    const x = g.input("x", "float32", [1, 4, 9, 8, 7]);
    g.output(g.conv(x, constant(g, "w", [6, 4, 3, 2, 1]), undefined, { strides: [2, 1, 1] }), "y");
    const [layer] = extractWorkloads(g.build()).layers;
    expect(layer!.macs).toBe(6 * 4 * (4 * 7 * 7) * (3 * 2 * 1));
    expect(wordsOf(layer!)).toEqual([6 * 4 * 6, 4 * 9 * 8 * 7, 6 * 4 * 7 * 7]);
    expect(readProblem(writeProblem(layer!.problem))).toEqual(layer!.problem);
  });

  test("transposed: every input value meets the whole kernel, results overlap", () => {
    const g = new GraphBuilder("net");
    const x = g.input("x", "float32", [1, 8, 5, 5]);
    g.output(g.op("ConvTranspose", [x, constant(g, "w", [8, 6, 3, 3])], { strides: [2, 2] }), "y");
    const [layer] = extractWorkloads(g.build()).layers;
    expect(layer!.macs).toBe(8 * 5 * 5 * 6 * 9);
    // The result is 11×11, and all of it is written.
    expect(wordsOf(layer!)).toEqual([8 * 6 * 9, 8 * 5 * 5, 6 * 11 * 11]);
    expect(layer!.problem.dataSpaces.map(({ readWrite }) => readWrite)).toEqual([false, false, true]);
    expect(layer!.problem.dimensions).toMatchObject({ M: 6, C: 8, P: 5, Q: 5, R: 3, S: 3 });
  });

  test("backwards cost as many multiply-accumulates as forwards", () => {
    const g = new GraphBuilder("net");
    const window = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 1 };
    const x = g.input("x", "float32", ["batch", 4, 8, 8]);
    const dy = g.input("dy", "float32", ["batch", 6, 8, 8]);
    const w = g.input("w", "float32", [6, 4, 3, 3]);
    g.output(g.conv(x, w, undefined, { pads: [1, 1, 1, 1] }), "y");
    g.output(g.ownNode("ConvInputGradient", [dy, w], { ...window, input_shape: [8, 8] })[0]!, "dx");
    g.output(g.ownNode("ConvWeightGradient", [x, dy], window)[0]!, "dw");
    const { layers } = extractWorkloads(g.build(), { batchSize: 2 });
    const [forward, toInput, toWeight] = layers;
    expect(layers.map(({ macs }) => macs)).toEqual(Array.from({ length: 3 }, () => 2 * 6 * 4 * 64 * 9));
    const [weights, inputs, outputs] = wordsOf(forward!);
    expect(wordsOf(toInput!)).toEqual([weights, outputs, inputs]);
    expect(wordsOf(toWeight!)).toEqual([outputs, inputs, weights]);
    expect(layers.map(({ weightsAre }) => weightsAre)).toEqual(["parameters", "parameters", "data"]);
  });
});

test("every layer says what its points do", () => {
  const g = new GraphBuilder("net");
  const x = g.input("x", "float32", ["batch", 8, 6, 6]);
  const pads = [1, 1, 1, 1];
  const shiftWeights = constant(g, "shift", [8, 8, 3, 3]);
  g.annotate(shiftWeights, { powerOfTwo: true, bitWidth: 5 });
  const window = { kernel_shape: [3, 3], strides: [1, 1], pads, dilations: [1, 1] };
  const shifted = g.conv(x, shiftWeights, undefined, { pads });
  const added = g.ownNode("AdderConv", [shifted, constant(g, "add", [8, 8, 3, 3])], window)[0]!;
  g.output(g.conv(added, constant(g, "multiply", [8, 8, 3, 3]), undefined, { pads }), "y");
  const { layers } = extractWorkloads(g.build());
  expect(layers.map(({ problem }) => problem.operation ?? "multiply")).toEqual(["shift", "add", "multiply"]);
  expect(new Set(layers.map(({ macs }) => macs))).toEqual(new Set([8 * 8 * 9 * 36]));
  expect(readProblem(writeProblem(layers[1]!.problem))).toEqual(layers[1]!.problem);
  // Power of two is of weights: what changes with the data has no such form ready.
  const data = new GraphBuilder("net");
  const a = data.input("a", "float32", ["batch", 4, 4]);
  data.annotate(a, { powerOfTwo: true });
  data.output(data.matMul(a, a), "y");
  expect(extractWorkloads(data.build()).layers[0]!.problem.operation).toBeUndefined();
});

describe("matrix products", () => {
  test("Gemm and MatMul with weights", () => {
    const g = new GraphBuilder("net");
    const x = g.input("x", "float32", ["batch", 10, 64]);
    const hidden = g.matMul(x, constant(g, "w1", [64, 32]));
    const flat = g.reshape(hidden, [-1, 32]);
    g.output(g.gemm(flat, constant(g, "w2", [7, 32]), undefined, { transB: 1 }), "y");
    const { layers } = extractWorkloads(g.build(), { batchSize: 3 });
    const bitWidths = { weights: 32, inputs: 32, outputs: 32 };
    expect(layers[0]!.problem).toEqual(matmulProblem({ name: "MatMul", rows: 30, inner: 64, columns: 32, bitWidths }));
    expect(layers[1]!.problem).toEqual(matmulProblem({ name: "Gemm", rows: 30, inner: 32, columns: 7, bitWidths }));
  });

  test("attention: every head is a group, and the weights are data", () => {
    const g = new GraphBuilder("net");
    const q = g.input("q", "float32", ["batch", 4, 10, 16]);
    const k = g.input("k", "float32", ["batch", 4, 12, 16]);
    g.output(g.matMul(q, g.transpose(k, [0, 1, 3, 2])), "scores");
    g.output(g.op("Einsum", [q, k], { equation: "bhid,bhjd->bhij" }), "same");
    const { layers } = extractWorkloads(g.build(), { batchSize: 2 });
    expect(layers.map(({ problem }) => problem.dimensions)).toEqual([
      { G: 8, N: 10, M: 12, C: 16 },
      { G: 8, N: 10, M: 12, C: 16 },
    ]);
    expect(layers[0]!.weightsAre).toBe("data");
    expect(layers[0]!.key).toBe(layers[1]!.key);
  });

  test("weights on the left stay the weights", () => {
    const g = new GraphBuilder("net");
    g.output(g.matMul(constant(g, "w", [5, 7]), g.input("x", "float32", ["batch", 7, 3])), "y");
    const [layer] = extractWorkloads(g.build(), { batchSize: 2 }).layers;
    expect(layer!.problem.dimensions).toEqual({ N: 6, M: 5, C: 7 });
    expect(layer!.weights.name).toBe("w");
  });

  test("LSTM: the products with the input at once, those with the state step by step", () => {
    const g = new GraphBuilder("net");
    const x = g.input("x", "float32", [9, "batch", 20]);
    const weights = [constant(g, "w", [2, 4 * 8, 20]), constant(g, "r", [2, 4 * 8, 8])];
    const attributes = { hidden_size: 8, direction: "bidirectional" };
    g.output(g.op("LSTM", [x, ...weights], attributes, { name: "lstm" }), "y");
    const { layers } = extractWorkloads(g.build(), { sizes: { batch: 3 } });
    expect(layers.map(({ name, repetitions }) => [name, repetitions])).toEqual([
      ["lstm.input", 2],
      ["lstm.recurrence", 2 * 9],
    ]);
    expect(layers.reduce((sum, { macs }) => sum + macs, 0)).toBe(2 * 9 * 3 * (4 * 8) * (20 + 8));
  });

  test("a contraction that is no matrix product is an error that names the node", () => {
    const g = new GraphBuilder("net");
    const a = g.input("a", "float32", [2, 3]);
    g.output(g.op("Einsum", [a, g.input("b", "float32", [3, 4])], { equation: "ij,jk->k" }, { name: "odd" }), "y");
    expect(() => extractWorkloads(g.build())).toThrow(/node "odd" \(Einsum\): .* sums "i" over one tensor alone/);
  });
});

describe("bit-widths", () => {
  const one = (g: GraphBuilder, type: "int8" | "uint8"): Value => g.constant(tensor(type, [], [0]));

  test("QLinearConv: those of its integer types", () => {
    const g = new GraphBuilder("net");
    const scale = g.scalar(0.1);
    const x = g.input("x", "uint8", [1, 4, 6, 6]);
    const w = g.constant({ elementType: "int8", dimensions: [8, 4, 3, 3] }, "w");
    g.output(g.op("QLinearConv", [x, scale, one(g, "uint8"), w, scale, one(g, "int8"), scale, one(g, "uint8")]), "y");
    const [layer] = extractWorkloads(g.build()).layers;
    expect(bitsOf(layer!)).toEqual([8, 8, 8]);
    expect(layer!.weights.name).toBe("w");
    expect(layer!.macs).toBe(8 * 4 * 16 * 9);
  });

  test("between QuantizeLinear and DequantizeLinear: those of the integers, through what keeps or is fused", () => {
    const g = new GraphBuilder("net");
    const scale = g.scalar(0.1);
    const quantized = (value: Value, type: "int8" | "uint8"): Value => {
      const zero = one(g, type);
      return g.op("DequantizeLinear", [g.op("QuantizeLinear", [value, scale, zero]), scale, zero]);
    };
    const x = g.maxPool(quantized(g.input("x", "float32", ["batch", 4, 8, 8]), "uint8"), [2, 2], { strides: [2, 2] });
    const packed = g.constant({ elementType: "int4", dimensions: [8, 4, 3, 3] }, "w");
    const w = g.op("DequantizeLinear", [packed, scale]);
    g.output(quantized(g.relu(g.conv(x, w)), "uint8"), "y");
    const { layers, operations } = extractWorkloads(g.build());
    expect(bitsOf(layers[0]!)).toEqual([4, 8, 8]);
    // The weights' DequantizeLinear is done before the network runs.
    expect(operations.map(({ operator }) => operator)).toEqual([
      "QuantizeLinear",
      "DequantizeLinear",
      "MaxPool",
      "Relu",
      "QuantizeLinear",
      "DequantizeLinear",
    ]);
    expect(operations[2]!.inputs[0]!.bitWidth).toBe(8);
  });

  test("annotations go before everything and come along", () => {
    const g = new GraphBuilder("net");
    const x = g.input("x", "float32", ["batch", 16]);
    const w = constant(g, "w", [8, 16]);
    g.annotate(w, { bitWidth: 3, sparsityFraction: 0.5, powerOfTwo: true });
    g.annotate(x, { bitWidth: 6 });
    const y = g.matMul(x, g.transpose(w, [1, 0]));
    g.output(y, "y");
    const [layer] = extractWorkloads(g.build(), { bitWidths: { weights: 8, outputs: 24 } }).layers;
    expect(bitsOf(layer!)).toEqual([3, 6, 24]);
    expect(layer!.weights.annotation).toEqual({ bitWidth: 3, sparsityFraction: 0.5, powerOfTwo: true });
  });

  test("of nothing but floating point: the element type's", () => {
    const g = new GraphBuilder("net");
    g.output(g.matMul(g.input("x", "float16", [2, 3]), g.input("w", "float16", [3, 4])), "y");
    expect(bitsOf(extractWorkloads(g.build()).layers[0]!)).toEqual(
      Array.from({ length: 3 }, () => elementTypes.float16.bits),
    );
  });
});

describe("operations", () => {
  test("a residual block: shortcuts are told from biases, views and shapes cost nothing", () => {
    const g = new GraphBuilder("net");
    const x = g.input("image", "float32", ["batch", 8, 6, 6]);
    const vectors = ["scale", "shift", "mean", "variance"].map((name) => g.input(name, "float32", [8]));
    const normalized = g.op("BatchNormalization", [g.conv(x, g.input("w", "float32", [8, 8, 1, 1])), ...vectors], {
      epsilon: float(1e-5),
    });
    const biased = g.add(normalized, g.input("bias", "float32", [8, 1, 1]));
    const joined = g.maxPool(g.relu(g.add(biased, x)), [3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] });
    const batch = g.gather(g.shapeOf(joined), g.int64s([0]));
    const flat = g.reshape(joined, g.concat([batch, g.int64s([-1])], 0));
    g.output(g.softmax(g.reduceMean(flat, [1], { keepDims: true })), "y");
    const { layers, operations } = extractWorkloads(g.build(), { batchSize: 2 });
    expect(layers.map(({ weightsAre }) => weightsAre)).toEqual(["parameters"]);
    const size = 2 * 8 * 6 * 6;
    expect(operations.map(({ operator, kind, combinedValues }) => [operator, kind, combinedValues])).toEqual([
      ["BatchNormalization", "normalization", size],
      ["Add", "elementwise", size],
      ["Add", "residualAddition", size],
      ["Relu", "elementwise", size],
      ["MaxPool", "pooling", 2 * 8 * 3 * 3 * 9],
      ["ReduceMean", "reduction", 2 * 8 * 3 * 3],
      ["Softmax", "softmax", 2],
    ]);
    expect(operations[0]!.parameters.map(({ elements }) => elements)).toEqual([8, 8, 8, 8]);
    expect(operations[2]!.inputs.map(({ elements }) => elements)).toEqual([size, size]);
  });

  test("which inputs are data may be said", () => {
    const g = new GraphBuilder("net");
    g.output(g.mul(g.input("a", "float32", [4]), g.input("b", "float32", [4])), "y");
    const graph = g.build();
    expect(extractWorkloads(graph).operations[0]!.inputs).toHaveLength(2);
    const { inputs, parameters } = extractWorkloads(graph, { dataInputs: ["a"] }).operations[0]!;
    expect([inputs.map(({ name }) => name), parameters.map(({ name }) => name)]).toEqual([["a"], ["b"]]);
    expect(() => extractWorkloads(graph, { dataInputs: ["c"] })).toThrow(/no input "c": expected one of a, b/);
  });
});

test("layers of the same cost are grouped", () => {
  const g = new GraphBuilder("net");
  let x = g.input("x", "float32", ["batch", 8, 6, 6]);
  for (const name of ["a", "b", "c"]) {
    x = g.conv(x, constant(g, name, [8, 8, 3, 3]), undefined, { pads: [1, 1, 1, 1] });
  }
  g.output(g.conv(x, constant(g, "d", [4, 8, 3, 3])), "y");
  const distinct = distinctLayers(extractWorkloads(g.build()).layers);
  expect(distinct.map(({ repetitions, layers }) => [repetitions, layers.length])).toEqual([
    [3, 3],
    [1, 1],
  ]);
});

test("a size known by name that is not the batch must be given", () => {
  const g = new GraphBuilder("net");
  const x = g.input("image", "float32", ["batch", 3, "height", 32]);
  g.output(g.conv(x, constant(g, "w", [8, 3, 3, 3]), undefined, { strides: [2, 2] }), "y");
  const graph = g.build();
  expect(() => extractWorkloads(graph)).toThrow(
    /input "image" has sizes that are not known: .*received \[1,3,height,32\]/,
  );
  expect(extractWorkloads(graph, { sizes: { height: 21 } }).layers[0]!.problem.dimensions).toMatchObject({
    P: 10,
    Q: 15,
  });
});

test("an operator without a rule is an error that names it", () => {
  const g = new GraphBuilder("net");
  g.output(g.op("Det", [g.input("x", "float32", [3, 3])]), "y");
  expect(() => extractWorkloads(g.build())).toThrow(/node "Det": what this operator costs is not known: received Det/);
});

test("the gaps of the tables are known", () => {
  const covered = (name: string): boolean => name in layerTable || name in operationTable || freeOperators.has(name);
  expect(
    Object.keys(shapeTable)
      .filter((name) => !covered(name))
      .sort(),
  ).toEqual(
    [
      // Their work depends on values that are known at run time only.
      ...["If", "Loop", "Scan", "NonMaxSuppression", "Unique"],
      // They make values from shapes and seeds, before the network runs or from nothing.
      ...["Constant", "ConstantOfShape", "Range", "RandomNormal", "RandomUniform", "Multinomial"],
      ...["HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix"],
      // Transforms of signals and matrices that no accelerator here runs.
      ...["DFT", "STFT", "Det"],
    ].sort(),
  );
});
