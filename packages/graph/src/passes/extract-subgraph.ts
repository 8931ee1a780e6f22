import { inputError } from "@dovetail/core";
import type { Graph, Node, Tensor, Value } from "../ir/graph.js";
import { consumedNames } from "../ir/subgraphs.js";
import { forgetVanishedValues } from "./keep-values.js";

/**
 * Cuts out what lies between values: a graph with these inputs and outputs, the nodes between them, and the constants
 * that these need. A graph may be cut into segments, each taking up where the one before ends.
 *
 * Throws an input error when a value is unknown or of unknown type, or when an output needs an input of the whole graph
 * that is not among `inputs`.
 */
export function extractSubgraph(graph: Graph, inputs: readonly string[], outputs: readonly string[]): Graph {
  const boundary = new Set(inputs);
  const needed = neededParts(graph, boundary, outputs);
  const segment = {
    ...graph,
    inputs: inputs.map((name) => typedValue(graph, name)),
    outputs: outputs.map((name) => typedValue(graph, name)),
    nodes: graph.nodes.filter((node) => needed.nodes.has(node)).map((node) => withoutOutputs(node, boundary, graph)),
    initializers: needed.initializers,
  };
  return forgetVanishedValues(segment);
}

function neededParts(
  graph: Graph,
  boundary: ReadonlySet<string>,
  outputs: readonly string[],
): { nodes: ReadonlySet<Node>; initializers: ReadonlyMap<string, Tensor> } {
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) producers.set(name, node);
  const nodes = new Set<Node>();
  const found = new Set<string>();
  const waiting = [...outputs];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (boundary.has(name) || found.has(name)) continue;
    found.add(name);
    const producer = producers.get(name);
    if (producer) {
      nodes.add(producer);
      waiting.push(...consumedNames(producer));
    } else if (!graph.initializers.has(name)) {
      throw missingInput(graph, name);
    }
  }
  return { nodes, initializers: new Map([...graph.initializers].filter(([name]) => found.has(name))) };
}

/** A node that is needed for one output while another comes in from outside: that one is made under a name of its own. */
function withoutOutputs(node: Node, boundary: ReadonlySet<string>, graph: Graph): Node {
  if (!node.outputs.some((name) => boundary.has(name))) return node;
  const unused = (name: string): string => {
    let fresh = `${name}:unused`;
    while (graph.types.has(fresh)) fresh += "'";
    return fresh;
  };
  return { ...node, outputs: node.outputs.map((name) => (boundary.has(name) ? unused(name) : name)) };
}

function missingInput(graph: Graph, name: string): Error {
  if (graph.inputs.some((input) => input.name === name)) {
    return inputError("unbound_input", `graph "${graph.name}": the segment needs the graph's input "${name}"`, {
      hint: "name it among the segment's inputs",
    });
  }
  return inputError("unknown_value", `graph "${graph.name}" has no value "${name}"`);
}

function typedValue(graph: Graph, name: string): Value {
  const type = graph.types.get(name);
  if (!type) throw inputError("unknown_type", `graph "${graph.name}": the type of "${name}" is not known`);
  return { name, type };
}
