import { float, type Value } from "@dovetail/graph";
import { type NetworkBuilder, sizeOf } from "../network/builder.js";
import type { ParameterRole } from "../network/network.js";

export interface BatchNormalizationOptions {
  /** 1e-5 by default. */
  readonly epsilon?: number | undefined;
  /** Share of a batch's statistics in the new running ones (PyTorch's meaning); 0.1 by default. */
  readonly momentum?: number | undefined;
  /** First value of the scale; 1 by default. */
  readonly scale?: number | undefined;
}

/** Batch normalization over the channels (Ioffe and Szegedy 2015), in inference form: with running statistics. */
export function batchNormalization(
  n: NetworkBuilder,
  name: string,
  x: Value,
  options: BatchNormalizationOptions = {},
): Value {
  const { epsilon = 1e-5, momentum = 0.1 } = options;
  const channels = sizeOf(x, 1);
  return n.scope(name, () => {
    const perChannel = (role: ParameterRole, value: number): Value =>
      n.parameter(role, [channels], { role, initialization: { kind: "constant", value } });
    const operands = [
      x,
      perChannel("scale", options.scale ?? 1),
      perChannel("shift", 0),
      perChannel("runningMean", 0),
      perChannel("runningVariance", 1),
    ];
    // ONNX's momentum is the share of the old running statistics.
    return n.g.op("BatchNormalization", operands, { epsilon: float(epsilon), momentum: float(1 - momentum) });
  });
}
