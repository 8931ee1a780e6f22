import { inputError } from "@dovetail/core";

// Correlations of two lists of equal length. Pairs in which either value is NaN are left out: tables may be incomplete.

export interface Correlations {
  /** Kendall's τ-b. */
  readonly kendall: number;
  /** Spearman's ρ, average ranks for ties. */
  readonly spearman: number;
  /** Pearson's r. */
  readonly pearson: number;
  /** Pairs that were compared. */
  readonly count: number;
}

/** All three. NaN where one list is constant or fewer than two pairs are left. Throws `lengths_differ`. */
export function correlations(first: ArrayLike<number>, second: ArrayLike<number>): Correlations {
  const [x, y] = completePairs(first, second);
  return {
    kendall: kendallOf(x, y),
    spearman: pearsonOf(ranks(x), ranks(y)),
    pearson: pearsonOf(x, y),
    count: x.length,
  };
}

/** Kendall's τ-b in n log n (W. R. Knight, JASA 1966). Throws `lengths_differ`. */
export function kendallTau(first: ArrayLike<number>, second: ArrayLike<number>): number {
  return kendallOf(...completePairs(first, second));
}

/** Spearman's ρ, average ranks for ties. Throws `lengths_differ`. */
export function spearmanRho(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const [x, y] = completePairs(first, second);
  return pearsonOf(ranks(x), ranks(y));
}

/** Pearson's r. Throws `lengths_differ`. */
export function pearsonR(first: ArrayLike<number>, second: ArrayLike<number>): number {
  return pearsonOf(...completePairs(first, second));
}

/**
 * Values with their last digits taken off: to multiples of `step`. Sums of the same terms in another order differ in the
 * last bit; without this a rank correlation takes such pairs for different.
 */
export function roundTo(values: ArrayLike<number>, step: number): Float64Array {
  return Float64Array.from(values, (value) => Math.round(value / step) * step);
}

function completePairs(first: ArrayLike<number>, second: ArrayLike<number>): [Float64Array, Float64Array] {
  if (first.length !== second.length) {
    throw inputError("lengths_differ", "a correlation needs two lists of equal length", {
      expected: `${first.length}`,
      received: `${second.length}`,
    });
  }
  const x: number[] = [];
  const y: number[] = [];
  for (let index = 0; index < first.length; index++) {
    if (Number.isNaN(first[index]!) || Number.isNaN(second[index]!)) continue;
    x.push(first[index]!);
    y.push(second[index]!);
  }
  return [Float64Array.from(x), Float64Array.from(y)];
}

function pearsonOf(x: Float64Array, y: Float64Array): number {
  const meanX = mean(x);
  const meanY = mean(y);
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let index = 0; index < x.length; index++) {
    const dx = x[index]! - meanX;
    const dy = y[index]! - meanY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function ranks(values: Float64Array): Float64Array {
  const order = orderOf(values);
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let place = start; place < end; place++) result[order[place]!] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}

function orderOf(values: Float64Array): Uint32Array {
  return Uint32Array.from(values, (_, index) => index).sort((a, b) => values[a]! - values[b]!);
}

function kendallOf(x: Float64Array, y: Float64Array): number {
  const count = x.length;
  const order = Uint32Array.from(x, (_, index) => index).sort((a, b) => x[a]! - x[b]! || y[a]! - y[b]!);
  const tiesX = tiedPairs(order, (a, b) => x[a] === x[b]);
  const tiesBoth = tiedPairs(order, (a, b) => x[a] === x[b] && y[a] === y[b]);
  const ordered = Float64Array.from(order, (index) => y[index]!);
  const exchanges = countInversions(ordered);
  const tiesY = tiedPairs(orderOf(y), (a, b) => y[a] === y[b]);
  const pairs = (count * (count - 1)) / 2;
  const difference = pairs - tiesX - tiesY + tiesBoth - 2 * exchanges;
  const tau = difference / Math.sqrt(pairs - tiesX) / Math.sqrt(pairs - tiesY);
  return Math.max(-1, Math.min(1, tau));
}

/** Pairs inside runs of equal neighbours. */
function tiedPairs(order: Uint32Array, equal: (a: number, b: number) => boolean): number {
  let pairs = 0;
  let run = 1;
  for (let place = 1; place <= order.length; place++) {
    if (place < order.length && equal(order[place - 1]!, order[place]!)) {
      run++;
    } else {
      pairs += (run * (run - 1)) / 2;
      run = 1;
    }
  }
  return pairs;
}

/** Sorts by merging and counts the pairs that were in falling order. */
function countInversions(values: Float64Array): number {
  let source: Float64Array = values;
  let target: Float64Array = new Float64Array(values.length);
  let inversions = 0;
  for (let width = 1; width < values.length; width *= 2) {
    for (let left = 0; left < values.length; left += 2 * width) {
      const middle = Math.min(left + width, values.length);
      const right = Math.min(left + 2 * width, values.length);
      let i = left;
      let j = middle;
      for (let place = left; place < right; place++) {
        if (i < middle && (j >= right || source[i]! <= source[j]!)) {
          target[place] = source[i++]!;
        } else {
          target[place] = source[j++]!;
          inversions += middle - i;
        }
      }
    }
    [source, target] = [target, source];
  }
  return inversions;
}
