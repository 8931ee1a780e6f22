import { attributeOf, type Graph, type Node, tensorNumbers } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { valuesFrom } from "./dependence.js";

/** An activation that is stored between layers, and so is quantized. */
export interface ActivationPoint {
  /** Name of the value. */
  readonly value: string;
  /** Whether it may be negative. */
  readonly signed: boolean;
  /** Values that are computed on the way to it without being stored (before batch normalization and activation). */
  readonly unstored: readonly string[];
}

/** A weight with the axis of its output channels. */
export interface WeightPoint {
  readonly value: string;
  readonly axis: number;
}

/** A bias, which is added to products of a weight and an activation and so counted in units of both scales. */
export interface BiasPoint {
  readonly value: string;
  readonly weight: WeightPoint;
  readonly input: ActivationPoint;
}

/** A weight of an add layer, which is held at the scale of the layer's input: their difference is one of integers. */
export interface DistancePoint {
  readonly value: string;
  readonly input: ActivationPoint;
}

/** What of a network is quantized. */
export interface QuantizationPoints {
  readonly activations: readonly ActivationPoint[];
  /** Of products; those annotated as powers of two have few bits already and stay as they are. */
  readonly weights: readonly WeightPoint[];
  readonly distances: readonly DistancePoint[];
  /** Those of layers with quantized weights and input. */
  readonly biases: readonly BiasPoint[];
}

/** Operators that read stored tensors and compute on them. */
const computing: ReadonlySet<string> = new Set([
  "Conv",
  "ConvTranspose",
  "Gemm",
  "MatMul",
  "Add",
  "Sub",
  "Mul",
  "GlobalAveragePool",
  "AveragePool",
  "Concat",
]);

/** Also the add layer, which is Dovetail's own. */
const reading: ReadonlySet<string> = new Set([...computing, "AdderConv"]);

/** Operators whose result holds no other values than their input: what was quantized stays so. */
export const passingOperators: ReadonlySet<string> = new Set([
  "Flatten",
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "MaxPool",
  "Identity",
  "Dropout",
  "Slice",
]);

/** Operators of one tensor that are computed where their operand was, before it is stored. */
const fusing: ReadonlySet<string> = new Set([
  "BatchNormalization",
  "Relu",
  "Clip",
  "LeakyRelu",
  "PRelu",
  "Sigmoid",
  "HardSigmoid",
  "HardSwish",
  "Tanh",
]);

/** What quantization makes of an operator; those that are not here compute in floating point. */
export type QuantizedRole =
  /** Reads a quantized tensor and a weight that is quantized channel by channel. */
  | "weighted"
  /** Reads quantized tensors. */
  | "computing"
  /** Computed where its operand was, before that is stored. */
  | "fused"
  /** Its result holds no other values than its input: what was quantized stays so. */
  | "passing";

const arithmetic: ReadonlySet<string> = new Set(["Add", "Sub", "Mul", "Div"]);

/** Axis of the output channels of a weight, by operator. */
export const channelAxes: Readonly<Record<string, (node: Node, rank: number) => number>> = {
  Conv: () => 0,
  ConvTranspose: () => 1,
  Gemm: (node) => (attributeOf(node, "transB", "int", 0) ? 0 : 1),
  MatMul: (_, rank) => rank - 1,
};

const rolesOf = (operators: Iterable<string>, role: QuantizedRole): Record<string, QuantizedRole> =>
  Object.fromEntries([...operators].map((operator) => [operator, role]));

/** By operator. Add, Sub, Mul and Div with a constant are fused too. */
export const quantizedRoles: Readonly<Record<string, QuantizedRole>> = {
  ...rolesOf(passingOperators, "passing"),
  ...rolesOf(fusing, "fused"),
  ...rolesOf(computing, "computing"),
  ...rolesOf(Object.keys(channelAxes), "weighted"),
};

/**
 * Finds the tensors of a network that an accelerator stores between layers, and its weights. A convolution, product or
 * sum is stored after the batch normalization, activation or constant arithmetic that alone reads it; the logits leave
 * as they are.
 */
export function quantizationPoints(network: Network): QuantizationPoints {
  const { graph } = network;
  const readers = readersOf(graph);
  const constants = new Set([...graph.initializers.keys(), ...network.parameters.map(({ name }) => name)]);
  const nonNegative = nonNegativeValues(network);
  const outputs = new Set([network.logits, ...graph.outputs.map(({ name }) => name)]);
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));

  const isFused = (node: Node): boolean => fusing.has(node.operator) || isConstantArithmetic(node, constants);
  const isStored = (name: string): boolean => {
    const nodes = readers.get(name) ?? [];
    return !(nodes.length === 1 && isFused(nodes[0]!)) && nodes.some((node) => isComputedOn(node, readers, isFused));
  };
  const unstored = (name: string): string[] => {
    const node = producers.get(name);
    const input = node && isFused(node) ? node.inputs.find((operand) => !constants.has(operand)) : undefined;
    return !producers.has(input ?? "") || isStored(input!) ? [] : [...unstored(input!), input!];
  };
  // Weights may be computed too.
  const fromImage = valuesFrom(network, new Set([network.image]));
  const candidates = [
    network.image,
    ...graph.nodes.filter((node) => !passingOperators.has(node.operator)).flatMap((node) => node.outputs),
  ];
  const activations = candidates
    .filter((name) => fromImage.has(name) && !outputs.has(name) && isFloat(graph, name) && isStored(name))
    .map((value) => ({ value, signed: !nonNegative.has(value), unstored: unstored(value) }));
  const weights = weightPoints(network);
  const inputOf = inputFinder(activations, producers);
  return {
    activations,
    weights,
    distances: distancePoints(network, inputOf),
    biases: biasPoints(network, weights, inputOf),
  };
}

