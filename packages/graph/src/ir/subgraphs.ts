import type { Graph, Node } from "./graph.js";

/** The graphs in a node's attributes (branches of If, bodies of Loop and Scan). */
export function subgraphsOf(node: Node): readonly Graph[] {
  const graphs: Graph[] = [];
  for (const name in node.attributes) {
    const attribute = node.attributes[name]!;
    if (attribute.kind === "graph") graphs.push(attribute.value);
    else if (attribute.kind === "graphs") graphs.push(...attribute.value);
  }
  return graphs;
}

/** The node with each graph in its attributes changed. */
export function mapSubgraphs(node: Node, change: (graph: Graph) => Graph): Node {
  if (subgraphsOf(node).length === 0) return node;
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]) => {
      if (attribute.kind === "graph") return [name, { kind: "graph" as const, value: change(attribute.value) }];
      if (attribute.kind === "graphs") return [name, { kind: "graphs" as const, value: attribute.value.map(change) }];
      return [name, attribute];
    }),
  );
  return { ...node, attributes };
}

/** Names of the values that a node needs: its inputs, and what its subgraphs take from the surrounding graph. */
export function consumedNames(node: Node): readonly string[] {
  const names = node.inputs.filter((name) => name !== "");
  for (const graph of subgraphsOf(node)) names.push(...capturedNames(graph));
  return names;
}

/** Names of the values that a subgraph takes from the graphs around it. */
export function capturedNames(graph: Graph): readonly string[] {
  const own = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  const consumed = new Set(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    for (const name of node.outputs) own.add(name);
    for (const name of consumedNames(node)) consumed.add(name);
  }
  return [...consumed].filter((name) => !own.has(name));
}
