import { attributeOf, windowOf } from "@dovetail/graph";
import { type ConvolutionShape, convolutionProblem, type LayerBitWidths } from "../layers.js";
import type { Problem } from "../problem.js";
import type { Rank } from "../projection.js";
import type { LayerContext, LayerRule, LayerTable } from "./layer-rule.js";

/** A convolution's geometry over one to three spatial axes: [N,C,…input] by [K,C/group,…kernel] to [N,K,…output]. */
interface Geometry {
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly groups: number;
}

function geometryOf(context: LayerContext, shapes: Pick<Geometry, "input" | "weight" | "output">): Geometry {
  const spatial = shapes.input.slice(2);
  const window = windowOf(context.node, shapes.weight.slice(2), spatial);
  if (!window || spatial.length > 3) throw context.fail("a loop nest has one to three spatial axes");
  const groups = attributeOf(context.node, "group", "int", 1);
  return { ...shapes, strides: window.strides, dilations: window.dilations, groups };
}

/** The loop nest; a third spatial axis, the outermost one, becomes the dimensions O (output) and T (kernel). */
function forwardProblem(name: string, geometry: Geometry, bitWidths: LayerBitWidths): Problem {
  const { input, weight, output, strides, dilations, groups } = geometry;
  const fromInnermost = (list: readonly number[], position: number): number => list[list.length - position] ?? 1;
  const spatial = (shape: readonly number[], position: number): number => fromInnermost(shape.slice(2), position);
  const shape: ConvolutionShape = {
    name,
    batch: input[0]!,
    inputChannels: input[1]!,
    outputChannels: output[1]!,
    outputHeight: spatial(output, 2),
    outputWidth: spatial(output, 1),
    kernelHeight: spatial(weight, 2),
    kernelWidth: spatial(weight, 1),
    strideHeight: fromInnermost(strides, 2),
    strideWidth: fromInnermost(strides, 1),
    dilationHeight: fromInnermost(dilations, 2),
    dilationWidth: fromInnermost(dilations, 1),
    groups,
    bitWidths,
  };
  const problem = convolutionProblem(shape);
  return strides.length < 3 ? problem : withDepth(problem, geometry);
}

function withDepth(problem: Problem, { weight, output, strides, dilations }: Geometry): Problem {
  const ranks: Readonly<Record<string, Rank>> = {
    Weights: [{ coefficient: 1, dimension: "T" }],
    Inputs: [
      { coefficient: strides[0]!, dimension: "O" },
      { coefficient: dilations[0]!, dimension: "T" },
    ],
    Outputs: [{ coefficient: 1, dimension: "O" }],
  };
  return {
    ...problem,
    dimensions: { ...problem.dimensions, O: output[2]!, T: weight[2]! },
    dataSpaces: problem.dataSpaces.map((space) => ({
      ...space,
      projection: [...space.projection, ranks[space.name]!],
    })),
  };
}

/** The same loop nest with its tensors in other places: each data space is addressed as the named one was. */
function reassigned(problem: Problem, places: Readonly<Record<string, string>>): Problem {
  const projections = new Map(problem.dataSpaces.map(({ name, projection }) => [name, projection]));
  return {
    ...problem,
    dataSpaces: problem.dataSpaces.map((space) => ({ ...space, projection: projections.get(places[space.name]!)! })),
  };
}

const convolution =
  (data: number, weight: number): LayerRule =>
  (context) => {
    const geometry = geometryOf(context, {
      input: context.shape(data),
      weight: context.shape(weight),
      output: context.outputShape(0),
    });
    return [
      { problem: (bitWidths) => forwardProblem(context.name, geometry, bitWidths), weights: weight, inputs: data },
    ];
  };

/** Its multiply-accumulates are those of the convolution that it transposes: every input value meets the whole kernel. */
const transposed =
  (data: number, weight: number): LayerRule =>
  (context) => {
    const geometry = geometryOf(context, {
      input: context.outputShape(0),
      weight: context.shape(weight),
      output: context.shape(data),
    });
    return [{ problem: scattering(context.name, geometry), weights: weight, inputs: data }];
  };

/** M stays the channels of the result and C those that are summed over; P and Q are positions of what is read. */
const scattering =
  (name: string, geometry: Geometry) =>
  (bitWidths: LayerBitWidths): Problem => {
    const problem = forwardProblem(name, geometry, bitWidths);
    return withSwappedChannels(reassigned(problem, { Weights: "Weights", Inputs: "Outputs", Outputs: "Inputs" }));
  };

function withSwappedChannels(problem: Problem): Problem {
  const swapped = (dimension: string): string => (dimension === "M" ? "C" : dimension === "C" ? "M" : dimension);
  const { dimensions } = problem;
  return {
    ...problem,
    dimensions: Object.fromEntries(Object.keys(dimensions).map((name) => [name, dimensions[swapped(name)]!])),
    dataSpaces: problem.dataSpaces.map((space) => ({
      ...space,
      projection: space.projection.map((rank) => rank.map((term) => ({ ...term, dimension: swapped(term.dimension) }))),
    })),
  };
}

/** Gradient of Conv to its weights, from X and dY, which takes the place of the weights. */
const weightGradient: LayerRule = (context) => {
  const geometry = geometryOf(context, {
    input: context.shape(0),
    weight: context.outputShape(0),
    output: context.shape(1),
  });
  const problem = (bitWidths: LayerBitWidths): Problem =>
    reassigned(forwardProblem(context.name, geometry, bitWidths), {
      Weights: "Outputs",
      Inputs: "Inputs",
      Outputs: "Weights",
    });
  return [{ problem, weights: 1, inputs: 0 }];
};

/** −Σ |x − w| over a convolution's window (AdderNet). */
const adder: LayerRule = (context) => convolution(0, 1)(context).map((nest) => ({ ...nest, operation: "add" }));

/** Convolutions, also of integers, add layers, and the gradients of both. */
export const convolutionLayers: LayerTable = {
  Conv: convolution(0, 1),
  ConvInteger: convolution(0, 1),
  QLinearConv: convolution(0, 3),
  ConvTranspose: transposed(0, 1),
  "ai.dovetail.ConvInputGradient": transposed(0, 1),
  "ai.dovetail.ConvWeightGradient": weightGradient,
  "ai.dovetail.AdderConv": adder,
  // A clipped difference times the output's gradient: a multiplication.
  "ai.dovetail.AdderConvInputGradient": transposed(0, 2),
};
