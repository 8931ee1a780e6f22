import { internalError } from "@dovetail/core";
import { GraphBuilder } from "../builder/builder.js";
import { dovetailDomain, type Graph, type Node, type TensorType } from "../ir/graph.js";
import { ownOperators } from "./own-operators.js";

/**
 * The same graph with every operator of Dovetail's own domain written in standard operators (opset 18), so that it
 * exports as plain ONNX. Names of existing values are kept; those in `except` (names without the domain), and
 * operators of the domain that have no expansion here, stay as they are.
 */
export function expandOwnOperators(graph: Graph, options: { readonly except?: ReadonlySet<string> } = {}): Graph {
  const expandable = (node: Node): boolean =>
    node.domain === dovetailDomain && node.operator in ownOperators && !options.except?.has(node.operator);
  if (!graph.nodes.some(expandable)) return graph;
  const types = new Map(graph.types);
  const initializers = new Map(graph.initializers);
  const names = new Set([...graph.types.keys(), ...graph.nodes.map(({ name }) => name)]);
  const nodes = graph.nodes.flatMap((node) => {
    if (!expandable(node)) return [node];
    const fragment = expansion(node, types, names);
    for (const [name, type] of fragment.types) if (!types.has(name)) types.set(name, type);
    for (const [name, constant] of fragment.initializers) initializers.set(name, constant);
    for (const name of [...fragment.types.keys(), ...fragment.nodes.map((inner) => inner.name)]) names.add(name);
    return fragment.nodes;
  });
  return { ...graph, nodes, types, initializers };
}

/** The node's computation as a graph of its own, whose values have names that the whole graph does not have. */
function expansion(node: Node, types: ReadonlyMap<string, TensorType>, taken: ReadonlySet<string>): Graph {
  for (let attempt = 0; ; attempt++) {
    const fragment = expansionInScope(node, types, attempt === 0 ? node.name : `${node.name}_${attempt}`);
    const own = new Set([...node.inputs, ...node.outputs]);
    const names = [...fragment.types.keys(), ...fragment.nodes.map(({ name }) => name)];
    if (!names.some((name) => taken.has(name) && !own.has(name))) return fragment;
  }
}

function expansionInScope(node: Node, types: ReadonlyMap<string, TensorType>, scope: string): Graph {
  const g = new GraphBuilder(node.name);
  const inputs = node.inputs.map((name) => {
    if (name === "") return undefined;
    const type = types.get(name);
    if (!type?.shape) {
      throw internalError(
        "unknown_shape",
        `node "${node.name}" (${node.operator}): the shape of "${name}" is not known`,
      );
    }
    return g.has(name) ? g.value(name) : g.input(name, type.elementType, type.shape);
  });
  const outputs = g.scope(scope, () => ownOperators[node.operator]!.expand({ node, inputs, g }));
  node.outputs.forEach((name, index) => {
    if (name !== "") g.output(outputs[index]!, name);
  });
  return g.build();
}
