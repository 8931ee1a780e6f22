import { inputError } from "@dovetail/core";
import {
  attributeOf,
  dovetailDomain,
  type Graph,
  int64Vector,
  type Model,
  type Node,
  printType,
  type Tensor,
  type TensorAnnotation,
  tensorData,
  tensorNumbers,
} from "@dovetail/graph";
import { defaultWeightInitialization } from "../layers/convolution.js";
import { parameterSpec } from "./builder.js";
import type { Initialization, Network, ParameterRole, ParameterSpec } from "./network.js";
import { type NodeRewrite, rewriteGraph } from "./rewrite.js";

/** Which operands of an operator are parameters when they are constants. */
const parameterOperands: Readonly<Record<string, Readonly<Record<number, ParameterRole>>>> = {
  Conv: { 1: "weight", 2: "bias" },
  ConvTranspose: { 1: "weight", 2: "bias" },
  Gemm: { 0: "weight", 1: "weight", 2: "bias" },
  MatMul: { 0: "weight", 1: "weight" },
  BatchNormalization: { 1: "scale", 2: "shift", 3: "runningMean", 4: "runningVariance" },
  InstanceNormalization: { 1: "scale", 2: "shift" },
  LayerNormalization: { 1: "scale", 2: "shift" },
  PRelu: { 1: "scale" },
  "ai.dovetail.AdderConv": { 1: "adderWeight" },
  LSTM: { 1: "weight", 2: "weight", 3: "bias" },
};

/** Operators after which adding a constant is adding a bias. */
const biasedOperators: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/**
 * An imported image classifier as a network: its float32 constants that are weights, biases and normalization
 * parameters become parameters, the rest stays. One softmax at the end stays in the graph, but losses work on its
 * input. A fixed batch size becomes a symbolic one. A constant that several nodes share stays one parameter if it is a
 * weight, and becomes one for each node otherwise (exporters merge constants that are merely equal). `imageRange` says
 * which values the model's image has: raw pixels, [0, 255], by default.
 *
 * Throws when there is not exactly one image input [batch, channels, height, width] of float32, when the first output
 * is not [batch, classes], or when the model's values are not there (shape-only).
 */
export function networkOfModel(
  model: Model,
  options: { readonly imageRange?: readonly [number, number] | undefined } = {},
): { readonly network: Network; readonly weights: Map<string, Tensor> } {
  const image = imageInputOf(model.graph);
  const graph = separateSharedConstants(withSymbolicBatch(withConstants(model.graph), image));
  const { logits, classCount } = logitsOf(graph);
  const roles = parameterRoles(graph);
  const weights = new Map<string, Tensor>();
  const parameters: ParameterSpec[] = [];
  for (const [name, { role, fanIn }] of roles) {
    const constant = graph.initializers.get(name)!;
    tensorData(constant, name);
    weights.set(name, constant);
    const initialization = initializationOf(role, constant.dimensions, fanIn);
    parameters.push(parameterSpec(name, constant.dimensions, { role, initialization }));
  }
  const types = parameters.map(({ name }) => ({ name, type: graph.types.get(name)! }));
  const network: Network = {
    name: graph.name,
    graph: {
      ...graph,
      inputs: [...graph.inputs, ...types],
      initializers: new Map([...graph.initializers].filter(([name]) => !weights.has(name))),
    },
    image,
    imageRange: options.imageRange ?? [0, 255],
    logits,
    classCount,
    parameters,
    scalars: [],
    observedRanges: [],
    noises: [],
  };
  return { network, weights };
}

/**
 * The network without what is noted of its parameters' values, all of it or these fields only: for weights that will be
 * others (a training, a compression), of which the notes would no longer be true.
 */
export function withoutParameterNotes(network: Network, fields?: readonly (keyof TensorAnnotation)[]): Network {
  const annotations = new Map(network.graph.annotations);
  for (const { name } of network.parameters) {
    const annotation = annotations.get(name);
    if (annotation === undefined) continue;
    const dropped = new Set<string>(fields ?? Object.keys(annotation));
    const kept = Object.entries(annotation).filter(([field]) => !dropped.has(field));
    if (kept.length > 0) annotations.set(name, Object.fromEntries(kept));
    else annotations.delete(name);
  }
  return { ...network, graph: { ...network.graph, annotations } };
}

function imageInputOf(graph: Graph): string {
  const [image, ...others] = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  if (!image || others.length > 0 || image.type.elementType !== "float32" || image.type.shape?.length !== 4) {
    throw inputError("network_form", `inputs of model "${graph.name}"`, {
      expected: "one image, float32[batch,channels,height,width]",
      received: graph.inputs.map(({ name, type }) => `${name} ${printType(type)}`).join(", ") || "none",
    });
  }
  return image.name;
}

/** Tensors of `Constant` nodes as initializers: some exporters write weights so. */
function withConstants(graph: Graph): Graph {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const isConstant = node.domain === "" && node.operator === "Constant" && !outputs.has(node.outputs[0]!);
    const value = isConstant ? attributeOf(node, "value", "tensor") : undefined;
    if (value === undefined) return true;
    initializers.set(node.outputs[0]!, value);
    return false;
  });
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes, initializers };
}

