import { attributeOf, dovetailDomain, type Graph, type Node, type Shape } from "@dovetail/graph";

/** Multiply–accumulates of one node, from its operands' and its result's shapes. */
type MacRule = (node: Node, shapeOf: (name: string) => readonly number[]) => number;

const product = (sizes: readonly number[]): number => sizes.reduce((result, size) => result * size, 1);

/** The operators that multiply and accumulate; all others count nothing. */
const macRules: Readonly<Record<string, MacRule>> = {
  Conv: (node, shapeOf) => product(shapeOf(node.outputs[0]!)) * product(shapeOf(node.inputs[1]!).slice(1)),
  ConvTranspose: (node, shapeOf) => product(shapeOf(node.inputs[0]!)) * product(shapeOf(node.inputs[1]!).slice(1)),
  MatMul: (node, shapeOf) => product(shapeOf(node.outputs[0]!)) * shapeOf(node.inputs[0]!).at(-1)!,
  Gemm: (node, shapeOf) =>
    product(shapeOf(node.outputs[0]!)) * shapeOf(node.inputs[0]!)[attributeOf(node, "transA", "int", 0) ? 0 : 1]!,
};

/**
 * Multiply–accumulates of each convolution and matrix product of a graph, in its order, for one image: named dimensions
 * (the batch) count as 1.
 */
export function nodeMacs(graph: Graph): readonly { readonly node: Node; readonly macs: number }[] {
  const shapeOf = (name: string): readonly number[] => sizesOf(graph.types.get(name)?.shape ?? []);
  return graph.nodes.flatMap((node) => {
    const rule = node.domain === "" ? macRules[node.operator] : undefined;
    return rule ? [{ node, macs: rule(node, shapeOf) }] : [];
  });
}

/**
 * Accumulated distances |x − w| of a graph's add layers for one image: as many as a convolution of the same shape has
 * multiply–accumulates, and two additions each.
 */
export function countDistances(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => {
    if (node.domain !== dovetailDomain || node.operator !== "AdderConv") return sum;
    return sum + macRules.Conv!(node, (name) => sizesOf(graph.types.get(name)?.shape ?? []));
  }, 0);
}

/** Multiply–accumulates and distances: the points of a graph's layers, in which the effort of training is counted. */
export function countPoints(graph: Graph): number {
  return countMacs(graph) + countDistances(graph);
}

/** The sum of `nodeMacs`. */
export function countMacs(graph: Graph): number {
  return nodeMacs(graph).reduce((sum, { macs }) => sum + macs, 0);
}

function sizesOf(shape: Shape): readonly number[] {
  return shape.map((size) => (typeof size === "number" ? size : 1));
}
