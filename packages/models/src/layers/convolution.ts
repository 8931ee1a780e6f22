import type { Value } from "@dovetail/graph";
import { type NetworkBuilder, sizeOf } from "../network/builder.js";
import { fansOf } from "../network/initialize.js";
import type { Initialization } from "../network/network.js";

/** PyTorch's default for weights of convolution and linear layers. */
export const defaultWeightInitialization: Initialization = { kind: "kaimingUniform", negativeSlope: Math.sqrt(5) };

/** PyTorch's default for their biases: uniform in ±1/√(fan in of the weight). */
export function defaultBiasInitialization(weightShape: readonly number[]): Initialization {
  return { kind: "uniform", bound: 1 / Math.sqrt(fansOf(weightShape).fanIn) };
}

export interface ConvolutionOptions {
  /** Output channels. */
  readonly channels: number;
  /** Height and width of the kernel. */
  readonly kernel: number;
  /** 1 by default. */
  readonly stride?: number | undefined;
  /** On each side, or [top, left, bottom, right]; ⌊extent of the dilated kernel / 2⌋ by default: same size at stride 1. */
  readonly padding?: number | readonly number[] | undefined;
  readonly dilation?: number | undefined;
  /** 1 by default; as many as input channels for a depth-wise convolution. */
  readonly groups?: number | undefined;
  /** True by default. */
  readonly bias?: boolean | undefined;
  readonly initialization?: Initialization | undefined;
}

/** A layer in a convolution's place, e.g. `adderConvolution`: [batch, C, H, W] → [batch, channels, H', W']. */
export type ConvolutionLayer = (
  n: NetworkBuilder,
  name: string,
  x: Value,
  options: Omit<ConvolutionOptions, "bias" | "initialization">,
) => Value;

/** Two-dimensional convolution: [batch, C, H, W] → [batch, channels, H', W']. */
export function convolution(n: NetworkBuilder, name: string, x: Value, options: ConvolutionOptions): Value {
  const { channels, kernel, groups = 1 } = options;
  const shape = [channels, sizeOf(x, 1) / groups, kernel, kernel];
  return n.scope(name, () => {
    const weight = n.parameter("weight", shape, {
      role: "weight",
      initialization: options.initialization ?? defaultWeightInitialization,
    });
    const bias =
      (options.bias ?? true)
        ? n.parameter("bias", [channels], { role: "bias", initialization: defaultBiasInitialization(shape) })
        : undefined;
    return n.g.conv(x, weight, bias, { ...windowAttributesOf(options), group: groups });
  });
}

/** ONNX's attributes of the window. */
export function windowAttributesOf({
  kernel,
  stride = 1,
  dilation = 1,
  padding = Math.floor((dilation * (kernel - 1) + 1) / 2),
}: Pick<ConvolutionOptions, "kernel" | "stride" | "dilation" | "padding">): Record<
  "strides" | "pads" | "dilations",
  readonly number[]
> {
  return {
    strides: [stride, stride],
    pads: typeof padding === "number" ? [padding, padding, padding, padding] : padding,
    dilations: [dilation, dilation],
  };
}
