import type { Value } from "@dovetail/graph";
import {
  convBatchNorm,
  countMacs,
  globalAveragePool,
  linear,
  type Network,
  NetworkBuilder,
  parameterCount,
} from "@dovetail/models";
import { type FbnetDataset, type FbnetOperator, type FbnetShape, fbnetOperators, fbnetSkeleton } from "./fbnet.js";

/**
 * One operator at a position: 1×1 convolution to the expanded channels, channel shuffle where there are groups, depth-wise
 * convolution, 1×1 convolution without activation; the input is added where shapes agree. The skip is the identity, or
 * 1×1 convolution, batch normalization and ReLU where the shape changes.
 */
export function fbnetBlock(
  n: NetworkBuilder,
  name: string,
  x: Value,
  shape: FbnetShape,
  operator: FbnetOperator,
): Value {
  const { inputChannels, outputChannels, stride } = shape;
  const isSameShape = inputChannels === outputChannels && stride === 1;
  if (operator.kernel === 0) {
    return isSameShape ? x : convBatchNorm(n, name, x, { channels: outputChannels, kernel: 1, stride });
  }
  const { kernel, expansion, groups } = operator;
  const hidden = inputChannels * expansion;
  return n.scope(name, () => {
    let y = convBatchNorm(n, "expand", x, { channels: hidden, kernel: 1, groups });
    if (groups > 1) y = shuffleChannels(n, y, hidden, groups);
    y = convBatchNorm(n, "depthwise", y, { channels: hidden, kernel, stride, groups: hidden });
    y = convBatchNorm(n, "project", y, { channels: outputChannels, kernel: 1, groups, activation: "none" });
    return isSameShape ? n.g.add(y, x) : y;
  });
}

/** Channels of all groups in turn (ShuffleNet, X. Zhang et al. 2018, figure 1). */
function shuffleChannels(n: NetworkBuilder, x: Value, channels: number, groups: number): Value {
  const [, , height, width] = x.type.shape as (number | string)[];
  const size = [groups, channels / groups, height as number, width as number];
  const apart = n.g.reshape(x, [-1, ...size]);
  return n.g.reshape(n.g.transpose(apart, [0, 2, 1, 3, 4]), [-1, channels, height as number, width as number]);
}

/** The stem: 3×3 convolution, batch normalization, ReLU. */
export function fbnetStem(n: NetworkBuilder, image: Value, { outputChannels, stride }: FbnetShape): Value {
  return convBatchNorm(n, "stem", image, { channels: outputChannels, kernel: 3, stride });
}

/** The whole network. Its image is [batch, 3, side, side], already normalized. */
export function fbnetNetwork(operators: readonly number[], dataset: FbnetDataset): Network {
  const { stem, positions, header, classCount } = fbnetSkeleton(dataset);
  const n = new NetworkBuilder("fbnet");
  let x = fbnetStem(n, n.imageInput(3, stem.inputSize, stem.inputSize), stem);
  for (const [index, shape] of positions.entries()) {
    x = fbnetBlock(n, `block${index + 1}`, x, shape, fbnetOperators[operators[index]!]!);
  }
  x = convBatchNorm(n, "header", x, { channels: header.outputChannels, kernel: 1 });
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: classCount }));
}

/** Multiply–accumulates for one image. */
export function fbnetMacs(operators: readonly number[], dataset: FbnetDataset): number {
  return countMacs(fbnetNetwork(operators, dataset).graph);
}

/** Trainable parameters. */
export function fbnetParameters(operators: readonly number[], dataset: FbnetDataset): number {
  return parameterCount(fbnetNetwork(operators, dataset), { trainableOnly: true });
}
