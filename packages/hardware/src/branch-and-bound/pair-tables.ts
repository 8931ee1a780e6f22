import type { HaloRule } from "../analysis/walk.js";
import type { ChainLists, Chains } from "./chains.js";
import type { PairRank } from "./tensors.js";

// A rank with two dimensions under every pair of their chains, seen from one boundary.

/** Row-major [chain of the first dimension][chain of the second]; the least over a dimension that is not dealt yet. */
export interface PairTable {
  readonly secondCount: number;
  /** Extent of the child's tile times the bounds of all loops outside it: words without any overlap. */
  readonly full: Float64Array;
  /** Words of the walk over these loops alone, in the order that brings the fewest. */
  readonly walk: Float64Array;
  /** Whether a step can be one that neighbour links serve. */
  readonly links: Uint8Array;
  /** Whether a loop other than the innermost one can bring less than a whole tile. */
  readonly returns: Uint8Array;
  readonly byFirst: PairBounds;
  readonly bySecond: PairBounds;
  readonly least: PairBounds;
}

export interface PairBounds {
  readonly full: Float64Array;
  readonly walk: Float64Array;
  readonly links: Uint8Array;
}

export interface PairQuestion {
  readonly pair: PairRank;
  /** The loops outside the children of this level are walked over. */
  readonly boundary: number;
  /** Levels with neighbour links between the two memories. */
  readonly linkLevels: readonly number[];
  readonly firstSpread: readonly number[];
  readonly secondSpread: readonly number[];
}

/** Makes the table of one rank and boundary; `rule` is that of the counts. */
export function tabulatePair(
  question: PairQuestion,
  chains: ChainLists,
  rule: HaloRule,
  levelCount: number,
): PairTable {
  const { pair, boundary, linkLevels, firstSpread, secondSpread } = question;
  const first = chains.get(pair.first, firstSpread);
  const second = chains.get(pair.second, secondSpread);
  const size = first.count * second.count;
  const full = new Float64Array(size);
  const walk = new Float64Array(size);
  const links = new Uint8Array(size);
  const returns = new Uint8Array(size);
  const walker = createRankWalker(pair, rule, levelCount);
  for (let a = 0; a < first.count; a++) {
    for (let b = 0; b < second.count; b++) {
      const cell = a * second.count + b;
      walker.walkAll(first, a, second, b, boundary);
      full[cell] = walker.full;
      walk[cell] = walker.least;
      returns[cell] = walker.returns ? 1 : 0;
      links[cell] = linkLevels.some((level) => walker.mayLink(first, a, second, b, level)) ? 1 : 0;
    }
  }
  const group = (groups: number, groupOf: (cell: number) => number): PairBounds =>
    gather(groups, groupOf, full, walk, links);
  return {
    secondCount: second.count,
    full,
    walk,
    links,
    returns,
    byFirst: group(first.count, (cell) => Math.floor(cell / second.count)),
    bySecond: group(second.count, (cell) => cell % second.count),
    least: group(1, () => 0),
  };
}

function gather(
  groups: number,
  groupOf: (cell: number) => number,
  full: Float64Array,
  walk: Float64Array,
  links: Uint8Array,
): PairBounds {
  const bounds = {
    full: new Float64Array(groups).fill(Number.POSITIVE_INFINITY),
    walk: new Float64Array(groups).fill(Number.POSITIVE_INFINITY),
    links: new Uint8Array(groups),
  };
  for (let cell = 0; cell < full.length; cell++) {
    const group = groupOf(cell);
    bounds.full[group] = Math.min(bounds.full[group]!, full[cell]!);
    bounds.walk[group] = Math.min(bounds.walk[group]!, walk[cell]!);
    bounds.links[group]! |= links[cell]!;
  }
  return bounds;
}

interface RankWalker {
  full: number;
  least: number;
  returns: boolean;
  /** All orders of the loops outside `boundary` that keep levels apart. */
  walkAll(first: Chains, a: number, second: Chains, b: number, boundary: number): void;
  mayLink(first: Chains, a: number, second: Chains, b: number, level: number): boolean;
}

