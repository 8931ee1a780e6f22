import type { Plane } from "./scan.js";

// From Y, Cb, Cr planes to red, green and blue (JFIF 1.02), in libjpeg's arithmetic: chroma of 4:2:0 files is
// upsampled with the triangle filter (3/4 the nearer sample, 1/4 the farther, in both directions), and the colour
// conversion uses 16 fractional bits.

const half = 1 << 15;
const fixed = (value: number): number => Math.round(value * 2 ** 16);
const redOfCr = Int32Array.from({ length: 256 }, (_, sample) => (fixed(1.402) * (sample - 128) + half) >> 16);
const blueOfCb = Int32Array.from({ length: 256 }, (_, sample) => (fixed(1.772) * (sample - 128) + half) >> 16);
const greenOfCr = Int32Array.from({ length: 256 }, (_, sample) => -fixed(0.71414) * (sample - 128));
const greenOfCb = Int32Array.from({ length: 256 }, (_, sample) => -fixed(0.34414) * (sample - 128) + half);

/** Writes three planes of `height` × `width` bytes (red, green, blue) at `offset`. All inputs have full resolution. */
export function convertToRgb(
  planes: readonly Plane[],
  height: number,
  width: number,
  target: Uint8Array,
  offset: number,
): void {
  const [luma, blueDifference, redDifference] = planes as readonly [Plane, Plane, Plane];
  const area = height * width;
  for (let row = 0, index = offset; row < height; row++) {
    for (let column = 0; column < width; column++, index++) {
      const y = luma.samples[row * luma.stride + column]!;
      const cb = blueDifference.samples[row * blueDifference.stride + column]!;
      const cr = redDifference.samples[row * redDifference.stride + column]!;
      target[index] = clampByte(y + redOfCr[cr]!);
      target[index + area] = clampByte(y + ((greenOfCb[cb]! + greenOfCr[cr]!) >> 16));
      target[index + 2 * area] = clampByte(y + blueOfCb[cb]!);
    }
  }
}

/**
 * Doubles the resolution of a chroma plane. `height` and `width` are those of the image, so the last column and row of
 * real samples are the edges, which repeat outwards. As in libjpeg, planes of at most two columns are not smoothed.
 */
export function upsampleByTwo(source: Plane, height: number, width: number, target: Plane): void {
  const columns = (width + 1) >> 1;
  const lastRow = ((height + 1) >> 1) - 1;
  if (columns <= 2) {
    repeatByTwo(source, height, width, target);
    return;
  }
  for (let row = 0; row < height; row++) {
    const near = row >> 1;
    const far = Math.min(lastRow, Math.max(0, row % 2 === 0 ? near - 1 : near + 1));
    const nearStart = near * source.stride;
    const farStart = far * source.stride;
    const targetStart = row * target.stride;
    let previous = 3 * source.samples[nearStart]! + source.samples[farStart]!;
    let current = previous;
    for (let column = 0; column < columns; column++) {
      const after = Math.min(column + 1, columns - 1);
      const next = 3 * source.samples[nearStart + after]! + source.samples[farStart + after]!;
      target.samples[targetStart + 2 * column] = (3 * current + previous + 8) >> 4;
      target.samples[targetStart + 2 * column + 1] = (3 * current + next + 7) >> 4;
      previous = current;
      current = next;
    }
  }
}

function repeatByTwo(source: Plane, height: number, width: number, target: Plane): void {
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const sample = source.samples[(row >> 1) * source.stride + (column >> 1)]!;
      target.samples[row * target.stride + column] = sample;
    }
  }
}

function clampByte(value: number): number {
  return Math.max(0, Math.min(255, value));
}
