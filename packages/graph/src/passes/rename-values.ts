import { inputError } from "@dovetail/core";
import type { Graph, Node } from "../ir/graph.js";
import { mapSubgraphs } from "../ir/subgraphs.js";

/**
 * Gives values other names, everywhere: inputs, outputs, constants, nodes, subgraphs, annotations, custom gradients.
 * Throws an input error when a name is unknown, or two values would get the same one.
 */
export function renameValues(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  checkNames(graph, names);
  return rename(graph, names);
}

function rename(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  const to = (name: string): string => names.get(name) ?? name;
  const keys = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...map].map(([name, value]) => [to(name), value]));
  return {
    ...graph,
    inputs: graph.inputs.map(({ name, type }) => ({ name: to(name), type })),
    outputs: graph.outputs.map(({ name, type }) => ({ name: to(name), type })),
    nodes: graph.nodes.map((node) => ({ ...renameInputs(node, names), outputs: node.outputs.map(to) })),
    initializers: keys(graph.initializers),
    types: keys(graph.types),
    annotations: keys(graph.annotations),
    customGradients: graph.customGradients.map((region) => ({
      ...region,
      inputs: region.inputs.map(to),
      outputs: region.outputs.map(to),
    })),
  };
}

/** The node reading values of other names, its subgraphs included. */
export function renameInputs(node: Node, names: ReadonlyMap<string, string>): Node {
  if (names.size === 0) return node;
  const inputs = node.inputs.map((name) => names.get(name) ?? name);
  return { ...mapSubgraphs(node, (subgraph) => rename(subgraph, names)), inputs };
}

function checkNames(graph: Graph, names: ReadonlyMap<string, string>): void {
  const present = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") present.add(name);
  const taken = new Set<string>();
  for (const name of names.keys()) {
    if (!present.has(name)) throw inputError("unknown_value", `graph "${graph.name}" has no value "${name}"`);
  }
  for (const name of present) {
    const renamed = names.get(name) ?? name;
    if (renamed === "") throw inputError("empty_name", `graph "${graph.name}": the new name of "${name}" is empty`);
    if (taken.has(renamed)) {
      throw inputError("duplicate_name", `graph "${graph.name}": two values would be named "${renamed}"`);
    }
    taken.add(renamed);
  }
}
