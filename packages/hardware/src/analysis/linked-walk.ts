import { countDistinct, countServed, type FanoutScratch } from "./fanout.js";
import type { Nest } from "./nest.js";
import type { SpaceTable } from "./tables.js";
import { AGAIN, STAYS, type StepKind, startWalk, takeStep, type WalkScratch } from "./walk.js";

// The temporal walk over an array whose neighbours can pass words on. When the tile moves by t, a child whose neighbour
// stood t further on one step ago takes its new words from there, provided that the neighbour took in words of the same
// shape then. The step uses the links only if that saves accesses of the parent.

/** What a level's fan-out moves for one data space, per instance of the level. */
export interface Traffic {
  /** Words that the parent reads or receives. */
  accesses: number;
  /** Words that arrive at children from the parent (or leave them for it), over all children. */
  deliveries: number;
  /** Words that children take from their neighbours, over all children. */
  links: number;
}

/** Three sums at once: accesses, deliveries, links. */
type Sums = Float64Array;

/** The walk's state (`walkTimeloop` explains the two cases of a block) and the step at hand. Reused between walks. */
export interface LinkedScratch {
  good: Sums;
  bad: Sums;
  nextGood: Sums;
  nextBad: Sums;
  /** Per delivered word of the step at hand, without and with links. */
  readonly plain: Sums;
  readonly linked: Sums;
  /** What links add in the first step of a block. */
  readonly goodSaving: Sums;
  readonly badSaving: Sums;
  goodExit: number;
  badExit: number;
  /** Whether the innermost loop's step brings a whole new tile. */
  firstIsWhole: boolean;
  kind: StepKind;
  weight: number;
  volume: number;
  partial: number;
}

export function createLinkedScratch(): LinkedScratch {
  const sums = (): Sums => new Float64Array(3);
  return {
    good: sums(),
    bad: sums(),
    nextGood: sums(),
    nextBad: sums(),
    plain: sums(),
    linked: sums(),
    goodSaving: sums(),
    badSaving: sums(),
    goodExit: 1,
    badExit: 0,
    firstIsWhole: false,
    kind: STAYS,
    weight: 0,
    volume: 1,
    partial: 0,
  };
}

/** Whether links can save anything at all: the innermost temporal loop outside the children must move the tile. */
export function linksMayServe(nest: Nest, space: SpaceTable, dimensionCount: number, level: number): boolean {
  const loop = nest.firstLoop[level]!;
  if (loop === nest.loopCount) return false;
  const dimension = nest.loopDimension[loop]!;
  for (let rank = 0; rank < space.rankCount; rank++) {
    if (space.coefficients[rank * dimensionCount + dimension] !== 0) return true;
  }
  // Every other step brings nothing, and a neighbour that took in nothing has nothing to pass on.
  return false;
}

/** Traffic of a level with neighbour links by Timeloop's default rule, where `linksMayServe`. */
export function walkLinked(
  nest: Nest,
  space: SpaceTable,
  dimensionCount: number,
  level: number,
  classes: number,
  fanout: FanoutScratch,
  walk: WalkScratch,
  scratch: LinkedScratch,
  traffic: Traffic,
): void {
  const volume = startWalk(nest, space, dimensionCount, level, walk);
  const { plain, goodSaving } = scratch;
  scratch.volume = volume;
  setPlain(plain, classes, fanout.count);
  const firstLoop = nest.firstLoop[level]!;
  for (let loop = firstLoop; loop < nest.loopCount; loop++) {
    scratch.kind = takeStep(nest, space, dimensionCount, loop, walk);
    scratch.weight = nest.loopBound[loop]! - 1;
    scratch.partial = volume - walk.overlap;
    priceStep(fanout, space.rankCount, walk.move, classes, scratch);
    if (loop === firstLoop) {
      walk.first.set(walk.move);
      startBlock(scratch);
    } else wrapBlock(scratch);
  }
  const saving = scratch.firstIsWhole ? 1 : 0;
  traffic.accesses = volume * plain[0]! + scratch.good[0]! + saving * goodSaving[0]!;
  traffic.deliveries = volume * plain[1]! + scratch.good[1]! + saving * goodSaving[1]!;
  traffic.links = scratch.good[2]! + saving * goodSaving[2]!;
}

/**
 * Traffic between the innermost level and the compute units: one word per unit and step, never reused over time
 * (no register is implied), and from a neighbour where links serve.
 */
