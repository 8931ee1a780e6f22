import { internalError, type RandomStream } from "@dovetail/core";

/** Lower and upper end. */
export type Interval = readonly [number, number];

/** The normal distribution's 97.5 % quantile. */
const z95 = 1.959963984540054;

/** 95 % interval of a share of which `correct` of `total` were observed (Wilson 1927). */
export function wilsonInterval95(correct: number, total: number): Interval {
  const share = correct / total;
  const squared = z95 ** 2 / total;
  const centre = (share + squared / 2) / (1 + squared);
  const half = (z95 * Math.sqrt((share * (1 - share)) / total + squared / (4 * total))) / (1 + squared);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** A difference of means with its interval. */
export interface PairedDifference {
  readonly difference: number;
  readonly interval95: Interval;
}

export interface PairedDifferenceOptions {
  readonly random: RandomStream;
  /** Resamples of the bootstrap; 2,000 by default. */
  readonly resamples?: number | undefined;
}

/**
 * mean(ours) − mean(theirs) over the same images, with a 95 % percentile-bootstrap interval over images (Efron 1979).
 * One score an image: 0 or 1, or its mean over several seeds.
 */
export function pairedDifference95(
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
  { random, resamples = 2000 }: PairedDifferenceOptions,
): PairedDifference {
  const count = ours.length;
  if (count === 0 || theirs.length !== count) {
    throw internalError("length_mismatch", "scores to compare", {
      expected: `${count} scores of the same images, at least one`,
      received: `${theirs.length}`,
    });
  }
  const differences = Float64Array.from({ length: count }, (_, index) => ours[index]! - theirs[index]!);
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    for (let draw = 0; draw < count; draw++) sum += differences[random.integer(count)]!;
    means[resample] = sum / count;
  }
  means.sort();
  const difference = differences.reduce((sum, value) => sum + value, 0) / count;
  return { difference, interval95: [quantile(means, 0.025), quantile(means, 0.975)] };
}

/** Linear interpolation between the order statistics. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}
