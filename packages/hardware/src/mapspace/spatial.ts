import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { divisors } from "./primes.js";

/** One way to deal dimensions over all fan-outs of the chip. */
export interface SpatialSplit {
  /** [spatial slot][dimension], in the order of `SpatialSplits.slots`. */
  readonly bounds: Int32Array;
  /** Units in use: the product of all bounds. */
  readonly units: number;
}

export interface SpatialSplits {
  readonly slots: readonly number[];
  /** Most units first. */
  readonly splits: readonly SpatialSplit[];
}

/** Most splits that a search looks at unless it asks for more. */
const SPLIT_LIMIT = 512;

/** The ways to deal dimensions over the fan-outs; the `limit` with the most units where there are more. */
export function listSpatialSplits(space: Mapspace, limit = SPLIT_LIMIT): SpatialSplits {
  const { tables, free, fanout, fixedBounds } = space;
  const { dimensionCount, levelCount } = tables;
  const slots = Array.from({ length: space.slotCount }, (_, slot) => slot).filter(
    (slot) => slot >= levelCount && fanout[slot]! > 1,
  );
  const start = new Int32Array(slots.length * dimensionCount);
  slots.forEach((slot, at) => {
    start.set(fixedBounds.subarray(slot * dimensionCount, (slot + 1) * dimensionCount), at * dimensionCount);
  });
  const rests = space.primesOf.map((primes) => primes.reduce((product, prime) => product * prime, 1));
  let splits: SpatialSplit[] = [{ bounds: start, units: start.reduce((product, bound) => product * bound, 1) }];
  slots.forEach((slot, at) => {
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (free[slot * dimensionCount + dimension] !== 1) continue;
      splits = splits.flatMap((split) => extendSplit(split, at, dimension));
      if (splits.length > 8 * limit) splits = mostUnits(splits, 8 * limit);
    }
  });
  return { slots, splits: mostUnits(splits, limit) };

  function extendSplit(split: SpatialSplit, at: number, dimension: number): SpatialSplit[] {
    let room = fanout[slots[at]!]!;
    let rest = rests[dimension]!;
    for (let index = 0; index < dimensionCount; index++) room /= split.bounds[at * dimensionCount + index]!;
    for (let index = 0; index < at; index++) {
      const cell = index * dimensionCount + dimension;
      rest /= free[slots[index]! * dimensionCount + dimension] === 1 ? split.bounds[cell]! : 1;
    }
    return divisors(rest)
      .filter((bound) => bound <= room)
      .map((bound) => {
        if (bound === 1) return split;
        const bounds = split.bounds.slice();
        bounds[at * dimensionCount + dimension] = bound;
        return { bounds, units: split.units * bound };
      });
  }
}

function mostUnits(splits: SpatialSplit[], limit: number): SpatialSplit[] {
  return splits.sort((a, b) => b.units - a.units).slice(0, limit);
}

/** Writes a split into a candidate's spatial slots. */
export function applySplit({ tables }: Mapspace, { slots }: SpatialSplits, split: SpatialSplit, to: Candidate): void {
  const { dimensionCount } = tables;
  for (let at = 0; at < slots.length; at++) {
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      to.bounds[slots[at]! * dimensionCount + dimension] = split.bounds[at * dimensionCount + dimension]!;
    }
  }
}
