// For tests only: classifiers whose answers are known.

import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, modelOf, tensor, writeModel } from "@dovetail/graph";
import {
  convolution,
  exportModel,
  globalAveragePool,
  initializeParameters,
  linear,
  NetworkBuilder,
  pixels,
} from "@dovetail/models";

export const colours = ["red", "green", "blue"];

export interface ColourModelOptions {
  readonly batch?: number | string | undefined;
  readonly side?: number | undefined;
  readonly layout?: "channels-first" | "channels-last" | undefined;
  readonly elementType?: "float32" | "uint8" | undefined;
  readonly softmax?: boolean | undefined;
  /** Largest value of a pixel: what the mean of a channel is divided by. */
  readonly white?: number | undefined;
  readonly classNames?: readonly string[] | undefined;
}

/** A model that says which colour an image has: ten times the mean of each channel, from 0 to 1. */
export function colourModel(options: ColourModelOptions = {}): Uint8Array {
  const { batch = "batch", side = 8, layout = "channels-first", elementType = "float32", white = 255 } = options;
  const { classNames = colours, softmax = false } = options;
  const first = layout === "channels-first";
  const g = new GraphBuilder("colours");
  const image = g.input("image", elementType, first ? [batch, 3, side, side] : [batch, side, side, 3]);
  const values = elementType === "uint8" ? g.cast(image, "float32") : image;
  const means = g.op("ReduceMean", [values, g.constant(tensor("int64", [2], first ? [2, 3] : [1, 2]))], {
    keepdims: 0,
  });
  const scores = g.mul(means, g.constant(tensor("float32", [], [10 / white])));
  g.output(softmax ? g.op("Softmax", [scores], { axis: 1 }) : scores, "scores");
  return writeModel(modelOf(g.build(), { metadata: new Map([["classNames", JSON.stringify(classNames)]]) }));
}

export interface TinyClassifierOptions {
  readonly channels?: number | undefined;
  readonly side?: number | undefined;
  readonly classCount?: number | undefined;
}

/** A convolutional classifier with drawn weights. */
export function tinyClassifier({ channels = 1, side = 8, classCount = 3 }: TinyClassifierOptions = {}): Uint8Array {
  const n = new NetworkBuilder("tiny");
  const perChannel = (value: number): number[] => new Array<number>(channels).fill(value);
  let x = pixels(n, { height: side, width: side, mean: perChannel(100), standardDeviation: perChannel(60) });
  x = n.g.relu(convolution(n, "first", x, { channels: 8, kernel: 3 }));
  x = n.g.relu(convolution(n, "second", x, { channels: 8, kernel: 3, stride: 2 }));
  const network = n.build(linear(n, "classifier", globalAveragePool(n, x), { features: classCount }));
  return writeModel(exportModel(network, initializeParameters(network, createRandomStream(3))));
}
