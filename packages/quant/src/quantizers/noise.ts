import type { RandomStream } from "@dovetail/core";
import { elementCount, type Tensor, tensorFromData } from "@dovetail/graph";

/** Noise for stochastic rounding: uniform in [−½, ½], of this shape, float32. */
export function uniformNoise(random: RandomStream, shape: readonly number[]): Tensor {
  const values = Float32Array.from({ length: elementCount(shape) }, () => random.uniform() - 0.5);
  return tensorFromData("float32", shape, values);
}