export function walkUnits(
  nest: Nest,
  space: SpaceTable,
  dimensionCount: number,
  level: number,
  classes: number,
  fanout: FanoutScratch,
  walk: WalkScratch,
  scratch: LinkedScratch,
  traffic: Traffic,
): void {
  startWalk(nest, space, dimensionCount, level, walk);
  setPlain(scratch.plain, classes, fanout.count);
  let accesses = 0;
  let deliveries = 0;
  let links = 0;
  for (let loop = nest.firstLoop[level]!; loop < nest.loopCount; loop++) {
    takeStep(nest, space, dimensionCount, loop, walk);
    priceStep(fanout, space.rankCount, walk.move, classes, scratch);
    const bound = nest.loopBound[loop]!;
    accesses = bound * accesses + (bound - 1) * scratch.linked[0]!;
    deliveries = bound * deliveries + (bound - 1) * scratch.linked[1]!;
    links = bound * links + (bound - 1) * scratch.linked[2]!;
  }
  traffic.accesses = classes + accesses;
  traffic.deliveries = fanout.count + deliveries;
  traffic.links = links;
}

function setPlain(plain: Sums, classes: number, children: number): void {
  plain[0] = classes;
  plain[1] = children;
  plain[2] = 0;
}

/** Figures per word when the tile moves by `move`: into `linked`, equal to `plain` where links save nothing. */
function priceStep(
  fanout: FanoutScratch,
  rankCount: number,
  move: Float64Array,
  classes: number,
  scratch: LinkedScratch,
): void {
  const { linked, plain } = scratch;
  linked.set(plain);
  const served = countServed(fanout, rankCount, move);
  if (served === 0) return;
  const unserved = fanout.count - served;
  const unservedClasses = countDistinct(fanout.sorted, unserved);
  if (unservedClasses >= classes) return;
  linked[0] = unservedClasses;
  linked[1] = unserved;
  linked[2] = served;
}

/** The block of the innermost loop alone. */
function startBlock(scratch: LinkedScratch): void {
  const { good, bad, plain, linked, goodSaving, badSaving, weight, volume, partial } = scratch;
  scratch.goodExit = 1;
  scratch.badExit = 0;
  scratch.firstIsWhole = partial === volume;
  for (let index = 0; index < 3; index++) {
    good[index] = weight * partial * plain[index]!;
    bad[index] = weight * volume * plain[index]!;
    goodSaving[index] = weight * partial * (linked[index]! - plain[index]!);
    badSaving[index] = weight * volume * (linked[index]! - plain[index]!);
  }
}

/** The block with one more loop around it, in both cases. */
function wrapBlock(scratch: LinkedScratch): void {
  const { good, bad, nextGood, nextBad } = scratch;
  const goodExit = wrapCase(nextGood, good, scratch.goodExit, scratch);
  const badExit = wrapCase(nextBad, bad, scratch.badExit, scratch);
  scratch.goodExit = goodExit;
  scratch.badExit = badExit;
  scratch.good = nextGood;
  scratch.nextGood = good;
  scratch.bad = nextBad;
  scratch.nextBad = bad;
}

/** One case: the block, the step at hand, the block again. Links serve where the step's words are shaped like those of the step before. */
function wrapCase(target: Sums, block: Sums, exit: number, scratch: LinkedScratch): number {
  const { good, bad, plain, linked, goodSaving, badSaving, kind, volume, partial, firstIsWhole } = scratch;
  if (kind === STAYS) {
    wrapWith(target, block, 0, plain, good, undefined, scratch.weight);
    return scratch.goodExit;
  }
  if (exit === 1 && kind !== AGAIN) {
    if (firstIsWhole) wrapWith(target, block, volume, linked, good, goodSaving, scratch.weight);
    else wrapWith(target, block, volume, plain, good, undefined, scratch.weight);
    return scratch.goodExit;
  }
  // With no direction set the step before brought a whole tile.
  const price = exit === 1 || partial === volume ? linked : plain;
  if (kind === AGAIN) {
    wrapWith(target, block, partial, price, good, goodSaving, scratch.weight);
    return scratch.goodExit;
  }
  wrapWith(target, block, partial, price, bad, partial === volume ? badSaving : undefined, scratch.weight);
  return scratch.badExit;
}

/** `target = block + weight · (words · price + next + saving)`; the saving where the next block's first step is linked too. */
function wrapWith(
  target: Sums,
  block: Sums,
  words: number,
  price: Sums,
  next: Sums,
  saving: Sums | undefined,
  weight: number,
): void {
  for (let index = 0; index < 3; index++) {
    const after = saving === undefined ? next[index]! : next[index]! + saving[index]!;
    target[index] = block[index]! + weight * (words * price[index]! + after);
  }
}
