import { inputError } from "@dovetail/core";
import type { Graph, Node, TensorAnnotation } from "@dovetail/graph";
import type { LayerBitWidths } from "../layers.js";
import { macCount, type PointOperation, type Problem, shapeKey } from "../problem.js";
import { annotationOf, elementBits, readBitWidth, storedBitWidth } from "./bit-widths.js";
import { convolutionLayers } from "./convolution.js";
import { type GraphFacts, graphFacts } from "./facts.js";
import type { LayerContext, LayerRule, LayerTable, LoopNest } from "./layer-rule.js";
import { matrixLayers } from "./matrix.js";
import { freeOperators, type OperationKind, operationTable } from "./operation.js";
import { type SizeOptions, withSizes } from "./sizes.js";

export interface ExtractOptions extends SizeOptions {
  /** Bits of floating-point values of which the graph says nothing; their element type's own by default. */
  readonly bitWidths?: LayerBitWidths | undefined;
  /**
   * Names of the graph's inputs that are data; the others are parameters. By default those with a size known by name
   * only (the batch), or all of them where there is none.
   */
  readonly dataInputs?: readonly string[] | undefined;
}

/** One of a layer's three tensors. */
export interface LayerTensor {
  /** Name of the value in the graph. */
  readonly name: string;
  readonly annotation?: TensorAnnotation | undefined;
}

/**
 * The multiply-accumulates of a node as a loop nest. `problem.operation` says what they are: multiplications, shifts where
 * the weights are annotated as powers of two, or the additions of an add layer.
 */
export interface Layer {
  /** Name of the node; recurrent nodes have two layers, `name.input` and `name.recurrence`. */
  readonly name: string;
  readonly operator: string;
  readonly problem: Problem;
  /** Equal for layers that cost the same under every mapping. */
  readonly key: string;
  /** How often the loop nest runs, one after the other: directions and time steps of recurrent layers, else 1. */
  readonly repetitions: number;
  /** Multiply-accumulates of all repetitions. */
  readonly macs: number;
  /** Whether the data space Weights holds parameters, or values that change with the data (attention). */
  readonly weightsAre: "parameters" | "data";
  readonly weights: LayerTensor;
  readonly inputs: LayerTensor;
  readonly outputs: LayerTensor;
}

/** A tensor that an operation reads or writes. */
export interface OperationTensor {
  readonly name: string;
  readonly elements: number;
  /** Bits of each element. */
  readonly bitWidth: number;
}

/** What a node does besides multiply-accumulates. */
export interface Operation {
  /** Name of the node. */
  readonly name: string;
  readonly operator: string;
  readonly kind: OperationKind;
  /** Inputs that change with the data. */
  readonly inputs: readonly OperationTensor[];
  /** Parameters and constants. */
  readonly parameters: readonly OperationTensor[];
  readonly outputs: readonly OperationTensor[];
  /** How many values are combined: window size × outputs of a pooling, inputs of a reduction, outputs elsewhere. */
  readonly combinedValues: number;
}

/** What a network computes, in the order of its nodes. */
export interface Workloads {
  readonly layers: readonly Layer[];
  readonly operations: readonly Operation[];
}

/** Operators whose multiply-accumulates have a loop nest; those outside ONNX's own domain are written `domain.Name`. */
export const layerTable: LayerTable = { ...convolutionLayers, ...matrixLayers };

/**
 * Reads the layers out of a graph: every convolution and matrix product as a loop nest with the bit-widths of its
 * tensors, everything else as operations with element counts. What depends on shapes and parameters alone is done
 * before the network runs and is left out. Padding counts as multiply-accumulates, biases do not.
 *
 * Bit-widths are, in this order: annotated on the value; those of an integer type; those of the integers behind a
 * DequantizeLinear (a layer's output: in front of the QuantizeLinear that follows it); `bitWidths`; the element type's.
 *
 * @throws DovetailError `unknown_size` for named sizes without a number; `empty_layer` for one of size 0; `no_workload_rule` for operators (among them
 * If and Loop, whose work is known at run time only) that have no entry in the tables.
 */
export function extractWorkloads(graph: Graph, options: ExtractOptions = {}): Workloads {
  const facts = graphFacts(withSizes(graph, options), dataInputsOf(graph, options));
  const layers: Layer[] = [];
  const operations: Operation[] = [];
  for (const node of facts.graph.nodes) {
    if (!node.outputs.some((name) => facts.isData(name))) continue;
    const operator = qualifiedName(node);
    const rule = layerTable[operator];
    if (rule) layers.push(...layersOf(facts, node, rule, options.bitWidths ?? {}));
    else if (!freeOperators.has(operator)) operations.push(operationOf(facts, node, operator));
  }
  return { layers, operations };
}

/** Layers that cost the same, together. */
export interface DistinctLayer {
  readonly key: string;
  /** The first layer's problem. */
  readonly problem: Problem;
  readonly layers: readonly Layer[];
  /** How often the loop nest runs in the whole network. */
  readonly repetitions: number;
}

