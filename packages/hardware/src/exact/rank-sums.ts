import {
  addShifted,
  type Bits,
  clearBits,
  countBits,
  countCommon,
  createBits,
  removeShifted,
  repeatBits,
  setBit,
} from "./bits.js";
import { FRAGMENTS, type MulticastCode, NONE, TILES } from "./network.js";
import { countPoints, extentOf, layPoints } from "./points.js";

// What one step brings along one rank. The children of a level hold tiles; along a rank a tile is a set of places, and
// the children are copies of a few patterns, moved on by sums of strides. The tile of a child before the step has a
// place and lengths of its own.
//
// A tensor's tile is the product of its places along the ranks. What a child must take in is its tile without what it
// held: ∏ |A| − ∏ |A ∩ B|. Children vary along each rank independently, so that sums over children are products of sums
// along ranks. The words that at least one child must take in are the union of the tiles without those words that every
// child which wants them held: ∏ |U| − ∏ (|U| − |V|), U being the union of A and V that of A without B along the rank.

/** Copies of one tile: every child whose tile has these lengths and moved in this way. Reused. */
export interface Pattern {
  /** Place of the first copy's tile now and before. */
  now: number;
  before: number;
  /** One entry per term of the rank. */
  readonly lengths: Float64Array;
  readonly lengthsBefore: Float64Array;
  /** The copies: `bounds[i]` times, `strides[i]` apart. */
  readonly strides: Float64Array;
  readonly bounds: Float64Array;
  copies: number;
}

/** How many words the parents read, and whether siblings help. */
export interface Ask {
  multicast: MulticastCode;
  links: boolean;
  /** False at the first step, when nobody holds anything. */
  before: boolean;
}

// Entries of the sums.
/** Σ over children of |A|. */
export const TAKEN = 0;
/** Σ over children of |A ∩ B|. */
export const KEPT = 1;
/** |A| over what the parent reads: all children, each tile once, or the union. */
export const READ = 2;
/** What of it need not be read: held by the child itself, or with links by any child. */
export const SPARED = 3;
/** With links: Σ over children of what any child held. */
export const NEAR = 4;
export const SUMS = 5;

/** Room for the work along one rank. */
export interface RankScratch {
  /** Whether a tile counts from its first place to its last, gaps included: to compare with models that count so. */
  readonly boxes: boolean;
  readonly coefficients: Float64Array;
  readonly terms: number;
  readonly patterns: Pattern[];
  patternCount: number;
  readonly sums: Float64Array;
  readonly tile: Bits;
  readonly other: Bits;
  readonly union: Bits;
  readonly wanted: Bits;
  readonly around: Bits;
  copies: Float64Array;
}

export function createRankScratch(coefficients: Float64Array, boxes: boolean): RankScratch {
  return {
    boxes,
    coefficients,
    terms: coefficients.length,
    patterns: [],
    patternCount: 0,
    sums: new Float64Array(SUMS),
    tile: createBits(),
    other: createBits(),
    union: createBits(),
    wanted: createBits(),
    around: createBits(),
    copies: new Float64Array(64),
  };
}

/** The next unused pattern. Allocates only to grow. */
export function nextPattern(scratch: RankScratch, mostCopies: number): Pattern {
  const { patterns, terms } = scratch;
  if (patterns.length === scratch.patternCount) {
    patterns.push({
      now: 0,
      before: 0,
      lengths: new Float64Array(terms),
      lengthsBefore: new Float64Array(terms),
      strides: new Float64Array(mostCopies),
      bounds: new Float64Array(mostCopies),
      copies: 0,
    });
  }
  const pattern = patterns[scratch.patternCount++]!;
  pattern.copies = 0;
  return pattern;
}

/** Sums over the patterns of the scratch, into its `sums`. */
export function sumPatterns(scratch: RankScratch, ask: Ask): void {
  const { patterns, patternCount, sums } = scratch;
  sums.fill(0);
  for (let index = 0; index < patternCount; index++) {
    const pattern = patterns[index]!;
    const children = countCopies(pattern);
    sums[TAKEN]! += children * pointsOf(scratch, pattern.lengths);
    if (ask.before) sums[KEPT]! += children * countKept(scratch, pattern);
  }
  if (!ask.links || !ask.before) {
    if (ask.multicast === NONE) {
      sums[READ] = sums[TAKEN]!;
      sums[SPARED] = sums[KEPT]!;
      return;
    }
    if (patternCount === 1 && sumAlone(scratch, patterns[0]!, ask)) return;
  }
  // One term: no two children share a place, and none holds what another one wants.
  if (scratch.terms === 1) {
    sums[READ] = sums[TAKEN]!;
    sums[SPARED] = sums[KEPT]!;
    sums[NEAR] = sums[KEPT]!;
    return;
  }
  sumByPlaces(scratch, ask);
}

function countCopies({ bounds, copies }: Pattern): number {
  let count = 1;
  for (let index = 0; index < copies; index++) count *= bounds[index]!;
  return count;
}

