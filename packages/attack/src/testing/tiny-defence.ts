// For tests only: a small network with smooth activations, random weights, and images for it.

import { createRandomStream } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
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

/** Two convolutions with sigmoids and a linear layer on 3 × side × side images; no gradient is 0. */
export function tinyNetwork({ classCount = 5, side = 6, seed = 3 }: TinyOptions = {}): Tiny {
  const n = new NetworkBuilder("tiny");
  const bias = { mean: [127.5, 127.5, 127.5], standardDeviation: [64, 64, 64] };
  let x = pixels(n, { height: side, width: side, ...bias });
  x = n.g.sigmoid(convolution(n, "conv1", x, { channels: 8, kernel: 3, bias: true }));
  x = n.g.sigmoid(convolution(n, "conv2", x, { channels: 8, kernel: 3, stride: 2, bias: true }));
  const network = n.build(linear(n, "classifier", n.g.flatten(x), { features: classCount }));
  const weights = initializeParameters(network, createRandomStream(seed));
  // Larger weights than at the start of a training: images lie on all sides of the boundaries.
  for (const tensor of weights.values()) {
    const data = tensor.data as Float32Array;
    for (let index = 0; index < data.length; index++) data[index]! *= 4;
  }
  return { network, weights };
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
