import type { Graph } from "../ir/graph.js";

/** The graph without what belongs to values that it has no more: types, annotations, custom gradients. */
export function forgetVanishedValues(graph: Graph): Graph {
  const present = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  for (const node of graph.nodes) for (const name of node.outputs) present.add(name);
  const isPresent = ([name]: readonly [string, unknown]): boolean => present.has(name);
  return {
    ...graph,
    types: new Map([...graph.types].filter(isPresent)),
    annotations: new Map([...graph.annotations].filter(isPresent)),
    customGradients: graph.customGradients.filter(({ inputs, outputs }) =>
      [...inputs, ...outputs].every((name) => present.has(name)),
    ),
  };
}
