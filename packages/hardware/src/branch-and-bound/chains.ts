import type { Mapspace } from "../mapspace/mapspace.js";
import { divisors } from "../mapspace/primes.js";

/** The ways to deal what the fan-outs leave of a dimension over the loops in time. Row-major [chain][level]. */
export interface Chains {
  readonly count: number;
  readonly bounds: Int32Array;
  /** What one child of the level covers. */
  readonly child: Float64Array;
  /** What all children of one instance cover together: the step of the level's loop in time. */
  readonly union: Float64Array;
  /** What one instance covers in all its time. */
  readonly tile: Float64Array;
  /** [level], the least over all chains. */
  readonly leastTile: Float64Array;
}

export interface ChainLists {
  /** `spread`: [level], bounds of the dimension over the fan-outs (X times Y). */
  get(dimension: number, spread: readonly number[]): Chains;
}

/** Lists of chains, each made once. */
export function createChainLists(space: Mapspace): ChainLists {
  const lists = new Map<string, Chains>();
  return {
    get(dimension, spread) {
      const key = `${dimension}:${spread.join()}`;
      const known = lists.get(key);
      if (known !== undefined) return known;
      const made = listChains(space, dimension, spread);
      lists.set(key, made);
      return made;
    },
  };
}

function listChains({ tables, free, fixedBounds }: Mapspace, dimension: number, spread: readonly number[]): Chains {
  const { levelCount, dimensionCount, sizes } = tables;
  let rest = sizes[dimension]! / spread.reduce((product, bound) => product * bound, 1);
  const start = Array.from({ length: levelCount }, (_, level) => fixedBounds[level * dimensionCount + dimension]!);
  for (const bound of start) rest /= bound;
  const slots = start.map((_, level) => level).filter((level) => free[level * dimensionCount + dimension] === 1);
  const rows: number[][] = [];
  const deal = (row: readonly number[], slot: number, left: number): void => {
    if (slot === slots.length) {
      if (left === 1) rows.push([...row]);
      return;
    }
    const level = slots[slot]!;
    const choices = slot === slots.length - 1 ? [left] : divisors(left);
    for (const bound of choices) deal(row.with(level, bound), slot + 1, left / bound);
  };
  if (Number.isInteger(rest)) deal(start, 0, rest);
  return layChains(rows, spread, levelCount);
}

function layChains(rows: readonly number[][], spread: readonly number[], levelCount: number): Chains {
  const cells = rows.length * levelCount;
  const bounds = Int32Array.from(rows.flat());
  const child = new Float64Array(cells);
  const union = new Float64Array(cells);
  const tile = new Float64Array(cells);
  const leastTile = new Float64Array(levelCount).fill(Number.POSITIVE_INFINITY);
  for (let chain = 0; chain < rows.length; chain++) {
    let covered = 1;
    for (let level = levelCount - 1; level >= 0; level--) {
      const cell = chain * levelCount + level;
      child[cell] = covered;
      union[cell] = covered * spread[level]!;
      covered = union[cell]! * bounds[cell]!;
      tile[cell] = covered;
      leastTile[level] = Math.min(leastTile[level]!, covered);
    }
  }
  return { count: rows.length, bounds, child, union, tile, leastTile };
}
