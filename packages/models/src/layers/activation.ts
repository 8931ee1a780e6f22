import type { Value } from "@dovetail/graph";
import type { NetworkBuilder } from "../network/builder.js";

/** An activation by name. `relu6` is min(max(x, 0), 6) (MobileNet). */
export type Activation = "relu" | "relu6" | "none";

const activations: Readonly<Record<Activation, (n: NetworkBuilder, x: Value) => Value>> = {
  relu: (n, x) => n.g.relu(x),
  relu6: (n, x) => n.g.clip(x, 0, 6),
  none: (_, x) => x,
};

export function activate(n: NetworkBuilder, x: Value, activation: Activation): Value {
  return activations[activation](n, x);
}

/** Sets a share `rate` of the values to zero while training (Srivastava et al. 2014); passes them in inference form. */
export function dropout(n: NetworkBuilder, x: Value, options: { readonly rate: number }): Value {
  return n.g.op("Dropout", [x, n.g.scalar(options.rate)], {});
}

/** [batch, C, H, W] → [batch, C]. */
export function globalAveragePool(n: NetworkBuilder, x: Value): Value {
  return n.g.flatten(n.g.globalAveragePool(x));
}