function pointsOf({ boxes, coefficients, terms, other }: RankScratch, lengths: Float64Array): number {
  const extent = extentOf(coefficients, lengths, terms);
  return boxes ? extent : countPoints(coefficients, lengths, terms, extent, other);
}

/** The places of a tile from place `at` on, in room for `count` places. */
function layTile(
  { boxes, coefficients, terms }: RankScratch,
  bits: Bits,
  lengths: Float64Array,
  at: number,
  count: number,
): void {
  if (!boxes) {
    layPoints(bits, coefficients, lengths, terms, at, count);
    return;
  }
  clearBits(bits, count);
  setBit(bits, at);
  repeatBits(bits, 1, extentOf(coefficients, lengths, terms));
}

function alike({ lengths, lengthsBefore }: Pattern): boolean {
  for (let term = 0; term < lengths.length; term++) if (lengths[term] !== lengthsBefore[term]) return false;
  return true;
}

/** Places that the tile of a pattern has in common with the one before. */
function countKept(scratch: RankScratch, pattern: Pattern): number {
  const { coefficients, terms, tile, other } = scratch;
  const { now, before, lengths, lengthsBefore } = pattern;
  const extent = extentOf(coefficients, lengths, terms);
  const extentBefore = extentOf(coefficients, lengthsBefore, terms);
  if (before >= now + extent || now >= before + extentBefore) return 0;
  const points = pointsOf(scratch, lengths);
  const same = alike(pattern);
  if (same && now === before) return points;
  if (points === extent && pointsOf(scratch, lengthsBefore) === extentBefore) {
    return Math.min(now + extent, before + extentBefore) - Math.max(now, before);
  }
  const low = Math.min(now, before);
  const room = Math.max(now + extent, before + extentBefore) - low;
  layTile(scratch, tile, lengths, now - low, room);
  layTile(scratch, other, lengthsBefore, before - low, room);
  return countCommon(tile, other, 0);
}

/** A single pattern, without links, where no set of places is needed; false when one is. */
function sumAlone(scratch: RankScratch, pattern: Pattern, { multicast, before }: Ask): boolean {
  const { coefficients, terms, sums } = scratch;
  const children = countCopies(pattern);
  if (children === 1) {
    sums[READ] = sums[TAKEN]!;
    sums[SPARED] = sums[KEPT]!;
    return true;
  }
  if (multicast === TILES) {
    const classes = spread(pattern, 1);
    if (classes < 0) return false;
    sums[READ] = (sums[TAKEN]! / children) * classes;
    sums[SPARED] = (sums[KEPT]! / children) * classes;
    return true;
  }
  const extent = extentOf(coefficients, pattern.lengths, terms);
  if (sums[TAKEN] !== children * extent) return false;
  const union = spread(pattern, extent);
  if (union < 0) return false;
  sums[READ] = union;
  if (!before || sums[KEPT] === 0) return true;
  if (sums[KEPT] === sums[TAKEN]) {
    sums[SPARED] = union;
    return true;
  }
  if (!alike(pattern)) return false;
  const wanted = spread(pattern, Math.abs(pattern.now - pattern.before));
  if (wanted < 0) return false;
  sums[SPARED] = union - wanted;
  return true;
}

/** Places that the copies of a run of `length` places cover; −1 when its copies interleave. Sorts the copies. */
function spread(pattern: Pattern, length: number): number {
  const { strides, bounds, copies } = pattern;
  let count = length;
  let span = length;
  for (let index = 0; index < copies; index++) {
    for (let other = index + 1; other < copies; other++) {
      if (strides[other]! >= strides[index]!) continue;
      const stride = strides[index]!;
      const bound = bounds[index]!;
      strides[index] = strides[other]!;
      bounds[index] = bounds[other]!;
      strides[other] = stride;
      bounds[other] = bound;
    }
    const stride = strides[index]!;
    if (stride >= span) count *= bounds[index]!;
    else if (count === span) count += stride * (bounds[index]! - 1);
    else return -1;
    span += stride * (bounds[index]! - 1);
  }
  return count;
}

/** Any patterns, with explicit sets of places. */
function sumByPlaces(scratch: RankScratch, ask: Ask): void {
  const { patterns, patternCount, sums } = scratch;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let index = 0; index < patternCount; index++) {
    const pattern = patterns[index]!;
    let reach = 0;
    for (let copy = 0; copy < pattern.copies; copy++) reach += pattern.strides[copy]! * (pattern.bounds[copy]! - 1);
    low = Math.min(low, pattern.now, pattern.before);
    high = Math.max(high, pattern.now + reach + extentOf(scratch.coefficients, pattern.lengths, scratch.terms));
    high = Math.max(
      high,
      pattern.before + reach + extentOf(scratch.coefficients, pattern.lengthsBefore, scratch.terms),
    );
  }
  const room = high - low;
  const near = ask.links && ask.before;
  if (near || ask.multicast === FRAGMENTS) uniteTiles(scratch, low, room, ask);
  if (ask.multicast === FRAGMENTS) {
    sums[READ] = countBits(scratch.union);
    sums[SPARED] = !ask.before
      ? 0
      : near
        ? countCommon(scratch.union, scratch.around, 0)
        : sums[READ]! - countBits(scratch.wanted);
  }
  if (near) sums[NEAR] = sumNear(scratch, low, room);
  if (ask.multicast === TILES) sumClasses(scratch, low, room, near);
  if (ask.multicast === NONE) {
    sums[READ] = sums[TAKEN]!;
    sums[SPARED] = sums[NEAR]!;
  }
}

