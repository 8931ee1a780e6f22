import { inputError } from "@dovetail/core";
import type { Value } from "@dovetail/graph";
import { type NetworkBuilder, sizeOf } from "../network/builder.js";
import type { Initialization } from "../network/network.js";
import { type ConvolutionOptions, windowAttributesOf } from "./convolution.js";

/** As of a convolution without bias; `groups` must be 1. The weight is drawn from N(0, 1) by default. */
export type AdderConvolutionOptions = Omit<ConvolutionOptions, "bias">;

const standardNormal: Initialization = { kind: "normal", mean: 0, standardDeviation: 1 };

/**
 * Add layer (AdderNet, Chen et al. 2020): [batch, C, H, W] → [batch, channels, H', W'], negated sums of |x − w| in the
 * place of a convolution's products. A batch normalization belongs behind it: what it puts out is negative and large.
 */
export function adderConvolution(n: NetworkBuilder, name: string, x: Value, options: AdderConvolutionOptions): Value {
  const { channels, kernel, groups = 1 } = options;
  if (groups !== 1) {
    throw inputError("adder_groups", `add layer "${name}"`, { expected: "1 group", received: `${groups}` });
  }
  return n.scope(name, () => {
    const weight = n.parameter("weight", [channels, sizeOf(x, 1), kernel, kernel], {
      role: "adderWeight",
      initialization: options.initialization ?? standardNormal,
    });
    return n.g.ownNode("AdderConv", [x, weight], {
      kernel_shape: [kernel, kernel],
      ...windowAttributesOf(options),
    })[0]!;
  });
}
