import type { Value } from "@dovetail/graph";
import { type NetworkBuilder, sizeOf } from "../network/builder.js";
import type { Initialization } from "../network/network.js";
import { type Activation, activate } from "./activation.js";
import { batchNormalization } from "./batch-normalization.js";
import { type ConvolutionLayer, type ConvolutionOptions, convolution } from "./convolution.js";

/** He et al. 2015 with fan out, as residual networks commonly start. */
const kaimingFanOut: Initialization = { kind: "kaimingNormal", mode: "fanOut" };

/** A convolution without bias that starts so. */
export const kaimingConvolution: ConvolutionLayer = (n, name, x, options) =>
  convolution(n, name, x, { initialization: kaimingFanOut, ...options, bias: false });

export interface ConvBatchNormOptions extends Omit<ConvolutionOptions, "bias" | "initialization"> {
  /** What stands in the convolution's place; a convolution without bias by default. */
  readonly layer?: ConvolutionLayer | undefined;
  /** `relu` by default. */
  readonly activation?: Activation | undefined;
}

/** Convolution without bias, batch normalization, activation. Parameters: `name.conv.*`, `name.bn.*`. */
export function convBatchNorm(n: NetworkBuilder, name: string, x: Value, options: ConvBatchNormOptions): Value {
  const { activation = "relu", layer = kaimingConvolution, ...layerOptions } = options;
  return n.scope(name, () => {
    const y = layer(n, "conv", x, layerOptions);
    return activate(n, batchNormalization(n, "bn", y), activation);
  });
}

export interface DepthwiseSeparableOptions {
  /** Output channels. */
  readonly channels: number;
  /** 3 by default. */
  readonly kernel?: number | undefined;
  readonly stride?: number | undefined;
  /** After both convolutions; `relu` by default. */
  readonly activation?: Activation | undefined;
}

/** Depth-wise, then 1×1 convolution, each with batch normalization and activation (Howard et al. 2017). */
export function depthwiseSeparable(
  n: NetworkBuilder,
  name: string,
  x: Value,
  options: DepthwiseSeparableOptions,
): Value {
  const { channels, kernel = 3, stride = 1, activation = "relu" } = options;
  const inputs = sizeOf(x, 1);
  return n.scope(name, () => {
    const y = convBatchNorm(n, "depthwise", x, { channels: inputs, kernel, stride, groups: inputs, activation });
    return convBatchNorm(n, "pointwise", y, { channels, kernel: 1, activation });
  });
}

export interface InvertedResidualOptions {
  /** Output channels. */
  readonly channels: number;
  /** Input channels are multiplied by it; 1 leaves the first 1×1 convolution out. */
  readonly expansion: number;
  /** 3 by default. */
  readonly kernel?: number | undefined;
  readonly stride?: number | undefined;
  /** Groups of the two 1×1 convolutions; 1 by default. */
  readonly groups?: number | undefined;
  /** `relu6` by default. */
  readonly activation?: Activation | undefined;
}

/**
 * 1×1 expansion, depth-wise convolution, linear 1×1 projection; the input is added where shapes agree
 * (Sandler et al. 2018, figure 3).
 */
export function invertedResidual(n: NetworkBuilder, name: string, x: Value, options: InvertedResidualOptions): Value {
  const { channels, expansion, kernel = 3, stride = 1, groups = 1, activation = "relu6" } = options;
  const inputs = sizeOf(x, 1);
  const hidden = Math.round(inputs * expansion);
  return n.scope(name, () => {
    let y = x;
    if (expansion !== 1) y = convBatchNorm(n, "expand", y, { channels: hidden, kernel: 1, groups, activation });
    y = convBatchNorm(n, "depthwise", y, { channels: hidden, kernel, stride, groups: hidden, activation });
    y = convBatchNorm(n, "project", y, { channels, kernel: 1, groups, activation: "none" });
    return stride === 1 && inputs === channels ? n.g.add(x, y) : y;
  });
}

export interface ResidualOptions {
  readonly channels: number;
  readonly stride?: number | undefined;
  /** What stands in the place of each convolution; convolutions without bias by default. */
  readonly layer?: ConvolutionLayer | undefined;
}

/** Two 3×3 convolutions with an identity or 1×1-convolution shortcut (He et al. 2016, option B). */
export function basicBlock(n: NetworkBuilder, name: string, x: Value, options: ResidualOptions): Value {
  const { channels, stride = 1, layer } = options;
  return n.scope(name, () => {
    let y = convBatchNorm(n, "first", x, { channels, kernel: 3, stride, layer });
    y = convBatchNorm(n, "second", y, { channels, kernel: 3, activation: "none", layer });
    const isIdentity = stride === 1 && sizeOf(x, 1) === channels;
    const shortcut = isIdentity
      ? x
      : convBatchNorm(n, "shortcut", x, { channels, kernel: 1, stride, padding: 0, activation: "none", layer });
    return n.g.relu(n.g.add(y, shortcut));
  });
}

/**
 * Batch normalization and ReLU before each of two 3×3 convolutions; the shortcut is the input, or a 1×1 convolution of
 * the pre-activated input (He et al. 2016b).
 */
export function preActivationBlock(n: NetworkBuilder, name: string, x: Value, options: ResidualOptions): Value {
  const { channels, stride = 1, layer = kaimingConvolution } = options;
  const conv = (of: string, input: Value, kernel: number, step: number): Value =>
    layer(n, of, input, { channels, kernel, stride: step });
  return n.scope(name, () => {
    const activated = n.g.relu(batchNormalization(n, "bn1", x));
    const isIdentity = stride === 1 && sizeOf(x, 1) === channels;
    const shortcut = isIdentity ? x : conv("shortcut", activated, 1, stride);
    let y = conv("conv1", activated, 3, stride);
    y = conv("conv2", n.g.relu(batchNormalization(n, "bn2", y)), 3, 1);
    return n.g.add(y, shortcut);
  });
}
