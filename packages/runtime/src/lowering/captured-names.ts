import type { Attribute, Graph, Node } from "@dovetail/graph";

/** Names that the node's subgraphs take from outside. */
export function capturedNames(node: Node): ReadonlySet<string> {
  const captured = new Set<string>();
  for (const attribute of Object.values(node.attributes)) {
    for (const subgraph of subgraphsOf(attribute)) for (const name of freeNames(subgraph)) captured.add(name);
  }
  return captured;
}

function subgraphsOf(attribute: Attribute): readonly Graph[] {
  if (attribute.kind === "graph") return [attribute.value];
  return attribute.kind === "graphs" ? attribute.value : [];
}

function freeNames(graph: Graph): ReadonlySet<string> {
  const own = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const used = [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)];
  for (const node of graph.nodes) used.push(...capturedNames(node));
  return new Set(used.filter((name) => name !== "" && !own.has(name)));
}