/** True for a node that computes on its operand, or passes it on to one that does. */
function isComputedOn(
  node: Node,
  readers: ReadonlyMap<string, readonly Node[]>,
  isFused: (node: Node) => boolean,
): boolean {
  if (reading.has(node.operator) || isFused(node)) return true;
  if (!passingOperators.has(node.operator)) return false;
  return (readers.get(node.outputs[0]!) ?? []).some((reader) => isComputedOn(reader, readers, isFused));
}

function isConstantArithmetic(node: Node, constants: ReadonlySet<string>): boolean {
  return arithmetic.has(node.operator) && node.inputs.some((name) => constants.has(name));
}

function isFloat(graph: Graph, name: string): boolean {
  return graph.types.get(name)?.elementType === "float32";
}

function readersOf(graph: Graph): Map<string, Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  return readers;
}

/** Values that are known never to be negative. */
export function nonNegativeValues(network: Network): ReadonlySet<string> {
  const { graph } = network;
  const known = new Set<string>();
  if (network.imageRange[0] >= 0) known.add(network.image);
  const lowOf = (node: Node): number => {
    const low = graph.initializers.get(node.inputs[1] ?? "");
    return low ? tensorNumbers(low)[0]! : Number.NEGATIVE_INFINITY;
  };
  const preserving = new Set([...passingOperators, "Add", "Mul", "GlobalAveragePool", "AveragePool", "Concat", "Clip"]);
  for (const node of graph.nodes) {
    const always = ["Relu", "Sigmoid", "HardSigmoid", "Softmax"].includes(node.operator);
    const clipped = node.operator === "Clip" && lowOf(node) >= 0;
    const operands = ["Add", "Mul", "Concat"].includes(node.operator) ? node.inputs : node.inputs.slice(0, 1);
    const kept = preserving.has(node.operator) && operands.every((name) => known.has(name));
    if (always || clipped || kept) known.add(node.outputs[0]!);
  }
  return known;
}

function weightPoints(network: Network): WeightPoint[] {
  const { annotations } = network.graph;
  const quantized = network.parameters.filter(
    ({ name, role }) => role === "weight" && !annotations.get(name)?.powerOfTwo,
  );
  const weights = new Map(quantized.map((spec) => [spec.name, spec]));
  const points = new Map<string, WeightPoint>();
  for (const node of network.graph.nodes) {
    const axisOf = channelAxes[node.operator];
    const weight = weights.get(node.inputs[1] ?? "");
    if (!axisOf || !weight || points.has(weight.name)) continue;
    points.set(weight.name, { value: weight.name, axis: axisOf(node, weight.shape.length) });
  }
  return [...points.values()];
}

type InputFinder = (operand: string) => ActivationPoint | undefined;

/** The stored activation that an operand holds values of. */
function inputFinder(activations: readonly ActivationPoint[], producers: ReadonlyMap<string, Node>): InputFinder {
  const source = (name: string): string => {
    const producer = producers.get(name);
    return producer && passingOperators.has(producer.operator) ? source(producer.inputs[0]!) : name;
  };
  return (operand) => {
    const value = source(operand);
    return activations.find((point) => point.value === value);
  };
}

function distancePoints({ graph, parameters }: Network, inputOf: InputFinder): DistancePoint[] {
  const weights = new Set(parameters.filter(({ role }) => role === "adderWeight").map(({ name }) => name));
  const points = new Map<string, DistancePoint>();
  for (const { operator, inputs } of graph.nodes) {
    if (operator !== "AdderConv" || !weights.has(inputs[1]!)) continue;
    const input = inputOf(inputs[0]!);
    if (input) points.set(inputs[1]!, { value: inputs[1]!, input });
  }
  return [...points.values()];
}

function biasPoints(network: Network, weights: readonly WeightPoint[], inputOf: InputFinder): BiasPoint[] {
  const ranks = new Map(network.parameters.map(({ name, shape }) => [name, shape.length]));
  const points = new Map<string, BiasPoint>();
  for (const node of network.graph.nodes) {
    const [data, weightName, value] = node.inputs;
    if (!channelAxes[node.operator] || ranks.get(value ?? "") !== 1 || points.has(value!)) continue;
    const weight = weights.find((point) => point.value === weightName);
    const input = inputOf(data!);
    if (weight && input) points.set(value!, { value: value!, weight, input });
  }
  return [...points.values()];
}
