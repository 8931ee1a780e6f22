import type { RandomStream } from "@dovetail/core";
import { elementCount, type Tensor, tensorFromData } from "@dovetail/graph";

/**
 * Noise for stochastic rounding, float32 of this shape: uniform on the 65,536 midpoints of (−½, ½), so that a rounded
 * value's mean is off by at most 2⁻¹⁷ steps. Each draw of the stream gives two values.
 */
export function uniformNoise(random: RandomStream, shape: readonly number[]): Tensor {
  const values = new Float32Array(elementCount(shape));
  for (let index = 0; index < values.length; index += 2) {
    const draw = random.uint32();
    values[index] = ((draw & 0xffff) - 32767.5) / 65536;
    values[index + 1] = ((draw >>> 16) - 32767.5) / 65536;
  }
  return tensorFromData("float32", shape, values);
}
