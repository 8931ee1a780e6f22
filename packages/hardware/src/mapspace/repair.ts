import type { RandomStream } from "@dovetail/core";
import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { layTiles, levelFits } from "./tiles.js";

/** Working memory of repairs in one mapspace. */
export interface RepairScratch {
  /** [level][dimension]: what one instance covers in all its time. */
  readonly tile: Float64Array;
  /** Cells of bounds that a factor could leave. */
  readonly sources: Int32Array;
}

export function createRepairScratch({ tables, slotCount }: Mapspace): RepairScratch {
  return {
    tile: new Float64Array(tables.levelCount * tables.dimensionCount),
    sources: new Int32Array(slotCount * tables.dimensionCount),
  };
}

/** Children in use along one axis at one level: the product of a spatial slot's bounds. */
export function slotProduct(space: Mapspace, candidate: Candidate, slot: number): number {
  const { dimensionCount } = space.tables;
  const start = slot * dimensionCount;
  let product = 1;
  for (let cell = start; cell < start + dimensionCount; cell++) product *= candidate.bounds[cell]!;
  return product;
}

/**
 * Makes a candidate fit: factors that exceed a fan-out or a memory move outwards, to the nearest loop in time that may
 * take them. False when that is impossible. Allocates nothing.
 */
export function repair(space: Mapspace, random: RandomStream, candidate: Candidate, scratch: RepairScratch): boolean {
  return repairFanouts(space, random, candidate, scratch) && repairCapacities(space, random, candidate, scratch);
}

function repairFanouts(space: Mapspace, random: RandomStream, candidate: Candidate, scratch: RepairScratch): boolean {
  const { levelCount, dimensionCount } = space.tables;
  for (let slot = levelCount; slot < space.slotCount; slot++) {
    let product = slotProduct(space, candidate, slot);
    while (product > space.fanout[slot]!) {
      let count = 0;
      for (let dimension = 0; dimension < dimensionCount; dimension++) {
        const cell = slot * dimensionCount + dimension;
        if (canMoveOut(space, candidate, cell, dimension, slot % levelCount)) scratch.sources[count++] = cell;
      }
      if (count === 0) return false;
      const cell = scratch.sources[random.integer(count)]!;
      const dimension = cell % dimensionCount;
      product /= moveOut(space, candidate, cell, dimension, outerSlot(space, dimension, slot % levelCount));
    }
  }
  return true;
}

function repairCapacities(
  space: Mapspace,
  random: RandomStream,
  candidate: Candidate,
  scratch: RepairScratch,
): boolean {
  const { levelCount, dimensionCount } = space.tables;
  const { tile, sources } = scratch;
  layTiles(space, candidate, tile);
  for (let level = levelCount - 1; level >= 0; level--) {
    while (!levelFits(space, candidate, level, tile)) {
      let count = 0;
      for (let slot = 0; slot < space.slotCount; slot++) {
        if (slot % levelCount < level) continue;
        for (let dimension = 0; dimension < dimensionCount; dimension++) {
          const cell = slot * dimensionCount + dimension;
          if (!keepsPartOf(space, candidate, level, dimension)) continue;
          if (canMoveOut(space, candidate, cell, dimension, level - 1)) sources[count++] = cell;
        }
      }
      if (count === 0) return false;
      const cell = sources[random.integer(count)]!;
      const dimension = cell % dimensionCount;
      const from = ((cell - dimension) / dimensionCount) % levelCount;
      const target = outerSlot(space, dimension, level - 1);
      const prime = moveOut(space, candidate, cell, dimension, target);
      for (let inner = target + 1; inner <= from; inner++) tile[inner * dimensionCount + dimension]! /= prime;
    }
  }
  return true;
}

function keepsPartOf(space: Mapspace, candidate: Candidate, level: number, dimension: number): boolean {
  const { spaces, dimensionCount } = space.tables;
  for (let index = 0; index < spaces.length; index++) {
    if (candidate.keep[level * spaces.length + index] !== 1) continue;
    if (space.relevant[index * dimensionCount + dimension] === 1) return true;
  }
  return false;
}

/** Innermost slot in time at `level` or outside it where the dimension may stand; −1 if there is none. */
function outerSlot({ tables, free }: Mapspace, dimension: number, level: number): number {
  for (let slot = level; slot >= 0; slot--) if (free[slot * tables.dimensionCount + dimension] === 1) return slot;
  return -1;
}

function canMoveOut(space: Mapspace, candidate: Candidate, cell: number, dimension: number, level: number): boolean {
  return space.free[cell] === 1 && candidate.bounds[cell]! > 1 && outerSlot(space, dimension, level) >= 0;
}

/** Moves the smallest prime of a bound to a slot in time; returns it. */
function moveOut(space: Mapspace, candidate: Candidate, cell: number, dimension: number, slot: number): number {
  const primes = space.primesOf[dimension]!;
  const bound = candidate.bounds[cell]!;
  let index = 0;
  while (bound % primes[index]! !== 0) index++;
  const prime = primes[index]!;
  candidate.bounds[cell] = bound / prime;
  candidate.bounds[slot * space.tables.dimensionCount + dimension]! *= prime;
  return prime;
}
