// What a step of training computes in layers: forward, error and weight-gradient products as loop nests with their widths.

import { differentiate, eliminateDeadCode, type Graph, GraphBuilder, type Node, type Value } from "@dovetail/graph";
import {
  convolutionProblem,
  extractWorkloads,
  type Layer,
  type LayerBitWidths,
  type PointOperation,
  type Problem,
} from "@dovetail/hardware";
import { type Network, trainingForm } from "@dovetail/models";

/** Whether a network computes in float32 or in fixed point (`fixedPointNetwork`), and with which widths. */
export type Precision =
  | { readonly format: "float" }
  | { readonly format: "integer"; readonly add: number; readonly shift: number; readonly multiply: number };

type Widths = { readonly [Tensor in keyof LayerBitWidths]-?: number };

export type ProductRole = "forward" | "error" | "weightGradient";

/** A product of a layer for one image. */
export interface Product {
  readonly role: ProductRole;
  /** Kind of the layer that the product belongs to. */
  readonly layer: PointOperation;
  /** What its points do: weight gradients multiply, and so do errors of add layers, besides a subtraction. */
  readonly operation: PointOperation;
  readonly problem: Problem;
  readonly points: number;
  /** Width of the wider operand that is multiplied or added; of a shift, of the shifted one. */
  readonly bitWidth: number;
}

const roles: Readonly<Record<string, ProductRole>> = {
  Conv: "forward",
  Gemm: "forward",
  "ai.dovetail.AdderConv": "forward",
  "ai.dovetail.ConvInputGradient": "error",
  "ai.dovetail.AdderConvInputGradient": "error",
  "ai.dovetail.ConvWeightGradient": "weightGradient",
};

const keyOf = ({ domain, operator }: Node): string => (domain === "" ? operator : `${domain}.${operator}`);

/**
 * The products of all layers of a network, as given by its own training graph: nobody computes the stem's error, nor weight
 * gradients of frozen weights. `network` is in float32; `precision` sets the widths. A linear classifier's backward products
 * count as the forward one twice more.
 */
export function productsOf(network: Network, precision: Precision): readonly Product[] {
  const graph = trainingGraph(network);
  const layerOfInput = layerKinds(graph);
  const products = productGraph(graph);
  const { layers } = extractWorkloads(products, { dataInputs: dataNames(graph, products, network) });
  return layers.flatMap((layer) => {
    const role = roles[layer.operator] ?? "forward";
    const kind = kindOf(layer, role, layerOfInput);
    const product = productOf(layer, role, kind, widthsOf(kind, role, precision, layerOfInput.get(layer.outputs.name)));
    if (layer.operator !== "Gemm") return [product];
    return [product, { ...product, role: "error" as const }, { ...product, role: "weightGradient" as const }];
  });
}

/** Forward and backward for one image. */
function trainingGraph(network: Network): Graph {
  const form = trainingForm(network, { batchSize: 1 });
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const logits = g.value(form.logits);
  const trained = network.parameters.filter(({ trainable }) => trainable).map(({ name }) => g.value(name));
  const gradients = differentiate(g, { loss: g.mul(logits, logits), withRespectTo: trained });
  g.output(logits);
  for (const gradient of gradients) g.output(gradient);
  return eliminateDeadCode({ ...g.build(), customGradients: [] });
}

/**
 * The product nodes alone, each fed by inputs of the graph. Of a linear classifier the forward product: the others would be
 * products like it.
 */
function productGraph(graph: Graph): Graph {
  const logits = graph.outputs[0]!.name;
  const nodes = graph.nodes.filter(
    (node) => keyOf(node) in roles && (node.operator !== "Gemm" || node.outputs[0] === logits),
  );
  const value = (name: string): Value => ({ name, type: graph.types.get(name)! });
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.filter((name) => name !== "")));
  return {
    ...graph,
    nodes,
    inputs: [...read].filter((name) => !made.has(name) && !graph.initializers.has(name)).map(value),
    outputs: [...made].map(value),
    customGradients: [],
  };
}