/** The unions of all tiles now, of what children must take in, and of all tiles before. */
function uniteTiles(scratch: RankScratch, low: number, room: number, { before }: Ask): void {
  const { patterns, patternCount, tile, other, union, wanted, around } = scratch;
  clearBits(union, room);
  clearBits(wanted, room);
  clearBits(around, room);
  for (let index = 0; index < patternCount; index++) {
    const pattern = patterns[index]!;
    layTile(scratch, tile, pattern.lengths, pattern.now - low, room);
    if (before) {
      layTile(scratch, other, pattern.lengthsBefore, pattern.before - low, room);
      removeShifted(tile, other, 0);
      repeatCopies(tile, pattern);
      addShifted(wanted, tile, 0);
      repeatCopies(other, pattern);
      addShifted(around, other, 0);
      layTile(scratch, tile, pattern.lengths, pattern.now - low, room);
    }
    repeatCopies(tile, pattern);
    addShifted(union, tile, 0);
  }
}

function repeatCopies(bits: Bits, { strides, bounds, copies }: Pattern): void {
  for (let copy = 0; copy < copies; copy++) repeatBits(bits, strides[copy]!, bounds[copy]!);
}

/** Children whose tiles begin at the same place and have the same lengths, now and before, are served together. */
function sumClasses(scratch: RankScratch, low: number, room: number, near: boolean): void {
  const { patterns, patternCount, sums, other } = scratch;
  sums[READ] = 0;
  sums[SPARED] = 0;
  for (let index = 0; index < patternCount; index++) {
    if (firstAlike(patterns, index) < index) continue;
    const pattern = patterns[index]!;
    countStarts(scratch, index, low, room);
    let classes = 0;
    for (let place = 0; place < room; place++) if (scratch.copies[place]! > 0) classes++;
    sums[READ]! += classes * pointsOf(scratch, pattern.lengths);
    if (!near) {
      if (sums[KEPT]! > 0) sums[SPARED]! += classes * countKept(scratch, pattern);
      continue;
    }
    layTile(scratch, other, pattern.lengths, 0, room);
    for (let place = 0; place < room; place++) {
      if (scratch.copies[place]! > 0) sums[SPARED]! += countCommon(scratch.around, other, place);
    }
  }
}

/** Σ over children of the places of their tiles that any child held before. */
function sumNear(scratch: RankScratch, low: number, room: number): number {
  const { patterns, patternCount, other, around } = scratch;
  let sum = 0;
  for (let index = 0; index < patternCount; index++) {
    if (firstAlike(patterns, index) < index) continue;
    countStarts(scratch, index, low, room);
    layTile(scratch, other, patterns[index]!.lengths, 0, room);
    for (let place = 0; place < room; place++) {
      const children = scratch.copies[place]!;
      if (children > 0) sum += children * countCommon(around, other, place);
    }
  }
  return sum;
}

/** The first pattern with the same tile that moved in the same way. */
function firstAlike(patterns: readonly Pattern[], index: number): number {
  const pattern = patterns[index]!;
  for (let other = 0; other < index; other++) {
    const earlier = patterns[other]!;
    if (earlier.now - earlier.before !== pattern.now - pattern.before) continue;
    let same = true;
    for (let term = 0; term < pattern.lengths.length; term++) {
      if (earlier.lengths[term] !== pattern.lengths[term]) same = false;
      if (earlier.lengthsBefore[term] !== pattern.lengthsBefore[term]) same = false;
    }
    if (same) return other;
  }
  return index;
}

/** `copies[place]`: children of this pattern and of those alike whose tiles begin at a place. */
function countStarts(scratch: RankScratch, index: number, low: number, room: number): void {
  if (scratch.copies.length < room) scratch.copies = new Float64Array(2 * room);
  scratch.copies.fill(0, 0, room);
  for (let other = index; other < scratch.patternCount; other++) {
    if (firstAlike(scratch.patterns, other) === index) addStarts(scratch.copies, scratch.patterns[other]!, low);
  }
}

function addStarts(starts: Float64Array, { now, strides, bounds, copies }: Pattern, low: number): void {
  const place = (copy: number, at: number): void => {
    if (copy === copies) {
      starts[at]!++;
      return;
    }
    for (let step = 0; step < bounds[copy]!; step++) place(copy + 1, at + step * strides[copy]!);
  };
  place(0, now - low);
}
