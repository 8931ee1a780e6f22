import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { sortByRank } from "./sample.js";
import { applySplit, type SpatialSplits } from "./spatial.js";
import { layTiles, levelFits } from "./tiles.js";

/** How a mapping is built greedily: a few choices that stand for good mappings only. */
export interface Plan {
  /** Index of the spatial split. */
  readonly split: number;
  /** Dimensions in the order in which they fill the memories, innermost memory first. */
  readonly fill: readonly number[];
  /** [level]: whether the memory is filled; elsewhere it takes only what the levels inside it hold. */
  readonly filled: readonly boolean[];
  /** [level]: the tensor whose tiles stay put while the level's innermost loops run. */
  readonly stationary: readonly number[];
  /** [level][data space], as in a mapping code. */
  readonly keep: Uint8Array;
}

/**
 * Builds the mapping of a plan: the fan-outs as the split says; each memory, from the inside outwards, filled with as much
 * of each dimension as fits, the rest in the loops of the outermost level; the loops that do not address a level's
 * stationary tensor innermost. False when the split alone overflows a memory, or something is left that no level may
 * take. `tile` is working memory, [level][dimension]. Allocates nothing.
 */
export function construct(
  space: Mapspace,
  splits: SpatialSplits,
  plan: Plan,
  candidate: Candidate,
  tile: Float64Array,
): boolean {
  const { tables, free } = space;
  const { levelCount, dimensionCount } = tables;
  candidate.bounds.set(space.fixedBounds);
  candidate.keep.set(plan.keep);
  applySplit(space, splits, splits.splits[plan.split]!, candidate);
  for (let at = 0; at < splits.slots.length; at++) resetOrder(space, candidate, splits.slots[at]!);
  layTiles(space, candidate, tile);
  if (!fits(space, candidate, levelCount - 1, tile)) return false;
  for (let level = levelCount - 1; level >= 0; level--) {
    orderLoops(space, candidate, level, plan.stationary[level]!);
    if (!plan.filled[level]) continue;
    for (let place = 0; place < dimensionCount; place++) {
      const dimension = plan.fill[place]!;
      if (free[level * dimensionCount + dimension] === 1) fillLevel(space, candidate, level, dimension, tile);
    }
  }
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    if (tile[dimension] !== tables.sizes[dimension]) return false;
  }
  return true;
}

/** Multiplies primes that are left of a dimension into a level's loop while the memories have room, large ones first. */
function fillLevel(space: Mapspace, candidate: Candidate, level: number, dimension: number, tile: Float64Array): void {
  const { dimensionCount, sizes } = space.tables;
  const primes = space.primesOf[dimension]!;
  for (let index = primes.length - 1; index >= 0; index--) {
    const prime = primes[index]!;
    while ((sizes[dimension]! / tile[dimension]!) % prime === 0) {
      for (let outer = level; outer >= 0; outer--) tile[outer * dimensionCount + dimension]! *= prime;
      if (!fits(space, candidate, level, tile)) {
        for (let outer = level; outer >= 0; outer--) tile[outer * dimensionCount + dimension]! /= prime;
        break;
      }
      candidate.temporal[level * dimensionCount + dimension]! *= prime;
    }
  }
}

/** Whether the tiles of a level and all outside it fit their memories. */
function fits(space: Mapspace, candidate: Candidate, innermost: number, tile: Float64Array): boolean {
  for (let level = innermost; level >= 0; level--) if (!levelFits(space, candidate, level, tile)) return false;
  return true;
}

/** Puts a level's loops in time that do not address a tensor innermost, so far as the constraints let them. */
export function orderLoops(space: Mapspace, candidate: Candidate, level: number, tensor: number): void {
  const { dimensionCount } = space.tables;
  let place = level * dimensionCount;
  for (let relevant = 1; relevant >= 0; relevant--) {
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (space.relevant[tensor * dimensionCount + dimension] === relevant) candidate.orders[place++] = dimension;
    }
  }
  sortByRank(space, candidate, level);
}

/** Puts the loops of a slot in the problem's order, so far as the constraints let them. */
function resetOrder(space: Mapspace, candidate: Candidate, slot: number): void {
  const { dimensionCount } = space.tables;
  for (let place = 0; place < dimensionCount; place++) candidate.orders[slot * dimensionCount + place] = place;
  sortByRank(space, candidate, slot);
}
