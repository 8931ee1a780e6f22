// The residual blocks of a network, found by their form: a sum of two paths that part at one value.

import type { Graph, Node } from "@dovetail/graph";
import type { Network } from "@dovetail/models";

/** A sum of a branch, which a gate may skip, and a shortcut. */
export interface ResidualBlock {
  /** The value from which both paths start. */
  readonly input: string;
  /** Nodes of the branch, in the graph's order. */
  readonly branch: readonly Node[];
  /** Nodes of the shortcut; none for an identity. */
  readonly shortcut: readonly Node[];
  /** What the branch adds. */
  readonly branchOutput: string;
  readonly sum: Node;
}

const layerOperators: ReadonlySet<string> = new Set(["Conv", "Gemm", "MatMul"]);

/**
 * The sums whose operands part at a value of rank 4, in the graph's order; the operand behind more layers is the branch
 * (the first of two alike). Sums inside another block's branch are left out.
 */
export function residualBlocks({ graph, image }: Network): readonly ResidualBlock[] {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const position = new Map(graph.nodes.map((node, index) => [node, index]));
  const blocks: ResidualBlock[] = [];
  const inBranches = new Set<Node>();
  for (const sum of graph.nodes.toReversed()) {
    if (sum.operator !== "Add" || inBranches.has(sum)) continue;
    const block = blockOf(graph, image, producers, position, sum);
    if (!block) continue;
    for (const node of [...block.branch, ...block.shortcut]) inBranches.add(node);
    blocks.push(block);
  }
  return blocks.reverse();
}

function blockOf(
  graph: Graph,
  image: string,
  producers: ReadonlyMap<string, Node>,
  position: ReadonlyMap<Node, number>,
  sum: Node,
): ResidualBlock | undefined {
  const [left, right] = sum.inputs.map((name) => valuesBefore(name, producers));
  if (!left || !right || !left.has(image) || !right.has(image)) return undefined;
  const common = [...left].filter((name) => right.has(name) && producers.has(name));
  const last = (a: string, b: string): string =>
    position.get(producers.get(a)!)! >= position.get(producers.get(b)!)! ? a : b;
  if (common.length === 0) return undefined;
  const input = common.reduce(last);
  if (graph.types.get(input)?.shape?.length !== 4) return undefined;
  const paths = sum.inputs.map((name) => nodesBetween(graph, input, name, producers));
  const layers = paths.map((nodes) => nodes.filter(({ operator }) => layerOperators.has(operator)).length);
  const of = layers[1]! > layers[0]! ? 1 : 0;
  if (layers[of] === 0) return undefined;
  return { input, branch: paths[of]!, shortcut: paths[1 - of]!, branchOutput: sum.inputs[of]!, sum };
}

/** The value and all that it is computed from. */
function valuesBefore(name: string, producers: ReadonlyMap<string, Node>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === "" || found.has(next)) continue;
    found.add(next);
    open.push(...(producers.get(next)?.inputs ?? []));
  }
  return found;
}

/** The nodes that compute `output` and depend on `input`. */
function nodesBetween(
  graph: Graph,
  input: string,
  output: string,
  producers: ReadonlyMap<string, Node>,
): readonly Node[] {
  const before = valuesBefore(output, producers);
  const after = new Set([input]);
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (!node.outputs.some((name) => before.has(name)) || !node.inputs.some((name) => after.has(name))) continue;
    for (const name of node.outputs) after.add(name);
    nodes.push(node);
  }
  return nodes;
}
