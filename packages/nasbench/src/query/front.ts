export interface FrontPoint {
  readonly index: number;
  readonly accuracyPercent: number;
  readonly cost: number;
}

/**
 * The networks that no other one beats in both: in order of cost (ties: the more accurate first, then the lower index),
 * each that is strictly more accurate than all before. Networks without a cost, or above `maximumCost`, are left out.
 */
export function accuracyCostFront(
  accuracyPercent: ArrayLike<number>,
  cost: ArrayLike<number>,
  options: { readonly maximumCost?: number | undefined } = {},
): FrontPoint[] {
  const { maximumCost = Number.POSITIVE_INFINITY } = options;
  const indices: number[] = [];
  for (let index = 0; index < cost.length; index++) {
    if (cost[index]! <= maximumCost && !Number.isNaN(accuracyPercent[index]!)) indices.push(index);
  }
  indices.sort((a, b) => cost[a]! - cost[b]! || accuracyPercent[b]! - accuracyPercent[a]! || a - b);
  const front: FrontPoint[] = [];
  let best = Number.NEGATIVE_INFINITY;
  for (const index of indices) {
    const accuracy = accuracyPercent[index]!;
    if (accuracy <= best) continue;
    best = accuracy;
    front.push({ index, accuracyPercent: accuracy, cost: cost[index]! });
  }
  return front;
}

/**
 * Area between a front and a corner that is dearer and less accurate than all of it, in percent times the cost's unit: the
 * more, the better the front. Points beyond the corner add nothing.
 */
export function frontVolume(
  front: readonly FrontPoint[],
  corner: { readonly cost: number; readonly accuracyPercent: number },
): number {
  let area = 0;
  let height = corner.accuracyPercent;
  for (const { cost, accuracyPercent } of [...front].sort((a, b) => a.cost - b.cost)) {
    if (cost >= corner.cost || accuracyPercent <= height) continue;
    area += (accuracyPercent - height) * (corner.cost - cost);
    height = accuracyPercent;
  }
  return area;
}

/** The cheapest network that is at least so accurate; of equals the more accurate, then the one of the lower index. */
export function cheapestAbove(
  accuracyPercent: ArrayLike<number>,
  cost: ArrayLike<number>,
  leastAccuracyPercent: number,
): FrontPoint | undefined {
  let best: FrontPoint | undefined;
  for (let index = 0; index < cost.length; index++) {
    const accuracy = accuracyPercent[index]!;
    const value = cost[index]!;
    if (!(accuracy >= leastAccuracyPercent) || Number.isNaN(value)) continue;
    if (best && (value > best.cost || (value === best.cost && accuracy <= best.accuracyPercent))) continue;
    best = { index, accuracyPercent: accuracy, cost: value };
  }
  return best;
}

/**
 * Expected result of drawing `draws` networks without repeats and keeping the one with the best validation accuracy, by
 * the exact distribution: the k-th best of n is kept with probability C(n − k, draws − 1) / C(n, draws). Networks with
 * equal validation accuracy are kept with equal chance.
 */
export function expectedBestOfRandom(validation: ArrayLike<number>, test: ArrayLike<number>, draws: number): number {
  const order = Array.from(validation, (_, index) => index).sort((a, b) => validation[b]! - validation[a]!);
  const count = order.length;
  let expected = 0;
  // Probability that all of the better ones were missed, times that this one was drawn: by recursion over the rank.
  let kept = draws / count;
  for (let start = 0; start < count; ) {
    let end = start;
    let weight = 0;
    let sum = 0;
    while (end < count && validation[order[end]!] === validation[order[start]!]) {
      weight += kept;
      sum += test[order[end]!]!;
      kept *= (count - end - draws) / (count - end - 1);
      end++;
    }
    expected += (weight * sum) / (end - start);
    start = end;
  }
  return expected;
}
