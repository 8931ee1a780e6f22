import type { Graph } from "../ir/graph.js";
import { consumedNames, mapSubgraphs } from "../ir/subgraphs.js";
import { forgetVanishedValues } from "./keep-values.js";

/**
 * Takes out nodes and constants that no output depends on, in subgraphs too. Inputs stay, for they are the graph's
 * interface. A custom-gradient region of which one output is needed keeps all its inputs and outputs.
 */
export function eliminateDeadCode(graph: Graph): Graph {
  const live = liveNames(graph);
  const nodes = graph.nodes
    .filter(({ outputs }) => outputs.some((name) => live.has(name)))
    .map((node) => mapSubgraphs(node, eliminateDeadCode));
  const initializers = new Map([...graph.initializers].filter(([name]) => live.has(name)));
  return forgetVanishedValues({ ...graph, nodes, initializers });
}

function liveNames(graph: Graph): ReadonlySet<string> {
  const live = new Set(graph.outputs.map(({ name }) => name));
  // Regions make a node live that stands after its last user, so that one backward sweep may not be enough.
  for (let before = -1; before < live.size; ) {
    before = live.size;
    for (const region of graph.customGradients) {
      if (!region.outputs.some((name) => live.has(name))) continue;
      for (const name of [...region.inputs, ...region.outputs]) live.add(name);
    }
    for (const node of graph.nodes.toReversed()) {
      if (!node.outputs.some((name) => live.has(name))) continue;
      for (const name of consumedNames(node)) live.add(name);
    }
  }
  live.delete("");
  return live;
}
