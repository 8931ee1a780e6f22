import type { Value } from "@dovetail/graph";
import { type ConvolutionOptions, type NetworkBuilder, sizeOf } from "@dovetail/models";
import { type ShiftOptions, shiftParameters, shiftWeight } from "./shift-weight.js";

export interface ShiftConvolutionOptions extends Omit<ConvolutionOptions, "bias" | "initialization">, ShiftOptions {}

/** Two-dimensional convolution by shifts, without bias: [batch, C, H, W] → [batch, channels, H', W']. */
export function shiftConvolution(n: NetworkBuilder, name: string, x: Value, options: ShiftConvolutionOptions): Value {
  const { channels, kernel, stride = 1, dilation = 1, groups = 1 } = options;
  const side = options.padding ?? Math.floor((dilation * (kernel - 1) + 1) / 2);
  return n.scope(name, () =>
    n.g.conv(x, declareWeight(n, [channels, sizeOf(x, 1) / groups, kernel, kernel], options), undefined, {
      strides: [stride, stride],
      pads: typeof side === "number" ? [side, side, side, side] : side,
      dilations: [dilation, dilation],
      group: groups,
    }),
  );
}

/** x·Wᵀ by shifts, without bias, W [features, inputs]: [batch, inputs] → [batch, features]. */
export function shiftLinear(
  n: NetworkBuilder,
  name: string,
  x: Value,
  options: ShiftOptions & { readonly features: number },
): Value {
  return n.scope(name, () =>
    n.g.gemm(x, declareWeight(n, [options.features, sizeOf(x, 1)], options), undefined, { transB: 1 }),
  );
}

function declareWeight(n: NetworkBuilder, shape: readonly number[], options: ShiftOptions): Value {
  const parameters = shiftParameters(options).map(({ suffix, ...of }) => n.parameter(`weight:${suffix}`, shape, of));
  return shiftWeight(n.g, parameters, { ...options, output: "weight" });
}
