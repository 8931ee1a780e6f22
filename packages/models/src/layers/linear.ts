import type { Value } from "@dovetail/graph";
import { type NetworkBuilder, sizeOf } from "../network/builder.js";
import type { Initialization } from "../network/network.js";
import { defaultBiasInitialization, defaultWeightInitialization } from "./convolution.js";

export interface LinearOptions {
  /** Output features. */
  readonly features: number;
  /** True by default. */
  readonly bias?: boolean | undefined;
  readonly initialization?: Initialization | undefined;
}

/** x·Wᵀ + b with W [features, inputs]: [batch, inputs] → [batch, features]. */
export function linear(n: NetworkBuilder, name: string, x: Value, options: LinearOptions): Value {
  const shape = [options.features, sizeOf(x, 1)];
  return n.scope(name, () => {
    const weight = n.parameter("weight", shape, {
      role: "weight",
      initialization: options.initialization ?? defaultWeightInitialization,
    });
    const bias =
      (options.bias ?? true)
        ? n.parameter("bias", [options.features], { role: "bias", initialization: defaultBiasInitialization(shape) })
        : undefined;
    return n.g.gemm(x, weight, bias, { transB: 1 });
  });
}
