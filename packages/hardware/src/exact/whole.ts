import type { Axes } from "./axes.js";
import { NONE } from "./network.js";
import { KEPT, NEAR, nextPattern, type RankScratch, READ, SPARED, sumPatterns, TAKEN } from "./rank-sums.js";
import type { Boundary, Traffic, Walker } from "./walker.js";

// The same words as in traffic.ts where all bounds multiply to the dimensions' sizes: every step of a kind looks alike, all
// children are copies of one. Along a rank of one dimension a tile either stays or has nothing in common with the one
// before, so that only windows need places.

/** All words between a level and its children. Allocates nothing. */
export function countWhole(walker: Walker, boundary: Boundary, traffic: Traffic): void {
  const { axes, unrelated, whole } = walker;
  const { rest, ask, plain, windows } = whole;
  const { parent, child } = boundary;
  const { dimensionCount, levelCount } = axes.tables;
  const parents = axes.instances[parent]!;
  ask.multicast = boundary.multicast;
  ask.links = boundary.links;
  ask.before = false;
  let sharing = 1;
  for (let at = 0; at < unrelated.length; at++) sharing *= fannedOut(axes, unrelated[at]!, parent, child);
  let inTiles = 1;
  for (let at = 0; at < plain.length; at++) {
    const dimension = plain[at]!;
    inTiles *= axes.tile[child * dimensionCount + dimension]! * fannedOut(axes, dimension, parent, child);
  }
  let takenAt = inTiles * sharing;
  let readAt = boundary.multicast === NONE ? takenAt : inTiles;
  const everyChild = takenAt;
  const leaders = readAt;
  for (let at = 0; at < windows.length; at++) {
    const { sums } = layWindow(walker, boundary, windows[at]!, -1);
    takenAt *= sums[TAKEN]!;
    readAt *= sums[READ]!;
  }
  traffic.firstTaken = parents * takenAt;
  traffic.firstRead = parents * readAt;
  traffic.passed = 0;
  const often = child === levelCount && !boundary.links ? parents * axes.cycles : parents;
  traffic.taken = often * takenAt;
  traffic.read = often * readAt;
  if (child === levelCount && !boundary.links) return;

  const begin = child === 0 ? 0 : axes.firstTemporal[child - 1]!;
  rest.fill(0);
  for (let loop = begin; loop < axes.temporalCount; loop++) {
    rest[axes.temporalDimension[loop]!]! += (axes.temporalBound[loop]! - 1) * axes.temporalStride[loop]!;
  }
  ask.before = true;
  let outside = parents;
  for (let loop = axes.temporalCount - 1; loop >= begin; loop--) {
    const dimension = axes.temporalDimension[loop]!;
    const bound = axes.temporalBound[loop]!;
    rest[dimension]! -= (bound - 1) * axes.temporalStride[loop]!;
    const times = outside * (bound - 1);
    outside *= bound;
    let keptAt = everyChild;
    for (let at = 0; at < plain.length; at++) {
      if (plain[at] === dimension || rest[plain[at]!]! > 0) keptAt = 0;
    }
    if (keptAt === 0) {
      traffic.taken += times * takenAt;
      traffic.read += times * readAt;
      continue;
    }
    let sparedAt = leaders;
    let nearAt = everyChild;
    for (let at = 0; at < windows.length; at++) {
      const { sums } = layWindow(walker, boundary, windows[at]!, loop);
      keptAt *= sums[KEPT]!;
      sparedAt *= sums[SPARED]!;
      nearAt *= sums[NEAR]!;
    }
    traffic.taken += times * (takenAt - keptAt);
    traffic.read += times * (readAt - sparedAt);
    if (boundary.links) traffic.passed += times * (nearAt - keptAt);
  }
}

/** Children under a parent along a dimension. */
function fannedOut({ tables, width, outside, order, bound }: Axes, dimension: number, parent: number, child: number) {
  const start = dimension * width;
  const end = start + outside[child * tables.dimensionCount + dimension]!;
  let count = 1;
  for (let at = start + outside[parent * tables.dimensionCount + dimension]!; at < end; at++) {
    if (order[at]! < 0) count *= bound[at]!;
  }
  return count;
}

/** The sums along a rank of several dimensions as a temporal loop goes on; −1 for the start. */
function layWindow(
  { axes, ranks, dimensions, whole }: Walker,
  { parent, child }: Boundary,
  rank: number,
  loop: number,
): RankScratch {
  const { tables, width, tile, outside, order, stride, bound } = axes;
  const scratch = ranks[rank]!;
  const terms = dimensions[rank]!;
  scratch.patternCount = 0;
  const pattern = nextPattern(scratch, width * terms.length);
  pattern.now = 0;
  pattern.before = 0;
  for (let term = 0; term < terms.length; term++) {
    const dimension = terms[term]!;
    const coefficient = scratch.coefficients[term]!;
    const length = tile[child * tables.dimensionCount + dimension]!;
    pattern.lengths[term] = length;
    pattern.lengthsBefore[term] = length;
    if (loop >= 0) {
      if (axes.temporalDimension[loop] === dimension) pattern.now += coefficient * axes.temporalStride[loop]!;
      pattern.before += coefficient * whole.rest[dimension]!;
    }
    const start = dimension * width;
    const end = start + outside[child * tables.dimensionCount + dimension]!;
    for (let at = start + outside[parent * tables.dimensionCount + dimension]!; at < end; at++) {
      if (order[at]! >= 0) continue;
      pattern.strides[pattern.copies] = coefficient * stride[at]!;
      pattern.bounds[pattern.copies] = bound[at]!;
      pattern.copies++;
    }
  }
  sumPatterns(scratch, whole.ask);
  return scratch;
}
