import type { Constraints, LevelConstraints } from "../architecture/constraints.js";
import type { MappingCode } from "./code.js";
import type { Nest } from "./nest.js";
import { boxVolume, type Tables } from "./tables.js";

// Whether a mapping fits an architecture. In a search most candidates do not, so that a rejection is a value.

/**
 * - `factors`: a dimension's bounds do not multiply to its size
 * - `fanout`: more children than the array has columns or rows
 * - `storage`: a tensor is kept at a level without storage
 * - `notKept`: a tensor is kept nowhere
 * - `capacity`: the tiles exceed the memory
 * - `utilization`: less of a memory or of the compute units is used than the constraints ask for
 */
export type RejectionReason = "factors" | "fanout" | "storage" | "notKept" | "capacity" | "utilization";

/** Why a mapping does not fit. */
export interface MappingRejection {
  readonly ok: false;
  readonly reason: RejectionReason;
  readonly level?: string | undefined;
  readonly dataSpace?: string | undefined;
  readonly dimension?: string | undefined;
  /** What the mapping asks for, in the unit of the reason (loop product, children, words, bits, units). */
  readonly needed?: number | undefined;
  readonly available?: number | undefined;
}

/** A rejection as indices, written in place; −1 where an index does not apply. */
export interface RejectionRecord {
  reason: RejectionReason;
  level: number;
  space: number;
  dimension: number;
  needed: number;
  available: number;
}

export function createRejectionRecord(): RejectionRecord {
  return { reason: "factors", level: -1, space: -1, dimension: -1, needed: 0, available: 0 };
}

/** What the memories hold, compiled. */
export interface Limits {
  /** [level]: capacity in the unit of `weight`; infinite where unbounded. */
  readonly capacity: Float64Array;
  readonly minimum: Float64Array;
  /** [level][data space]: units of capacity that one word takes: 1 where the level fixes the word, else its bits. */
  readonly weight: Float64Array;
  readonly minUnits: number;
}

/** Capacities from the architecture, and the parts of them that its constraints leave or ask for. */
export function compileLimits(tables: Tables): Limits {
  const { architecture, levelCount, spaces } = tables;
  const constraints: Constraints = architecture.constraints ?? {};
  const capacity = new Float64Array(levelCount).fill(Number.POSITIVE_INFINITY);
  const minimum = new Float64Array(levelCount);
  const weight = new Float64Array(levelCount * spaces.length).fill(1);
  architecture.levels.forEach(({ name, storage }, level) => {
    if (storage === undefined) return;
    const { entries, widthBits, wordBits } = storage;
    if (wordBits === undefined) {
      for (const [space, { bitWidth }] of spaces.entries()) weight[level * spaces.length + space] = bitWidth;
    }
    if (entries === undefined) return;
    const constraint: Partial<LevelConstraints> = constraints.levels?.find((entry) => entry.level === name) ?? {};
    const whole = wordBits === undefined ? entries * widthBits : wordsIn(entries, widthBits, wordBits);
    capacity[level] = Math.floor(whole / (constraint.multipleBuffering ?? 1));
    minimum[level] = capacity[level]! * (constraint.minUtilization ?? 0);
  });
  const units = tables.fanoutX.reduce((product, x, level) => product * x * tables.fanoutY[level]!, 1);
  return { capacity, minimum, weight, minUnits: units * (constraints.minComputeUtilization ?? 0) };
}

function wordsIn(entries: number, widthBits: number, wordBits: number): number {
  return wordBits <= widthBits
    ? entries * Math.floor(widthBits / wordBits)
    : Math.floor(entries / Math.ceil(wordBits / widthBits));
}

/** Whether a laid-out mapping fits; if not, the record says why. Allocates nothing. */
export function checkNest(
  tables: Tables,
  limits: Limits,
  nest: Nest,
  code: MappingCode,
  rejection: RejectionRecord,
): boolean {
  return (
    checkLoops(tables, nest, rejection) &&
    checkKeeping(tables, code, rejection) &&
    checkCapacity(tables, limits, nest, code, rejection) &&
    (nest.units >= limits.minUnits || reject(rejection, "utilization", -1, -1, -1, limits.minUnits, nest.units))
  );
}

function checkLoops(tables: Tables, nest: Nest, rejection: RejectionRecord): boolean {
  for (let level = 0; level < tables.levelCount; level++) {
    const x = nest.usedX[level]!;
    const y = nest.usedY[level]!;
    if (x > tables.fanoutX[level]!) return reject(rejection, "fanout", level, -1, -1, x, tables.fanoutX[level]!);
    if (y > tables.fanoutY[level]!) return reject(rejection, "fanout", level, -1, -1, y, tables.fanoutY[level]!);
  }
  for (let dimension = 0; dimension < tables.dimensionCount; dimension++) {
    const covered = nest.tileSize[dimension]!;
    const size = tables.sizes[dimension]!;
    if (covered !== size) return reject(rejection, "factors", -1, -1, dimension, covered, size);
  }
  return true;
}

export function checkKeeping(tables: Tables, code: MappingCode, rejection: RejectionRecord): boolean {
  const spaceCount = tables.spaces.length;
  for (let space = 0; space < spaceCount; space++) {
    let kept = false;
    for (let level = 0; level < tables.levelCount; level++) {
      if (code.keep[level * spaceCount + space] !== 1) continue;
      if (tables.hasStorage[level] !== 1) return reject(rejection, "storage", level, space, -1, 0, 0);
      kept = true;
    }
    if (!kept) return reject(rejection, "notKept", -1, space, -1, 0, 0);
  }
  return true;
}

function checkCapacity(
  tables: Tables,
  limits: Limits,
  nest: Nest,
  code: MappingCode,
  rejection: RejectionRecord,
): boolean {
  const { levelCount, dimensionCount, spaces } = tables;
  for (let level = 0; level < levelCount; level++) {
    const capacity = limits.capacity[level]!;
    if (capacity === Number.POSITIVE_INFINITY) continue;
    let needed = 0;
    let largest = -1;
    let largestNeed = 0;
    for (let space = 0; space < spaces.length; space++) {
      const cell = level * spaces.length + space;
      if (code.keep[cell] !== 1) continue;
      const words = boxVolume(spaces[space]!, nest.tileSize, level * dimensionCount);
      const need = words * limits.weight[cell]!;
      needed += need;
      if (need > largestNeed) {
        largestNeed = need;
        largest = space;
      }
    }
    if (needed > capacity) return reject(rejection, "capacity", level, largest, -1, needed, capacity);
    if (needed < limits.minimum[level]!) {
      return reject(rejection, "utilization", level, -1, -1, limits.minimum[level]!, needed);
    }
  }
  return true;
}

export function reject(
  record: RejectionRecord,
  reason: RejectionReason,
  level: number,
  space: number,
  dimension: number,
  needed: number,
  available: number,
): false {
  record.reason = reason;
  record.level = level;
  record.space = space;
  record.dimension = dimension;
  record.needed = needed;
  record.available = available;
  return false;
}

/** The record with names. */
export function describeRejection(tables: Tables, record: RejectionRecord): MappingRejection {
  const { reason, level, space, dimension, needed, available } = record;
  return {
    ok: false,
    reason,
    ...(level >= 0 && { level: tables.architecture.levels[level]!.name }),
    ...(space >= 0 && { dataSpace: tables.spaces[space]!.name }),
    ...(dimension >= 0 && { dimension: tables.dimensionNames[dimension]! }),
    ...((needed > 0 || available > 0) && { needed, available }),
  };
}