/** Puts the dimension `batch` first in the image and in the reshapes that repeat a fixed batch size. */
function withSymbolicBatch(graph: Graph, image: string): Graph {
  const batch = graph.types.get(image)?.shape?.[0];
  if (typeof batch === "string") return graph;
  const isBatch = (name: string | undefined): boolean => graph.types.get(name ?? "")?.shape?.[0] === batch;
  const reshape: NodeRewrite = ({ node, inputs, g, keep }) => {
    const target = graph.initializers.get(node.inputs[1] ?? "");
    const sizes = target ? tensorNumbers(target) : [];
    if (sizes[0] !== batch || !isBatch(node.inputs[0]) || !isBatch(node.outputs[0])) return keep();
    const shape = g.constant(int64Vector([0, ...sizes.slice(1)]));
    return g.node("Reshape", [inputs[0], shape], {}, { name: node.name, outputs: node.outputs });
  };
  const inputs = graph.inputs.map(({ name, type }) =>
    name === image ? { name, type: { ...type, shape: ["batch", ...type.shape!.slice(1)] } } : { name, type },
  );
  return rewriteGraph({ ...graph, inputs }, { nodes: { Reshape: reshape } }).graph;
}

/** The first output, or what its softmax is taken of. */
function logitsOf(graph: Graph): { readonly logits: string; readonly classCount: number } {
  const output = graph.outputs[0];
  const producer = graph.nodes.find((node) => output && node.outputs.includes(output.name));
  const isSoftmax = producer?.domain === "" && (producer.operator === "Softmax" || producer.operator === "LogSoftmax");
  const logits = isSoftmax ? producer.inputs[0]! : (output?.name ?? "");
  const shape = graph.types.get(logits)?.shape;
  if (shape?.length !== 2 || typeof shape[1] !== "number") {
    throw inputError("network_form", `first output of model "${graph.name}"`, {
      expected: "logits or probabilities, float32[batch,classes]",
      received: output ? `${output.name} ${printType(output.type)}` : "no output",
    });
  }
  return { logits, classCount: shape[1] };
}

/** Gives each node its own copy of a constant that other nodes share, unless it is a weight. */
function separateSharedConstants(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  const types = new Map(graph.types);
  const seen = new Set<string>();
  const nodes = graph.nodes.map((node) => {
    const inputs = node.inputs.map((name, index) => {
      const role = operandRole(node, index);
      const constant = graph.initializers.get(name);
      if (!role || isWeight(role) || !constant) return name;
      if (!seen.has(name)) {
        seen.add(name);
        return name;
      }
      let copy = `${node.name}.${role}`;
      while (types.has(copy)) copy += "_";
      initializers.set(copy, constant);
      types.set(copy, graph.types.get(name)!);
      return copy;
    });
    return { ...node, inputs };
  });
  return { ...graph, nodes, initializers, types };
}

const isWeight = (role: ParameterRole): boolean => role === "weight" || role === "adderWeight";

function operandRole(node: Node, index: number): ParameterRole | undefined {
  const operator = node.domain === dovetailDomain ? `${node.domain}.${node.operator}` : node.operator;
  return node.domain === "" || node.domain === dovetailDomain ? parameterOperands[operator]?.[index] : undefined;
}

/** Role and fan in of each constant that is a parameter. */
function parameterRoles(graph: Graph): Map<string, { readonly role: ParameterRole; readonly fanIn?: number }> {
  const roles = new Map<string, { readonly role: ParameterRole; readonly fanIn?: number }>();
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  for (const node of graph.nodes) {
    const fanIn = fanInOf(graph, node);
    node.inputs.forEach((name, index) => {
      const constant = graph.initializers.get(name);
      if (constant?.elementType !== "float32" || roles.has(name)) return;
      const role = operandRole(node, index) ?? (isBias(graph, node, index, producers) ? "bias" : undefined);
      if (role) roles.set(name, fanIn === undefined ? { role } : { role, fanIn });
    });
  }
  return roles;
}

/** True for a vector of constants that is added to the result of a convolution or product, one value a channel. */
function isBias(graph: Graph, node: Node, index: number, producers: ReadonlyMap<string, Node>): boolean {
  if (node.domain !== "" || node.operator !== "Add") return false;
  const producer = producers.get(node.inputs[1 - index] ?? "");
  if (!producer || !biasedOperators.has(producer.operator)) return false;
  const sizes = graph.initializers.get(node.inputs[index]!)!.dimensions.filter((size) => size !== 1);
  return sizes.length === 1;
}

/** How many products are summed for one output. */
function fanInOf(graph: Graph, node: Node): number | undefined {
  const weight = graph.types.get(node.inputs[1] ?? "")?.shape;
  if (!weight?.every((size) => typeof size === "number")) return undefined;
  if (node.operator === "Conv") return weight.slice(1).reduce((product, size) => product * size, 1);
  if (node.operator === "MatMul") return weight.at(-2);
  if (node.operator === "Gemm") return weight[node.attributes.transB?.value === 1 ? 1 : 0];
  return undefined;
}

/** How a parameter of this role would start if the network were trained from scratch: PyTorch's defaults. */
function initializationOf(role: ParameterRole, shape: readonly number[], fanIn: number | undefined): Initialization {
  if (role === "scale" || role === "runningVariance") return { kind: "constant", value: 1 };
  if (role === "adderWeight") return { kind: "normal", mean: 0, standardDeviation: 1 };
  if (role === "weight" && fanIn !== undefined) return { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
  if (role === "weight" && shape.length >= 2) return defaultWeightInitialization;
  if (role === "bias" && fanIn !== undefined) return { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
  return { kind: "constant", value: 0 };
}
