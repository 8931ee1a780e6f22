import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { divisors } from "./primes.js";
import { slotProduct } from "./repair.js";

/**
 * Calls `visit` with every mapping of a mapspace whose fan-outs hold, written into the candidate: each way to deal the
 * dimensions over the slots, each order of the loops that are there (those of bound 1 stand anywhere), each choice of what
 * memories keep. Memories may overflow. Stops when `visit` returns false.
 */
export function eachMapping(space: Mapspace, candidate: Candidate, visit: () => boolean): void {
  const { tables, slotCount, freeKeeps, fixedBounds } = space;
  const { dimensionCount } = tables;
  candidate.keep.set(space.keep);
  candidate.bounds.set(fixedBounds);
  if (space.obstacle === undefined) chooseKeep(0);

  function chooseKeep(index: number): boolean {
    if (index === freeKeeps.length) return deal(0, 0);
    for (let kept = 0; kept <= 1; kept++) {
      candidate.keep[freeKeeps[index]!] = kept;
      if (!chooseKeep(index + 1)) return false;
    }
    return true;
  }

  /** Gives the slots of a dimension their bounds, from the `at`-th on. */
  function deal(dimension: number, at: number): boolean {
    if (dimension === dimensionCount) return order(0, 0, 0);
    const slots = space.slotsOf[dimension]!;
    let left = space.primesOf[dimension]!.reduce((product, prime) => product * prime, 1);
    for (let index = 0; index < at; index++) left /= candidate.bounds[slots[index]! * dimensionCount + dimension]!;
    if (at === slots.length) return left > 1 || deal(dimension + 1, 0);
    const cell = slots[at]! * dimensionCount + dimension;
    for (const bound of divisors(left)) {
      candidate.bounds[cell] = bound;
      if (slotProduct(space, candidate, slots[at]!) > space.fanout[slots[at]!]!) break;
      if (!deal(dimension, at + 1)) return false;
    }
    candidate.bounds[cell] = 1;
    return true;
  }

  /** Orders a slot's loops, `used` of which (as bits) stand at its first places. */
  function order(slot: number, place: number, used: number): boolean {
    if (slot === slotCount) return visit();
    const start = slot * dimensionCount;
    const rank = nextRank(start, used);
    if (rank === undefined) {
      placeRest(start, place, used);
      return order(slot + 1, 0, 0);
    }
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (!isLoop(start, dimension, used) || space.orderRank[start + dimension] !== rank) continue;
      candidate.orders[start + place] = dimension;
      if (!order(slot, place + 1, used | (1 << dimension))) return false;
    }
    return true;
  }

  function isLoop(start: number, dimension: number, used: number): boolean {
    return ((used >> dimension) & 1) === 0 && candidate.bounds[start + dimension]! > 1;
  }

  /** Rank that the constraints ask of the next loop inwards; none when all loops are placed. */
  function nextRank(start: number, used: number): number | undefined {
    let rank: number | undefined;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (!isLoop(start, dimension, used)) continue;
      const own = space.orderRank[start + dimension]!;
      if (rank === undefined || own < rank) rank = own;
    }
    return rank;
  }

  function placeRest(start: number, place: number, used: number): void {
    let next = place;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (((used >> dimension) & 1) === 0) candidate.orders[start + next++] = dimension;
    }
  }
}
