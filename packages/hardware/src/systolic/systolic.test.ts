import { describe, expect, it } from "vitest";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import { macCount } from "../workload/problem.js";
import { systolicCost } from "./cost.js";
import { systolicConvolution, systolicLayerOf, systolicMacs } from "./layer.js";
import { printSystolicCost } from "./print.js";

const shape = {
  name: "conv",
  inputHeight: 9,
  inputWidth: 12,
  kernelHeight: 3,
  kernelWidth: 3,
  channels: 4,
  filters: 8,
  strideHeight: 2,
  strideWidth: 4,
};

describe("layers of a systolic array", () => {
  it("count a window that hangs over the edge", () => {
    // Rows (9 − 3) / 2 + 1 = 4; columns ⌈(12 − 3) / 4⌉ + 1 = 4, the last of which begins at 12.
    expect(systolicConvolution(shape)).toEqual({ name: "conv", rows: 16, inner: 36, columns: 8 });
  });

  it("come from loop nests, with as many multiply-accumulates", () => {
    const grouped = convolutionProblem({
      batch: 2,
      inputChannels: 8,
      outputChannels: 12,
      outputHeight: 5,
      outputWidth: 6,
      kernelHeight: 3,
      kernelWidth: 2,
      groups: 4,
    });
    expect(systolicLayerOf("grouped", grouped)).toEqual({
      name: "grouped",
      rows: 60,
      inner: 12,
      columns: 3,
      products: 4,
    });
    const heads = matmulProblem({ groups: 3, rows: 7, inner: 5, columns: 2 });
    expect(systolicLayerOf("heads", heads)).toEqual({ name: "heads", rows: 7, inner: 5, columns: 2, products: 3 });
    for (const problem of [grouped, heads]) {
      expect(systolicMacs(systolicLayerOf("layer", problem))).toBe(macCount(problem));
    }
  });

  it.each([
    [{ channels: 0 }, "conv.channels: not a size: expected a positive integer, received 0"],
    [{ strideWidth: 1.5 }, "conv.strideWidth: not a size: expected a positive integer, received 1.5"],
    [{ filters: Number.NaN }, "conv.filters: not a size: expected a positive integer, received NaN"],
    [{ kernelWidth: 13 }, "conv.kernelWidth: the kernel is larger than its input: expected at most 12, received 13"],
  ])("are refused: %j", (change, message) => {
    expect(() => systolicConvolution({ ...shape, ...change })).toThrow(message);
  });

  it("refuse loop nests that are neither convolutions nor products", () => {
    const problem = { ...matmulProblem({ rows: 2, inner: 2, columns: 2 }), dimensions: { N: 2, M: 2, X: 2 } };
    expect(() => systolicLayerOf("odd", problem)).toThrow("odd: the loop nest is neither a convolution nor a matrix");
  });
});

describe("costs of a systolic array", () => {
  it("say where the cycles come from", () => {
    const cost = systolicCost(
      { name: "fc", rows: 4, inner: 6, columns: 5, products: 2 },
      { rows: 4, columns: 4, dataflow: "weightStationary" },
    );
    // 2 × 2 folds of 2·4 + 4 + 4 − 2 = 14 cycles.
    expect(printSystolicCost(cost).split("\n")).toEqual([
      "fc: 110 cycles, 13.39 % utilization, 240 MACs",
      "  6 × 5 on the array, 4 streamed: 4 folds × 14 cycles − 1, 2 times",
      "  46.88 % mapping efficiency, 11.03 % compute utilization",
      "  96 input reads, 60 weight reads, 80 output writes",
    ]);
  });

  it("refuse an array without units", () => {
    const layer = { name: "fc", rows: 4, inner: 6, columns: 5 };
    expect(() => systolicCost(layer, { rows: 0, columns: 4, dataflow: "inputStationary" })).toThrow(
      "array.rows: not a size: expected a positive integer, received 0",
    );
  });
});
