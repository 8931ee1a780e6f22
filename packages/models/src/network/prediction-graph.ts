import type { Graph } from "@dovetail/graph";
import type { Network } from "./network.js";

/** The network's graph without its noises and the gradients that take them: all that predictions need, and no more to feed. */
export function predictionGraph({ graph, noises }: Network): Graph {
  if (noises.length === 0) return graph;
  const names = new Set(noises.map(({ input }) => input));
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !names.has(name)),
    customGradients: graph.customGradients.filter(({ inputs }) => !inputs.some((name) => names.has(name))),
  };
}
