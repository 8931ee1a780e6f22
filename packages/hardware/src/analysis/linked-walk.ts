import { countDistinct, countServed, type FanoutScratch } from "./fanout.js";
import { AGAIN, STAYS, setDirection, startWalk, type TileWalk, takeStep, wordsOf } from "./walk.js";

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

/** Accesses, deliveries and links at once. Reused between walks. */
type Sums = Float64Array;

export interface LinkedScratch {
  /** Of the block of loops so far. */
  readonly block: Sums;
  /** Per word of the step at hand, without and with links. */
  readonly plain: Sums;
  readonly linked: Sums;
  /** What links add when the first step of a block can use them. */
  readonly opening: Sums;
}

export function createLinkedScratch(): LinkedScratch {
  const sums = (): Sums => new Float64Array(3);
  return { block: sums(), plain: sums(), linked: sums(), opening: sums() };
}

/** Whether links can save anything at all: the innermost temporal loop outside the children must move the tile. */
export function linksMayServe({ nest, space, dimensionCount }: TileWalk, level: number): boolean {
  const loop = nest.firstLoop[level]!;
  if (loop === nest.loopCount) return false;
  const dimension = nest.loopDimension[loop]!;
  for (let rank = 0; rank < space.rankCount; rank++) {
    if (space.coefficients[rank * dimensionCount + dimension] !== 0) return true;
  }
  // Every other step brings nothing, and a neighbour that took in nothing has nothing to pass on.
  return false;
}

/**
 * Traffic of a level with neighbour links, where `linksMayServe`.
 *
 * Before a step of an outer loop came one of the innermost loop. Both bring the same shape when the steps are equal, or
 * when the innermost loop's step brings a whole tile too; the same holds for the step that follows.
 */
export function walkLinked(
  walk: TileWalk,
  level: number,
  classes: number,
  fanout: FanoutScratch,
  scratch: LinkedScratch,
  traffic: Traffic,
): void {
  const { nest } = walk;
  const volume = startWalk(walk, level);
  const { block, plain, linked, opening } = scratch;
  const firstLoop = nest.firstLoop[level]!;
  let firstIsWhole = false;
  startSums(scratch, classes, fanout.count);
  for (let loop = firstLoop; loop < nest.loopCount; loop++) {
    const kind = takeStep(walk, loop);
    const weight = nest.loopBound[loop]! - 1;
    if (loop > firstLoop && kind === STAYS) {
      wrapBlock(block, weight, 0, plain, undefined);
      continue;
    }
    priceStep(walk, fanout, classes, scratch);
    if (loop === firstLoop) {
      setDirection(walk);
      firstIsWhole = walk.overlap === 0;
      openBlock(walk, scratch, weight, volume - walk.overlap);
      continue;
    }
    const words = wordsOf(walk, kind, volume);
    const alike = kind === AGAIN || (firstIsWhole && words === volume);
    wrapBlock(block, weight, words, alike ? linked : plain, alike ? opening : undefined);
  }
  const opened = firstIsWhole ? 1 : 0;
  traffic.accesses = volume * plain[0]! + block[0]! + opened * opening[0]!;
  traffic.deliveries = volume * plain[1]! + block[1]! + opened * opening[1]!;
  traffic.links = block[2]! + opened * opening[2]!;
}

/**
 * Traffic between the innermost level and the compute units: one word per unit and step, never reused over time
 * (no register is implied), and from a neighbour where links serve.
 */
export function walkUnits(
  walk: TileWalk,
  level: number,
  classes: number,
  fanout: FanoutScratch,
  scratch: LinkedScratch,
  traffic: Traffic,
): void {
  const { nest } = walk;
  startWalk(walk, level);
  const { block, linked } = scratch;
  startSums(scratch, classes, fanout.count);
  for (let loop = nest.firstLoop[level]!; loop < nest.loopCount; loop++) {
    takeStep(walk, loop);
    priceStep(walk, fanout, classes, scratch);
    wrapBlock(block, nest.loopBound[loop]! - 1, 1, linked, undefined);
  }
  traffic.accesses = classes + block[0]!;
  traffic.deliveries = fanout.count + block[1]!;
  traffic.links = block[2]!;
}

function startSums({ block, plain, opening }: LinkedScratch, classes: number, children: number): void {
  block.fill(0);
  opening.fill(0);
  plain[0] = classes;
  plain[1] = children;
  plain[2] = 0;
}

/**
 * The block of the innermost loop alone: whether its first step can use links depends on the step before it, its later
 * ones can. Where iteration 1 stands for all later ones there is a first step only, of their weight.
 */
function openBlock({ rule }: TileWalk, scratch: LinkedScratch, steps: number, words: number): void {
  const { block, plain, linked, opening } = scratch;
  const first = rule.everyIteration ? 1 : steps;
  for (let index = 0; index < 3; index++) {
    block[index] = words * (first * plain[index]! + (steps - first) * linked[index]!);
    opening[index] = words * first * (linked[index]! - plain[index]!);
  }
}

/** The block with one more loop around it: the block, then for each later iteration the step and the block again. */
function wrapBlock(block: Sums, weight: number, words: number, price: Sums, opening: Sums | undefined): void {
  for (let index = 0; index < 3; index++) {
    const again = opening === undefined ? block[index]! : block[index]! + opening[index]!;
    block[index] = block[index]! + weight * (words * price[index]! + again);
  }
}

/** Figures per word of the step at hand: into `linked`, equal to `plain` where links save nothing. */
function priceStep(
  { space, move }: TileWalk,
  fanout: FanoutScratch,
  classes: number,
  { linked, plain }: LinkedScratch,
): void {
  linked.set(plain);
  const served = countServed(fanout, space.rankCount, move);
  if (served === 0) return;
  const unserved = fanout.count - served;
  const unservedClasses = countDistinct(fanout.sorted, unserved);
  if (unservedClasses >= classes) return;
  linked[0] = unservedClasses;
  linked[1] = unserved;
  linked[2] = served;
}
