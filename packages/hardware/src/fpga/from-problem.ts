import type { Problem } from "../workload/problem.js";
import type { FpgaLayer } from "./layer.js";

/**
 * A layer of the chunk pipeline from its loop nest (`convolutionProblem`, `matmulProblem`; batch 1). A linear layer is a
 * 1×1 convolution on one pixel; a layer with one input and one output channel a group is depth-wise. Weights and
 * activations share the wider of their bit-widths.
 */
export function fpgaLayerOf(name: string, problem: Problem): FpgaLayer {
  const size = (dimension: string): number => problem.dimensions[dimension] ?? 1;
  const groups = size("G");
  const isDepthwise = groups > 1 && size("M") === 1 && size("C") === 1;
  const widths = problem.dataSpaces.filter(({ readWrite }) => !readWrite).map(({ bitWidth }) => bitWidth);
  return {
    name,
    kind: isDepthwise ? "depthwise" : "standard",
    inputChannels: groups * size("C"),
    outputChannels: groups * size("M"),
    outputHeight: size("P"),
    outputWidth: size("Q"),
    kernelHeight: size("R"),
    kernelWidth: size("S"),
    stride: strideOf(problem),
    ...(groups > 1 && !isDepthwise ? { groups } : {}),
    bitWidth: Math.max(...widths),
  };
}

/** Coefficient of the output's rows in the input's. */
function strideOf(problem: Problem): number {
  const inputs = problem.dataSpaces.find(({ name }) => name === "Inputs");
  const term = inputs?.projection.flat().find(({ dimension }) => dimension === "P");
  return term?.coefficient ?? 1;
}
