import { type ImageShape, imageBytes } from "./dataset.js";

/** Mean and standard deviation (population) of each channel over images [N, C, H, W] of bytes, in 0–255. */
export function channelStatistics(
  images: Uint8Array,
  imageShape: ImageShape,
): { readonly mean: number[]; readonly standardDeviation: number[] } {
  const [channels, height, width] = imageShape;
  const area = height * width;
  const size = imageBytes(imageShape);
  const count = (images.length / size) * area;
  const mean: number[] = [];
  const standardDeviation: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    // Exact: sums of bytes and of their squares stay below 2⁵³ for any data set that fits in memory.
    let sum = 0;
    let squares = 0;
    for (let start = channel * area; start < images.length; start += size) {
      for (let index = start; index < start + area; index++) {
        const value = images[index]!;
        sum += value;
        squares += value * value;
      }
    }
    const average = sum / count;
    mean.push(average);
    standardDeviation.push(Math.sqrt(Math.max(0, squares / count - average * average)));
  }
  return { mean, standardDeviation };
}
