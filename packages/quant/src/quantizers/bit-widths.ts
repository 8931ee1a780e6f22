import type { Graph, TensorAnnotation } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { passingOperators, quantizationPoints } from "./points.js";

/** Bits of weights and of stored activations. */
export interface BitWidths {
  readonly weightBits: number;
  readonly activationBits: number;
}

/**
 * The network's graph with the bit-widths of its weights and activations as annotations, which the hardware side
 * reads: the cost of the network at that precision, before (or without) its being quantized.
 */
export function withBitWidths(network: Network, bits: BitWidths): Graph {
  const annotations = new Map<string, TensorAnnotation>(network.graph.annotations);
  for (const [name, bitWidth] of bitWidthsOf(network, bits)) {
    annotations.set(name, { ...annotations.get(name), bitWidth });
  }
  return { ...network.graph, annotations };
}

/** The logits leave in float32. */
const floatBits = 32;

/** Bits of each tensor that is quantized, computed on the way to one, or passed on from one; and of the logits. */
export function bitWidthsOf(network: Network, { weightBits, activationBits }: BitWidths): Map<string, number> {
  const points = quantizationPoints(network);
  const widths = new Map<string, number>();
  for (const { value } of [...points.weights, ...points.distances]) widths.set(value, weightBits);
  for (const { value, unstored } of points.activations) {
    for (const name of [...unstored, value]) widths.set(name, activationBits);
  }
  for (const node of network.graph.nodes) {
    const width = passingOperators.has(node.operator) ? widths.get(node.inputs[0]!) : undefined;
    if (width !== undefined) widths.set(node.outputs[0]!, width);
  }
  // Said too, since who reads the file may take what is unsaid for something narrower.
  widths.set(network.logits, floatBits);
  return widths;
}
