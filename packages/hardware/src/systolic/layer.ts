import { inputError } from "@dovetail/core";
import type { Problem } from "../workload/problem.js";

/**
 * A layer as the matrix product that a systolic array computes: [rows × inner] · [inner × columns]. A convolution has its
 * output pixels as rows, kernel height · kernel width · channels as inner size, and its filters as columns.
 */
export interface SystolicLayer {
  readonly name: string;
  /** Length of a column of the result: output pixels. SCALE-Sim's M. */
  readonly rows: number;
  /** Length of the sums. SCALE-Sim's K. */
  readonly inner: number;
  /** Filters. SCALE-Sim's N. */
  readonly columns: number;
  /** Products of this size that run one after another: groups, images, heads. Default 1. */
  readonly products?: number | undefined;
}

/** Sizes of a convolution, its input with the padding that it reads. */
export interface SystolicConvolution {
  readonly name: string;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly channels: number;
  readonly filters: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly products?: number | undefined;
}

/**
 * The matrix product of a convolution; ⌈(input − kernel) / stride⌉ + 1 outputs along an axis, as SCALE-Sim counts them
 * (cost-model.md section 6.1): where the stride does not divide, the last window hangs over the edge.
 *
 * @throws DovetailError `systolic_layer` for sizes that are no positive integers, or a kernel larger than its input.
 */
export function systolicConvolution(shape: SystolicConvolution): SystolicLayer {
  const { name, products, ...sizes } = shape;
  checkSizes(name, sizes);
  const { inputHeight, inputWidth, kernelHeight, kernelWidth, channels, filters } = shape;
  checkKernel(name, "kernelHeight", kernelHeight, inputHeight);
  checkKernel(name, "kernelWidth", kernelWidth, inputWidth);
  const outputs = (input: number, kernel: number, stride: number): number => Math.ceil((input - kernel) / stride) + 1;
  const rows =
    outputs(inputHeight, kernelHeight, shape.strideHeight) * outputs(inputWidth, kernelWidth, shape.strideWidth);
  return {
    name,
    rows,
    inner: kernelHeight * kernelWidth * channels,
    columns: filters,
    ...(products !== undefined && { products }),
  };
}

/**
 * The matrix product of a loop nest with the names of `convolutionProblem` and `matmulProblem`. Images share weights, so
 * they are more rows of one product; groups bring their own weights and become products of their own.
 *
 * @throws DovetailError `systolic_layer` when the loop nest has other dimensions.
 */
export function systolicLayerOf(name: string, problem: Problem): SystolicLayer {
  const { N = 1, G = 1, M = 1, C = 1, P = 1, Q = 1, R = 1, S = 1, ...others } = problem.dimensions;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined || problem.dataSpaces.length !== 3) {
    throw inputError("systolic_layer", "the loop nest is neither a convolution nor a matrix product", {
      path: [name],
      expected: "the dimensions N, G, M, C, P, Q, R, S and three tensors",
      received: unknown ?? `${problem.dataSpaces.length} tensors`,
    });
  }
  return { name, rows: N * P * Q, inner: C * R * S, columns: M, ...(G > 1 && { products: G }) };
}

/** Multiply-accumulates of all products of a layer. */
export function systolicMacs({ rows, inner, columns, products = 1 }: SystolicLayer): number {
  return rows * inner * columns * products;
}

/** Throws `systolic_layer` unless every size is a positive integer. */
export function checkSizes(name: string, sizes: Readonly<Record<string, number>>): void {
  for (const [field, value] of Object.entries(sizes)) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw inputError("systolic_layer", "not a size", {
      path: [name, field],
      expected: "a positive integer",
      received: String(value),
    });
  }
}

function checkKernel(name: string, field: string, kernel: number, input: number): void {
  if (kernel <= input) return;
  throw inputError("systolic_layer", "the kernel is larger than its input", {
    path: [name, field],
    expected: `at most ${input}`,
    received: String(kernel),
  });
}