/** One-dimensional walks as in `analysis/walk.ts`. */
function createRankWalker(pair: PairRank, rule: HaloRule, levelCount: number): RankWalker {
  // Loops by level, innermost first; of each level at most one of either dimension.
  const firstBound = new Float64Array(levelCount);
  const firstStep = new Float64Array(levelCount);
  const secondBound = new Float64Array(levelCount);
  const secondStep = new Float64Array(levelCount);
  const steps: number[] = [];
  let extent = 1;

  const layOut = (first: Chains, a: number, second: Chains, b: number, boundary: number): void => {
    const atFirst = a * levelCount;
    const atSecond = b * levelCount;
    extent =
      1 +
      pair.firstCoefficient * (first.child[atFirst + boundary]! - 1) +
      pair.secondCoefficient * (second.child[atSecond + boundary]! - 1);
    for (let level = boundary; level >= 0; level--) {
      firstBound[level] = first.bounds[atFirst + level]!;
      firstStep[level] = pair.firstCoefficient * first.union[atFirst + level]!;
      secondBound[level] = second.bounds[atSecond + level]!;
      secondStep[level] = pair.secondCoefficient * second.union[atSecond + level]!;
    }
  };

  const walker: RankWalker = {
    full: 0,
    least: 0,
    returns: false,
    walkAll(first, a, second, b, boundary) {
      layOut(first, a, second, b, boundary);
      walker.full = extent;
      walker.returns = false;
      for (let level = boundary; level >= 0; level--) walker.full *= firstBound[level]! * secondBound[level]!;
      walker.least = walker.full;
      step(boundary, 0, 0, 0);
    },
    mayLink(first, a, second, b, level) {
      layOut(first, a, second, b, level);
      const reach =
        pair.firstCoefficient * (first.union[a * levelCount + level]! - first.child[a * levelCount + level]!) +
        pair.secondCoefficient * (second.union[b * levelCount + level]! - second.child[b * levelCount + level]!);
      steps.length = 0;
      for (let outer = level; outer >= 0; outer--) {
        if (firstBound[outer]! > 1) steps.push(firstStep[outer]!, rule.everyIteration ? firstBound[outer]! - 1 : 1);
        if (secondBound[outer]! > 1) steps.push(secondStep[outer]!, rule.everyIteration ? secondBound[outer]! - 1 : 1);
      }
      return reach > 0 && stepsWithin(steps, reach);
    },
  };

  /** Takes the loops from `level` outwards: `block` and `inner` as in walkTile; `direction` is 0 before the first. */
  function step(level: number, block: number, inner: number, direction: number): void {
    if (level < 0) {
      walker.least = Math.min(walker.least, extent + block);
      return;
    }
    const bound = firstBound[level]!;
    const otherBound = secondBound[level]!;
    const vector = firstStep[level]!;
    const otherVector = secondStep[level]!;
    if (bound > 1) advance(bound, vector, otherBound, otherVector, level, block, inner, direction);
    if (otherBound > 1) advance(otherBound, otherVector, bound, vector, level, block, inner, direction);
    if (bound === 1 && otherBound === 1) step(level - 1, block, inner, direction);
  }

  /** One loop, then the other one of its level where there is one. */
  function advance(
    bound: number,
    vector: number,
    nextBound: number,
    nextVector: number,
    level: number,
    block: number,
    inner: number,
    direction: number,
  ): void {
    const move = vector - inner;
    let words = extent;
    if (direction === 0 || move === direction) words = Math.min(extent, Math.abs(move));
    else if (move === 0) words = 0;
    if (direction !== 0 && words < extent) walker.returns = true;
    const newBlock = bound * block + (bound - 1) * words;
    const newInner = inner + (rule.everyIteration ? bound - 1 : 1) * vector;
    const newDirection = direction === 0 ? move : direction;
    if (nextBound > 1) advance(nextBound, nextVector, 1, 0, level, newBlock, newInner, newDirection);
    else step(level - 1, newBlock, newInner, newDirection);
  }

  return walker;
}

/** Whether a loop's step, what the loops inside it go back, or the difference of both, is not 0 and within reach. */
function stepsWithin(steps: readonly number[], reach: number): boolean {
  const count = steps.length / 2;
  for (let inside = 0; inside < 2 ** count; inside++) {
    let back = 0;
    for (let loop = 0; loop < count; loop++) if ((inside >> loop) & 1) back += steps[2 * loop]! * steps[2 * loop + 1]!;
    if (back !== 0 && back <= reach) return true;
    for (let loop = 0; loop < count; loop++) {
      if ((inside >> loop) & 1) continue;
      const move = Math.abs(steps[2 * loop]! - back);
      if (move !== 0 && move <= reach) return true;
    }
  }
  return false;
}
