import { convolutionProblem, matmulProblem } from "@dovetail/hardware";
import { expect, it } from "vitest";
import { describeKernel, describeOutput, layerShape } from "./layer-shape.js";

const convolution = {
  inputChannels: 16,
  outputChannels: 32,
  outputHeight: 8,
  outputWidth: 4,
  kernelHeight: 3,
  kernelWidth: 1,
};

it.each([
  [convolutionProblem(convolution), "32 × 8 × 4", "3×1"],
  [convolutionProblem({ ...convolution, strideHeight: 2, strideWidth: 2 }), "32 × 8 × 4", "3×1, stride 2"],
  [convolutionProblem({ ...convolution, outputChannels: 16, groups: 16 }), "16 × 8 × 4", "3×1 depthwise"],
  [convolutionProblem({ ...convolution, groups: 4 }), "32 × 8 × 4", "3×1"],
  [matmulProblem({ rows: 1, inner: 64, columns: 10 }), "10", "matrix product"],
])("reads the shape of a loop nest", (problem, output, kernel) => {
  const shape = layerShape(problem);
  expect(describeOutput(shape)).toBe(output);
  expect(describeKernel(shape)).toBe(kernel);
});