/** Groups layers by what they cost, in the order of first appearance: each group needs one search for a mapping. */
export function distinctLayers(layers: readonly Layer[]): readonly DistinctLayer[] {
  const groups = new Map<string, Layer[]>();
  for (const layer of layers) {
    const group = groups.get(layer.key);
    if (group) group.push(layer);
    else groups.set(layer.key, [layer]);
  }
  return [...groups].map(([key, group]) => ({
    key,
    problem: group[0]!.problem,
    layers: group,
    repetitions: group.reduce((sum, { repetitions }) => sum + repetitions, 0),
  }));
}

function qualifiedName(node: Node): string {
  return node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
}

function dataInputsOf(graph: Graph, { dataInputs }: ExtractOptions): ReadonlySet<string> {
  const names = new Set(graph.inputs.map(({ name }) => name));
  for (const name of graph.initializers.keys()) names.delete(name);
  if (dataInputs) {
    for (const name of dataInputs) {
      if (names.has(name)) continue;
      throw inputError("unknown_input", `graph "${graph.name}" has no input "${name}"`, {
        expected: `one of ${[...names].join(", ")}`,
        received: name,
      });
    }
    return new Set(dataInputs);
  }
  const named = graph.inputs.filter(({ type }) => type.shape?.some((size) => typeof size === "string") ?? true);
  return named.length > 0 ? new Set(named.map(({ name }) => name)) : names;
}

function layersOf(facts: GraphFacts, node: Node, rule: LayerRule, defaults: LayerBitWidths): readonly Layer[] {
  const name = node.name === "" ? node.outputs[0]! : node.name;
  const context: LayerContext = {
    node,
    name: problemName(name),
    shape: (index) => facts.shape(node.inputs[index] ?? ""),
    outputShape: (index) => facts.shape(node.outputs[index] ?? ""),
    isData: (index) => facts.isData(node.inputs[index] ?? ""),
    fail: (message) => inputError("no_loop_nest", `node "${name}" (${node.operator}): ${message}`),
  };
  return rule(context).map((nest) => layerOf(facts, context, name, nest, defaults));
}

function layerOf(
  facts: GraphFacts,
  { node }: LayerContext,
  name: string,
  nest: LoopNest,
  defaults: LayerBitWidths,
): Layer {
  const weights = node.inputs[nest.weights]!;
  const inputs = node.inputs[nest.inputs]!;
  const outputs = node.outputs.find((output) => output !== "")!;
  const weightsAre = facts.isData(weights) ? "data" : "parameters";
  const annotation = annotationOf(facts, weights);
  const isShift = weightsAre === "parameters" && annotation?.powerOfTwo === true;
  const operation: PointOperation = nest.operation ?? (isShift ? "shift" : "multiply");
  const loopNest = nest.problem({
    weights: readBitWidth(facts, weights) ?? defaults.weights ?? elementBits(facts, weights),
    inputs: readBitWidth(facts, inputs) ?? defaults.inputs ?? elementBits(facts, inputs),
    outputs: storedBitWidth(facts, outputs) ?? defaults.outputs ?? elementBits(facts, outputs),
  });
  const problem = operation === "multiply" ? loopNest : { ...loopNest, operation };
  const empty = Object.entries(problem.dimensions).find(([, size]) => size < 1);
  if (empty) {
    throw inputError("empty_layer", `node "${node.name}" (${node.operator}): the layer has nothing to compute`, {
      expected: "at least 1 along every dimension",
      received: `${empty[0]} = ${empty[1]}`,
    });
  }
  const repetitions = nest.repetitions ?? 1;
  return {
    name: nest.part === undefined ? name : `${name}.${nest.part}`,
    operator: qualifiedName(node),
    problem,
    key: shapeKey(problem),
    repetitions,
    macs: macCount(problem) * repetitions,
    weightsAre,
    weights: { name: weights, annotation },
    inputs: { name: inputs, annotation: annotationOf(facts, inputs) },
    outputs: { name: outputs, annotation: annotationOf(facts, outputs) },
  };
}

/** The name with what a problem's name may not have replaced by `_`. */
function problemName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_");
  return /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
}

function operationOf(facts: GraphFacts, node: Node, operator: string): Operation {
  const rule = operationTable[operator];
  if (!rule) {
    throw inputError("no_workload_rule", `node "${node.name}": what this operator costs is not known`, {
      received: operator,
    });
  }
  const size = (name: string, bitWidth: number | undefined): OperationTensor => ({
    name,
    elements: facts.shape(name).reduce((count, extent) => count * extent, 1),
    bitWidth: bitWidth ?? elementBits(facts, name),
  });
  const read = node.inputs.filter((name) => name !== "").map((name) => size(name, readBitWidth(facts, name)));
  const inputs = read.filter(({ name }) => facts.isData(name));
  const outputs = node.outputs.filter((name) => name !== "").map((name) => size(name, storedBitWidth(facts, name)));
  const joins = (operator === "Add" || operator === "Sum") && inputs.length >= 2;
  return {
    name: node.name,
    operator,
    kind: joins && inputs.every(({ elements }) => elements === outputs[0]!.elements) ? "residualAddition" : rule.kind,
    inputs,
    parameters: read.filter(({ name }) => !facts.isData(name)),
    outputs,
    combinedValues: rule.combined({ node, inputElements: inputs[0]!.elements, outputElements: outputs[0]!.elements }),
  };
}
