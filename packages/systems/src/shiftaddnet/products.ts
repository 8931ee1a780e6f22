// What a step of training computes in layers: forward, error and weight-gradient products as loop nests with their widths.

import {
  differentiate,
  elementCount,
  eliminateDeadCode,
  type Graph,
  GraphBuilder,
  type Node,
  type Value,
} from "@dovetail/graph";
import {
  convolutionProblem,
  extractWorkloads,
  type Layer,
  type LayerBitWidths,
  type PointOperation,
  type Problem,
} from "@dovetail/hardware";
import { type Network, nodeMacs, trainingForm } from "@dovetail/models";
import { isAddLayer, weightKinds } from "./networks.js";
import type { Precision } from "./precision.js";

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
  /** Bits of a third operand, which the loop nest has not: of an add layer's error product the layer's input. */
  readonly thirdOperandBits: number;
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
  const neighbours = neighbourKinds(network);
  const products = productGraph(graph);
  const { layers } = extractWorkloads(products, { dataInputs: dataNames(graph, products, network) });
  return layers.flatMap((layer) => {
    const role = roles[layer.operator] ?? "forward";
    const kind = kindOf(layer, role, layerOfInput);
    const widths = widthsOf(kind, role, precision, neighbours.get(layer.weights.name) ?? noNeighbours);
    // An input's gradient is as large as the input.
    const size = elementCount(graph.types.get(layer.outputs.name)!.shape as readonly number[]);
    const thirdOperandBits = role === "error" && kind === "add" ? size * widths.inputs : 0;
    const product = { ...productOf(layer, role, kind, widths), thirdOperandBits };
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

/** Kinds of the layers beside a layer, past normalizations, activations and sums. */
interface Neighbours {
  /** Those that made its input. */
  readonly makers: Set<PointOperation>;
  /** Those that read its output. */
  readonly readers: Set<PointOperation>;
}

const noNeighbours: Neighbours = { makers: new Set(), readers: new Set() };

/** By the name of the layer's weight. */
function neighbourKinds(network: Network): ReadonlyMap<string, Neighbours> {
  const { graph } = network;
  const kinds = weightKinds(network);
  const layers = new Set([...nodeMacs(graph).map(({ node }) => node), ...graph.nodes.filter(isAddLayer)]);
  const neighbours = new Map(
    [...kinds.keys()].map((name) => [name, { makers: new Set(), readers: new Set() } as Neighbours]),
  );
  // Weights of the layers that made a value.
  const sources = new Map<string, ReadonlySet<string>>();
  const sourcesOf = (names: readonly string[]) => new Set(names.flatMap((name) => [...(sources.get(name) ?? [])]));
  for (const node of graph.nodes) {
    const [data, weight] = node.inputs as readonly [string, string];
    const isLayer = layers.has(node);
    if (isLayer) {
      for (const source of sourcesOf([data])) {
        neighbours.get(source)!.readers.add(kinds.get(weight)!);
        neighbours.get(weight)!.makers.add(kinds.get(source)!);
      }
    }
    const made = isLayer ? new Set([weight]) : sourcesOf(node.inputs);
    for (const output of node.outputs) sources.set(output, made);
  }
  return neighbours;
}

function productOf(
  layer: Layer,
  role: ProductRole,
  kind: PointOperation,
  widths: Widths,
): Omit<Product, "thirdOperandBits"> {
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
 * Widths of a product's tensors: for a weight gradient, its "weights" are the errors and its outputs the gradients. What a
 * layer gives is as wide as its neighbours read it, forward the next layers, backward those before; without any as its own.
 */
function widthsOf(
  layer: PointOperation,
  role: ProductRole,
  precision: Precision,
  { makers, readers }: Neighbours,
): Widths {
  const of = (kind: PointOperation): number => (precision.format === "float" ? 32 : precision[kind]);
  const widest = (kinds: ReadonlySet<PointOperation>): number =>
    kinds.size > 0 ? Math.max(...[...kinds].map(of)) : of(layer);
  const own = of(layer);
  const weights = layer === "shift" ? shiftWeightBits : own;
  switch (role) {
    case "forward":
      return { weights, inputs: own, outputs: widest(readers) };
    case "error":
      return { weights, inputs: own, outputs: widest(makers) };
    case "weightGradient":
      // Sums that grow over a batch; those of add layers are rounded once their largest is known.
      return { weights: own, inputs: own, outputs: 32 };
  }
}
