import { attributeOf } from "../ir/attribute.js";
import type { Graph, Node, Tensor } from "../ir/graph.js";
import { regionNodes } from "../ir/regions.js";
import { int64Vector, isStatic, scalar } from "../ir/tensor.js";
import { eliminateDeadCode } from "./eliminate-dead-code.js";
import { creationEvaluations } from "./evaluate/creation.js";
import { elementwiseEvaluations } from "./evaluate/elementwise.js";
import { type Evaluation, numeric } from "./evaluate/evaluation.js";
import { movementEvaluations } from "./evaluate/movement.js";

const evaluations: Readonly<Record<string, Evaluation>> = {
  ...creationEvaluations,
  ...elementwiseEvaluations,
  ...movementEvaluations,
};

/** Outputs of more values are left to the runtime. */
const defaultMaximumElements = 65_536;

/**
 * Computes the nodes whose inputs are all constants (arithmetic on shapes, elementwise operators, movement of values),
 * and Shape and Size of values whose sizes are all known; what is no longer needed goes.
 *
 * Left alone: subgraphs, nodes inside custom-gradient regions, nodes whose outputs are outputs of the graph or annotated, 16-bit
 * floats, results larger than `maximumElements` (65,536 by default), integer division by zero.
 */
export function foldConstants(graph: Graph, options: { readonly maximumElements?: number | undefined } = {}): Graph {
  const maximumElements = options.maximumElements ?? defaultMaximumElements;
  const kept = new Set([...graph.outputs.map(({ name }) => name), ...graph.annotations.keys()]);
  const inRegion = regionNodes(graph);
  const initializers = new Map(graph.initializers);
  const types = new Map(graph.types);
  const nodes = graph.nodes.filter((node) => {
    if (node.domain !== "" || inRegion.has(node) || node.outputs.some((name) => kept.has(name))) return true;
    const results = evaluate(node, { ...graph, initializers }, maximumElements);
    if (!results) return true;
    node.outputs.forEach((name, index) => {
      const result = results[index]!;
      if (name === "") return;
      initializers.set(name, result);
      types.set(name, { elementType: result.elementType, shape: result.dimensions });
    });
    return false;
  });
  return nodes.length === graph.nodes.length ? graph : eliminateDeadCode({ ...graph, nodes, initializers, types });
}

function evaluate(node: Node, graph: Graph, maximumElements: number): readonly Tensor[] | undefined {
  if (node.operator === "Shape" || node.operator === "Size") return evaluateShape(node, graph);
  if (node.operator === "Constant") {
    const value = attributeOf(node, "value", "tensor");
    return value && [value];
  }
  const evaluation = Object.hasOwn(evaluations, node.operator) ? evaluations[node.operator] : undefined;
  if (!evaluation) return undefined;
  const inputs = node.inputs.map((name) => numeric(graph.initializers.get(name)));
  if (inputs.some((input, index) => input === undefined && node.inputs[index] !== "")) return undefined;
  const results = evaluation({ node, inputs, maximumElements });
  return results?.length === node.outputs.length ? results : undefined;
}

function evaluateShape(node: Node, graph: Graph): readonly Tensor[] | undefined {
  const shape = graph.types.get(node.inputs[0] ?? "")?.shape;
  if (!isStatic(shape)) return undefined;
  if (node.operator === "Size")
    return [
      scalar(
        shape.reduce((product, size) => product * size, 1),
        "int64",
      ),
    ];
  return [int64Vector(shape.slice(attributeOf(node, "start", "int", 0), attributeOf(node, "end", "int")))];
}
