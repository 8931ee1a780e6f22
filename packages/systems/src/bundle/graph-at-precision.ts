import type { Graph, TensorAnnotation } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { layersOf, type Layer as NetworkLayer, quantizationPoints } from "@dovetail/quant";

/** Layers that a switchable network leaves in full precision where nothing is said: stem and classifier. */
export function isStemOrClassifier({ role }: NetworkLayer): boolean {
  return role === "stem" || role === "classifier";
}

/**
 * The graph of a network, before it was made switchable, with the bit-widths that its tensors have at a precision: what
 * the hardware side reads. Weights and inputs of the layers that switch have `bits`; a tensor is stored as narrow as the
 * layer that reads it; everything else is 32 bit wide. 17 bits and more are full precision, 32 bit.
 */
export function graphAtPrecision(
  network: Network,
  bits: number,
  fullPrecision: (layer: NetworkLayer) => boolean = isStemOrClassifier,
): Graph {
  const width = bits > 16 ? 32 : bits;
  const switching = layersOf(network).filter((layer) => !fullPrecision(layer));
  const narrow = new Set(switching.flatMap(({ input, weight }) => [input, weight]));
  const annotations = new Map<string, TensorAnnotation>(network.graph.annotations);
  const annotate = (name: string, bitWidth: number): void => {
    annotations.set(name, { ...annotations.get(name), bitWidth });
  };
  const points = quantizationPoints(network);
  for (const { value } of points.weights) annotate(value, narrow.has(value) ? width : 32);
  for (const { value, unstored } of points.activations) {
    for (const name of [...unstored, value]) annotate(name, narrow.has(value) ? width : 32);
  }
  return { ...network.graph, annotations };
}
