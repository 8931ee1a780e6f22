import { type DensityModel, type Occupancies, volume } from "./density-model.js";

/**
 * The tensor's non-zeros, ⌈density · words⌉ of them, lie anywhere with equal likelihood: the occupancy of a tile of n
 * words is hypergeometric. Timeloop's `HypergeometricDistribution`.
 */
export function hypergeometricModel(density: number, tensorWords: number): DensityModel {
  const nonZeros = Math.ceil(density * tensorWords);
  return {
    density,
    emptyProbability(tile, enclosing) {
      if (enclosing === undefined) return emptyProbability(volume(tile), nonZeros, tensorWords);
      return emptyProbability(volume(tile), enclosing.occupancy, volume(enclosing.extents));
    },
    occupancies: (tile) => occupanciesOf(volume(tile), nonZeros, tensorWords),
  };
}

/**
 * Probability that none of `nonZeros` out of `total` lies among `drawn`: C(total − drawn, nonZeros) / C(total, nonZeros).
 * A product over the smaller of the two numbers, so that nothing overflows.
 */
export function emptyProbability(drawn: number, nonZeros: number, total: number): number {
  const n = Math.min(drawn, total);
  if (n + nonZeros > total) return 0;
  const steps = Math.min(n, nonZeros);
  const taken = Math.max(n, nonZeros);
  if (steps > FACTORS_LIMIT) return Math.exp(logProduct(steps, taken, total));
  let probability = 1;
  for (let step = 0; step < steps; step++) probability *= (total - taken - step) / (total - step);
  return probability;
}

/** Products of more factors are integrated: over so many the logarithm of a factor hardly changes from one to the next. */
const FACTORS_LIMIT = 100_000;

/** Σ log(1 − taken / (total − i)) for i < steps, by Simpson's rule over the midpoints. */
function logProduct(steps: number, taken: number, total: number): number {
  const parts = 2000;
  const width = steps / parts;
  const at = (x: number): number => Math.log1p(-taken / Math.max(taken + 0.5, total - x));
  let sum = at(-0.5) + at(steps - 0.5);
  for (let part = 1; part < parts; part++) sum += (part % 2 === 1 ? 4 : 2) * at(-0.5 + part * width);
  return (sum * width) / 3;
}

/** All occupancies whose probability does not underflow, from the most likely outwards by the ratio of neighbours. */
function occupanciesOf(drawn: number, nonZeros: number, total: number): Occupancies {
  const n = Math.min(drawn, total);
  const least = Math.max(0, n + nonZeros - total);
  const most = Math.min(n, nonZeros);
  const share = nonZeros / total;
  const spread = Math.sqrt((n * share * (1 - share) * (total - n)) / Math.max(1, total - 1));
  if (spread > SPREAD_LIMIT) return normalOccupancies(n * share, spread, least, most);
  const mode = Math.min(most, Math.max(least, Math.floor(((n + 1) * (nonZeros + 1)) / (total + 2))));
  /** P(k + 1) / P(k). */
  const ratio = (k: number): number => ((nonZeros - k) * (n - k)) / ((k + 1) * (total - nonZeros - n + k + 1));
  const weights = new Map([[mode, 1]]);
  for (let k = mode, weight = 1; k < most; k++) {
    weight *= ratio(k);
    if (weight < NEGLIGIBLE) break;
    weights.set(k + 1, weight);
  }
  for (let k = mode, weight = 1; k > least; k--) {
    weight /= ratio(k - 1);
    if (weight < NEGLIGIBLE) break;
    weights.set(k - 1, weight);
  }
  const occupancy = [...weights.keys()].sort((a, b) => a - b);
  const sum = occupancy.reduce((total, k) => total + weights.get(k)!, 0);
  return { occupancy, probability: occupancy.map((k) => weights.get(k)! / sum), least, most };
}

/** Standard deviation from which on a distribution is taken for a normal one, whose every occupancy is not needed. */
const SPREAD_LIMIT = 5000;

/** Occupancies at equal distances within eight standard deviations; so many that their mean is the mean. */
function normalOccupancies(mean: number, spread: number, least: number, most: number): Occupancies {
  const first = Math.max(least, Math.floor(mean - 8 * spread));
  const last = Math.min(most, Math.ceil(mean + 8 * spread));
  const step = Math.max(1, Math.floor((last - first) / 2000));
  const occupancy: number[] = [];
  for (let words = first; words <= last; words += step) occupancy.push(words);
  const weights = occupancy.map((words) => Math.exp(-(((words - mean) / spread) ** 2) / 2));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { occupancy, probability: weights.map((weight) => weight / sum), least, most };
}

/** Relative to the likeliest; a sum of a million such terms stays below a double's precision. */
const NEGLIGIBLE = 1e-24;
