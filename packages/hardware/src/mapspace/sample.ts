import type { RandomStream } from "@dovetail/core";
import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { type RepairScratch, repair, slotProduct } from "./repair.js";

/**
 * Draws a mapping: every prime factor goes to a slot at random (one with room left in its fan-out), every order and free
 * tensor is drawn, and what does not fit is repaired. False when that is impossible. Allocates nothing.
 */
export function sampleMapping(
  space: Mapspace,
  random: RandomStream,
  candidate: Candidate,
  scratch: RepairScratch,
): boolean {
  const { dimensionCount } = space.tables;
  candidate.bounds.set(space.fixedBounds);
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    const primes = space.primesOf[dimension]!;
    for (let index = 0; index < primes.length; index++) {
      const slot = drawSlot(space, random, candidate, dimension, primes[index]!);
      candidate.bounds[slot * dimensionCount + dimension]! *= primes[index]!;
    }
  }
  for (let slot = 0; slot < space.slotCount; slot++) shuffleOrder(space, random, candidate, slot);
  candidate.keep.set(space.keep);
  for (let index = 0; index < space.freeKeeps.length; index++) {
    candidate.keep[space.freeKeeps[index]!] = random.integer(2);
  }
  return repair(space, random, candidate, scratch);
}

/** A slot for one more prime; in a full fan-out only when all slots are full, which repair then resolves or gives up. */
function drawSlot(
  space: Mapspace,
  random: RandomStream,
  candidate: Candidate,
  dimension: number,
  prime: number,
): number {
  const slots = space.slotsOf[dimension]!;
  const first = random.integer(slots.length);
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[(first + index) % slots.length]!;
    if (slotProduct(space, candidate, slot) * prime <= space.fanout[slot]!) return slot;
  }
  return slots[first]!;
}

/** Shuffles a slot's loops within what its order leaves open. */
export function shuffleOrder(space: Mapspace, random: RandomStream, candidate: Candidate, slot: number): void {
  const { dimensionCount } = space.tables;
  const start = slot * dimensionCount;
  const { orders } = candidate;
  for (let index = dimensionCount - 1; index > 0; index--) {
    const other = random.integer(index + 1);
    const kept = orders[start + index]!;
    orders[start + index] = orders[start + other]!;
    orders[start + other] = kept;
  }
  sortByRank(space, candidate, slot);
}

/** Puts a slot's loops in the order that the constraints fix; loops of equal rank keep theirs. */
export function sortByRank({ tables, orderRank }: Mapspace, { orders }: Candidate, slot: number): void {
  const start = slot * tables.dimensionCount;
  for (let index = 1; index < tables.dimensionCount; index++) {
    const moving = orders[start + index]!;
    const rank = orderRank[start + moving]!;
    let place = index;
    while (place > 0 && orderRank[start + orders[start + place - 1]!]! > rank) {
      orders[start + place] = orders[start + place - 1]!;
      place--;
    }
    orders[start + place] = moving;
  }
}
