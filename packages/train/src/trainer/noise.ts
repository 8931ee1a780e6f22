import type { RandomStream } from "@dovetail/core";
import { elementCount, type Tensor, tensorFromData } from "@dovetail/graph";

/**
 * Noise for stochastic rounding, float32 of this shape: uniform on the 65,536 midpoints of (−½, ½), so that a rounded
 * value's mean is off by at most 2⁻¹⁷ steps. A step takes as many values as there are gradients, so they come from
 * xoshiro128++ (Blackman and Vigna 2019), two a draw, started by four draws of the stream.
 */
export function uniformNoise(random: RandomStream, shape: readonly number[]): Tensor {
  const values = new Float32Array(elementCount(shape));
  let [a, b, c, d] = [random.uint32() | 1, random.uint32() | 0, random.uint32() | 0, random.uint32() | 0];
  for (let index = 0; index < values.length; index += 2) {
    const sum = (a + d) | 0;
    const draw = (((sum << 7) | (sum >>> 25)) + a) | 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    values[index] = ((draw & 0xffff) - 32767.5) / 65536;
    values[index + 1] = ((draw >>> 16) - 32767.5) / 65536;
  }
  return tensorFromData("float32", shape, values);
}