/** Inputs of the product graph that depend on the image. */
function dataNames(graph: Graph, { inputs: read }: Graph, network: Network): string[] {
  const dependent = new Set([network.image]);
  for (const { inputs, outputs } of graph.nodes) {
    if (inputs.some((name) => dependent.has(name))) for (const name of outputs) dependent.add(name);
  }
  return read.flatMap(({ name }) => (dependent.has(name) ? [name] : []));
}

/** Kind of the layer that reads a value as its data. */
function layerKinds(graph: Graph): ReadonlyMap<string, PointOperation> {
  const kinds = new Map<string, PointOperation>();
  for (const node of graph.nodes) {
    const [data, weight] = node.inputs;
    if (keyOf(node) === "ai.dovetail.AdderConv") kinds.set(data!, "add");
    else if (node.operator === "Conv" || node.operator === "Gemm") {
      kinds.set(data!, graph.annotations.get(weight!)?.powerOfTwo ? "shift" : "multiply");
    }
  }
  return kinds;
}

function kindOf(layer: Layer, role: ProductRole, kinds: ReadonlyMap<string, PointOperation>): PointOperation {
  if (role === "weightGradient") return kinds.get(layer.inputs.name) ?? "multiply";
  if (layer.operator === "ai.dovetail.AdderConvInputGradient") return "add";
  return layer.problem.operation ?? "multiply";
}

function productOf(layer: Layer, role: ProductRole, kind: PointOperation, widths: Widths): Product {
  const { problem, macs } = layer;
  const bits: Readonly<Record<string, number>> = {
    Weights: widths.weights,
    Inputs: widths.inputs,
    Outputs: widths.outputs,
  };
  const isMultiplied = role === "weightGradient" || (role === "error" && kind === "add");
  const operation = isMultiplied ? "multiply" : kind;
  const nest = role === "error" ? asConvolution(problem) : problem;
  return {
    role,
    layer: kind,
    operation,
    problem: {
      ...withoutOperation(nest),
      dataSpaces: nest.dataSpaces.map((space) => ({ ...space, bitWidth: bits[space.name]! })),
    },
    points: macs,
    bitWidth: operation === "shift" ? widths.inputs : Math.max(widths.weights, widths.inputs),
  };
}

const withoutOperation = ({ operation: _, ...nest }: Problem): Problem => nest;

/**
 * An error product as the convolution of the arriving gradient with channels exchanged, at stride 1: as many points and words
 * as with the stride's scattered sums, which the cost model does not cover.
 */
function asConvolution({ name, dimensions }: Problem): Problem {
  const size = (dimension: string): number => dimensions[dimension] ?? 1;
  return convolutionProblem({
    name,
    inputChannels: size("C"),
    outputChannels: size("M"),
    outputHeight: size("P"),
    outputWidth: size("Q"),
    kernelHeight: size("R"),
    kernelWidth: size("S"),
  });
}

/** Bits of a weight of a shift layer. */
export const shiftWeightBits = 5;

/**
 * Widths of a product's tensors: for a weight gradient, its "weights" are the errors and its outputs the gradients. A
 * forward product's outputs are as wide as the next layer reads them, behind a normalization as wide as the layer's own inputs.
 */
function widthsOf(
  layer: PointOperation,
  role: ProductRole,
  precision: Precision,
  next: PointOperation | undefined,
): Widths {
  const isFloat = precision.format === "float";
  const of = (kind: PointOperation): number => (isFloat ? 32 : precision[kind]);
  const own = of(layer);
  const weights = layer === "shift" ? shiftWeightBits : own;
  switch (role) {
    case "forward":
      return { weights, inputs: own, outputs: of(next ?? layer) };
    case "error":
      return { weights, inputs: own, outputs: own };
    case "weightGradient":
      // Only add layers' gradients are rounded.
      return { weights: own, inputs: own, outputs: layer === "add" ? own : 32 };
  }
}
