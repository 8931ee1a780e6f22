import { inputError } from "@dovetail/core";
import type { DataSpace, Problem } from "./problem.js";
import type { Rank } from "./projection.js";

// The letters are those of the literature (Sze et al., "Efficient Processing of Deep Neural Networks", 2020):
// N batch, G groups, M output channels, C input channels (both per group), P × Q output, R × S kernel (height × width).

/** Bits of one word of each tensor. */
export interface LayerBitWidths {
  readonly weights?: number | undefined;
  readonly inputs?: number | undefined;
  readonly outputs?: number | undefined;
}

export interface ConvolutionShape {
  readonly name?: string | undefined;
  readonly batch?: number | undefined;
  /** All input channels, over all groups. */
  readonly inputChannels: number;
  /** All output channels, over all groups. */
  readonly outputChannels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight?: number | undefined;
  readonly strideWidth?: number | undefined;
  readonly dilationHeight?: number | undefined;
  readonly dilationWidth?: number | undefined;
  /** Depth-wise: as many groups as input channels. Must divide both channel counts. */
  readonly groups?: number | undefined;
  readonly bitWidths?: LayerBitWidths | undefined;
}

/**
 * A 2-D convolution as a loop nest: Weights [G, M, C, R, S], Inputs [N, G, C, rows, columns], Outputs [N, G, M, P, Q];
 * G is left out of ungrouped layers. Padding is read like any other input word.
 *
 * @throws DovetailError `groups_do_not_divide` when the groups do not divide both channel counts.
 */
export function convolutionProblem(shape: ConvolutionShape): Problem {
  const groups = shape.groups ?? 1;
  const grouped = groups > 1;
  if (shape.inputChannels % groups !== 0 || shape.outputChannels % groups !== 0) {
    throw inputError("groups_do_not_divide", "the groups must divide both channel counts", {
      path: ["groups"],
      expected: `a divisor of ${shape.inputChannels} and ${shape.outputChannels}`,
      received: String(groups),
    });
  }
  const rows = [term("P", shape.strideHeight ?? 1), term("R", shape.dilationHeight ?? 1)];
  const columns = [term("Q", shape.strideWidth ?? 1), term("S", shape.dilationWidth ?? 1)];
  const group = grouped ? [plain("G")] : [];
  return {
    name: shape.name ?? "convolution",
    dimensions: {
      N: shape.batch ?? 1,
      ...(grouped ? { G: groups } : {}),
      M: shape.outputChannels / groups,
      C: shape.inputChannels / groups,
      P: shape.outputHeight,
      Q: shape.outputWidth,
      R: shape.kernelHeight,
      S: shape.kernelWidth,
    },
    dataSpaces: dataSpaces(shape.bitWidths, {
      weights: [...group, plain("M"), plain("C"), plain("R"), plain("S")],
      inputs: [plain("N"), ...group, plain("C"), rows, columns],
      outputs: [plain("N"), ...group, plain("M"), plain("P"), plain("Q")],
    }),
  };
}

export interface MatmulShape {
  readonly name?: string | undefined;
  /** Independent products (attention heads, samples), each with its own right-hand matrix. */
  readonly groups?: number | undefined;
  /** Rows of the left-hand matrix and of the result (batch and positions of a linear layer). */
  readonly rows: number;
  /** Length of the sums. */
  readonly inner: number;
  /** Columns of the right-hand matrix and of the result (output features). */
  readonly columns: number;
  readonly bitWidths?: LayerBitWidths | undefined;
}

/**
 * A matrix product as a loop nest with the letters of the convolution, so that one architecture's constraints serve both:
 * Inputs [G, N, C] · Weights [G, M, C]ᵀ = Outputs [G, N, M]; G is left out of a single product.
 */
export function matmulProblem(shape: MatmulShape): Problem {
  const groups = shape.groups ?? 1;
  const group = groups > 1 ? [plain("G")] : [];
  return {
    name: shape.name ?? "matmul",
    dimensions: { ...(groups > 1 ? { G: groups } : {}), N: shape.rows, M: shape.columns, C: shape.inner },
    dataSpaces: dataSpaces(shape.bitWidths, {
      weights: [...group, plain("M"), plain("C")],
      inputs: [...group, plain("N"), plain("C")],
      outputs: [...group, plain("N"), plain("M")],
    }),
  };
}

interface Projections {
  readonly weights: readonly Rank[];
  readonly inputs: readonly Rank[];
  readonly outputs: readonly Rank[];
}

function dataSpaces(bitWidths: LayerBitWidths | undefined, projections: Projections): DataSpace[] {
  const { weights = 8, inputs = 8, outputs = 16 } = bitWidths ?? {};
  return [
    { name: "Weights", readWrite: false, projection: projections.weights, bitWidth: weights },
    { name: "Inputs", readWrite: false, projection: projections.inputs, bitWidth: inputs },
    { name: "Outputs", readWrite: true, projection: projections.outputs, bitWidth: outputs },
  ];
}

function term(dimension: string, coefficient: number): Rank[number] {
  return { coefficient, dimension };
}

function plain(dimension: string): Rank {
  return [term(dimension, 1)];
}
