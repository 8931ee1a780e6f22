// Which products a training step computes, and how many multiply–accumulates each has.

import type { Graph } from "@dovetail/graph";
import { type Network, nodeMacs } from "@dovetail/models";

/** A convolution or matrix product of a network, with its work for one image. */
export interface CountedLayer {
  /** Of its node. */
  readonly name: string;
  readonly macs: number;
  /** Whether the gradient to its input is computed: not for the layer that reads the image. */
  readonly hasErrorProduct: boolean;
}

/** All layers that multiply and accumulate, in the graph's order. */
export function countedLayers({ graph, image, parameters }: Network): readonly CountedLayer[] {
  const trained = parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
  const needsGradient = dependentValues(graph, trained);
  const fromImage = dependentValues(graph, [image]);
  return nodeMacs(graph)
    .filter(({ node }) => node.inputs.some((name) => fromImage.has(name)))
    .map(({ node, macs }) => ({ name: node.name, macs, hasErrorProduct: needsGradient.has(node.inputs[0]!) }));
}

/** Names of the values that are, or are computed from, one of these. */
function dependentValues(graph: Graph, sources: readonly string[]): ReadonlySet<string> {
  const dependent = new Set(sources);
  for (const node of graph.nodes) {
    if (node.inputs.some((name) => dependent.has(name))) for (const name of node.outputs) dependent.add(name);
  }
  return dependent;
}
