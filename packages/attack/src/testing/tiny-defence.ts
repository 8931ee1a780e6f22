// For tests only: a small network with smooth activations, random weights, and images for it.

import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, type Tensor } from "@dovetail/graph";
import { convolution, initializeParameters, linear, type Network, NetworkBuilder, pixels } from "@dovetail/models";
import type { Examples } from "../attacks/attack.js";

export interface TinyOptions {
  readonly classCount?: number | undefined;
  readonly side?: number | undefined;
  readonly seed?: number | undefined;
}

export interface Tiny {
  readonly network: Network;
  readonly weights: Map<string, Tensor>;
}

/** Two convolutions with sigmoids and a linear layer on 3 × side × side images: smooth everywhere. */
export function tinyNetworkForm({ classCount = 5, side = 6 }: TinyOptions = {}): Network {
  const n = new NetworkBuilder("tiny");
  const range = { mean: [127.5, 127.5, 127.5], standardDeviation: [64, 64, 64] };
  let x = pixels(n, { height: side, width: side, ...range });
  x = n.g.sigmoid(convolution(n, "conv1", x, { channels: 8, kernel: 3, bias: true }));
  x = n.g.sigmoid(convolution(n, "conv2", x, { channels: 8, kernel: 3, stride: 2, bias: true }));
  return n.build(linear(n, "classifier", n.g.flatten(x), { features: classCount }));
}

/** That network with random weights. */
export function tinyNetwork(options: TinyOptions = {}): Tiny {
  const network = tinyNetworkForm(options);
  const weights = initializeParameters(network, createRandomStream(options.seed ?? 3));
  // Larger weights than at the start of a training: images lie on all sides of the boundaries.
  for (const tensor of weights.values()) {
    const data = tensor.data as Float32Array;
    for (let index = 0; index < data.length; index++) data[index]! *= 4;
  }
  return { network, weights };
}

/**
 * The tiny network with two scalars: `gain`, 1 by default, multiplies the logits; `bend`, 0 by default, adds a fixed
 * share of the image to them. Each pair is a variant with other decisions.
 */
export function switchedNetwork(options: TinyOptions = {}): Tiny {
  const { network, weights } = tinyNetwork(options);
  const scalars = [
    { name: "gain", value: 1 },
    { name: "bend", value: 0 },
  ];
  const g = GraphBuilder.from({ ...network.graph, outputs: [] });
  const [gain, bend] = scalars.map(({ name }) => g.input(name, "float32", []));
  const flat = g.flatten(g.value(network.image));
  const share = g.slice(flat, [0], [network.classCount], [1]);
  const bent = g.add(g.mul(g.value(network.logits), gain!), g.mul(g.mul(share, 1 / 128), bend!));
  g.output(bent, "switched");
  return { network: { ...network, graph: g.build(), logits: "switched", scalars }, weights };
}

/** Random images; the labels are drawn too. */
export function randomExamples(count: number, { classCount = 5, side = 6, seed = 3 }: TinyOptions = {}): Examples {
  const random = createRandomStream(seed).split("examples");
  const images = Float32Array.from({ length: count * 3 * side * side }, () => random.uniform());
  return {
    images,
    labels: Int32Array.from({ length: count }, () => random.integer(classCount)),
    ids: Int32Array.from({ length: count }, (_, index) => index),
  };
}

/** The same images with what the network says as labels, so that all are right at first. */
export function labelled(examples: Examples, logits: Float32Array): Examples {
  const classCount = logits.length / examples.labels.length;
  const labels = examples.labels.map((_, row) => {
    const own = logits.subarray(row * classCount, (row + 1) * classCount);
    return own.indexOf(own.reduce((most, value) => Math.max(most, value)));
  });
  return { ...examples, labels };
}
