// The three products of a layer in a training step, as workloads for an array.

import { attributeOf, type Graph, type Node } from "@dovetail/graph";
import type { FusionLayer } from "@dovetail/hardware";
import type { Network } from "@dovetail/models";
import type { OperandBits, Products } from "./cost.js";
import { type CountedLayer, countedLayers } from "./layers.js";

/** A layer as the array sees it. */
export interface LayerShape {
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  /** Height and width of input and output. */
  readonly inputSize: number;
  readonly outputSize: number;
}

export interface ShapedLayer extends CountedLayer {
  readonly shape: LayerShape;
}

/** Images that went through a layer at one precision. */
export interface LayerWork {
  readonly layer: ShapedLayer;
  readonly bits: OperandBits;
  readonly images: number;
}

/** Images that are computed together: their weights are loaded once. */
export const imagesTogether = 32;

/** Convolutions and matrix products of a network with their shapes; none of layers that are not square. */
export function shapedLayers(network: Network): readonly ShapedLayer[] {
  const nodes = new Map(network.graph.nodes.map((node) => [node.name, node]));
  return countedLayers(network).flatMap((layer) => {
    const shape = shapeOf(network.graph, nodes.get(layer.name)!);
    return shape ? [{ ...layer, shape }] : [];
  });
}

function shapeOf(graph: Graph, node: Node): LayerShape | undefined {
  const sizes = (name: string): readonly number[] => (graph.types.get(name)?.shape ?? []).slice(1) as readonly number[];
  const [inputs, outputs] = [sizes(node.inputs[0]!), sizes(node.outputs[0]!)];
  if (node.operator !== "Conv") {
    const [inputChannels, outputChannels] = [inputs.at(-1), outputs.at(-1)];
    if (typeof inputChannels !== "number" || typeof outputChannels !== "number") return undefined;
    return { inputChannels, outputChannels, kernelSize: 1, stride: 1, inputSize: 1, outputSize: 1 };
  }
  const kernel = graph.types.get(node.inputs[1]!)!.shape as readonly number[];
  if (attributeOf(node, "group", "int", 1) !== 1 || kernel[2] !== kernel[3] || outputs[1] !== outputs[2])
    return undefined;
  return {
    inputChannels: inputs[0]!,
    outputChannels: outputs[0]!,
    kernelSize: kernel[2]!,
    stride: Math.round(inputs[1]! / outputs[1]!),
    inputSize: inputs[1]!,
    outputSize: outputs[1]!,
  };
}

/**
 * Forward: the convolution. Error: the gradient's channels back to the input's; of a stride, the products that are not
 * with inserted zeros. Weight gradient: the roles of batch and channels exchanged, the gradient as the filter, in pieces
 * of at most 16 × 16 pixels, so that a filter fits the buffer.
 */
export function workloadsOf({ shape, hasErrorProduct }: ShapedLayer, bits: OperandBits): readonly FusionLayer[] {
  const { inputChannels, outputChannels, kernelSize, stride, outputSize } = shape;
  const { activationBits, weightBits, gradientBits } = bits;
  const batch = imagesTogether;
  const forward = { batch, inputChannels, outputChannels, kernelSize, outputSize, stride };
  const error = {
    batch,
    inputChannels: outputChannels,
    outputChannels: inputChannels,
    kernelSize,
    outputSize,
    stride: 1,
  };
  const piece = Math.min(outputSize, 16);
  const gradient = {
    batch: inputChannels,
    inputChannels: batch * (outputSize / piece) ** 2,
    outputChannels,
    kernelSize: piece,
    outputSize: kernelSize,
    stride: 1,
  };
  const products: Readonly<Record<keyof Products, FusionLayer>> = {
    forward: { name: "forward", ...forward, activationBits, weightBits },
    error: { name: "error", ...error, activationBits: gradientBits, weightBits },
    gradient: { name: "gradient", ...gradient, activationBits, weightBits: gradientBits },
  };
  return [products.forward, ...(hasErrorProduct ? [products.error] : []), products.gradient];
}

/** Of a training; energy of the array, its buffers and the off-chip memory. */
export interface ArrayFigures {
  readonly latencyCycles: number;
  readonly energyPj: number;
}

/** Latency and energy of all work on an array that takes so much for a workload, an image. */
export function figuresOfWork(
  work: readonly LayerWork[],
  perImage: (workload: FusionLayer) => ArrayFigures,
): ArrayFigures {
  let latencyCycles = 0;
  let energyPj = 0;
  for (const { layer, bits, images } of work) {
    for (const workload of workloadsOf(layer, bits)) {
      const figures = perImage(workload);
      latencyCycles += figures.latencyCycles * images;
      energyPj += figures.energyPj * images;
    }
  }
  return { latencyCycles, energyPj };
}

/** The same function, remembering what it was asked before: a search for tiles or mappings takes a while. */
export function remembered(costOf: (workload: FusionLayer) => ArrayFigures): (workload: FusionLayer) => ArrayFigures {
  const known = new Map<string, ArrayFigures>();
  return (workload) => {
    const key = JSON.stringify(workload);
    const figures = known.get(key) ?? costOf(workload);
    known.set(key, figures);
    return figures;
  };
}
