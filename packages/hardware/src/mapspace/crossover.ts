import type { RandomStream } from "@dovetail/core";
import { type Candidate, copyCandidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";

// Children of two mappings. Bounds multiply to the sizes; fan-outs and memories may overflow (`repair`). None allocates.

/** Each dimension is split as in one of the parents, each slot ordered as in one of them, and each memory kept so. */
export function crossDimensions(
  space: Mapspace,
  random: RandomStream,
  mother: Candidate,
  father: Candidate,
  child: Candidate,
): void {
  const { tables, slotCount } = space;
  const { dimensionCount, levelCount } = tables;
  copyCandidate(mother, child);
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    if (random.integer(2) === 0) continue;
    for (let cell = dimension; cell < slotCount * dimensionCount; cell += dimensionCount) {
      child.bounds[cell] = father.bounds[cell]!;
    }
  }
  for (let slot = 0; slot < slotCount; slot++) if (random.integer(2) === 1) takeOrder(space, father, child, slot);
  for (let level = 0; level < levelCount; level++) if (random.integer(2) === 1) takeKeep(space, father, child, level);
}

/**
 * The outer levels are those of one parent and the inner ones those of the other. What the inner levels cover decides
 * what is left for the outer ones, whose bounds shrink to divisors of it; the rest goes to the innermost of them.
 */
export function crossLevels(
  space: Mapspace,
  random: RandomStream,
  outer: Candidate,
  inner: Candidate,
  child: Candidate,
): void {
  const { tables, slotCount } = space;
  const { levelCount, dimensionCount } = tables;
  copyCandidate(inner, child);
  if (levelCount < 2) return;
  const cut = 1 + random.integer(levelCount - 1);
  for (let level = 0; level < cut; level++) takeKeep(space, outer, child, level);
  for (let slot = 0; slot < slotCount; slot++) if (slot % levelCount < cut) takeOrder(space, outer, child, slot);
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    const slots = space.slotsOf[dimension]!;
    let rest = 1;
    let last = -1;
    for (let index = 0; index < slots.length; index++) {
      const cell = slots[index]! * dimensionCount + dimension;
      if (slots[index]! % levelCount >= cut) continue;
      rest *= child.bounds[cell]!;
      // In time: a fan-out may have no room.
      if (slots[index]! < levelCount || last < 0) last = cell;
    }
    if (last < 0) continue;
    for (let index = 0; index < slots.length; index++) {
      if (slots[index]! % levelCount >= cut) continue;
      const cell = slots[index]! * dimensionCount + dimension;
      const bound = greatestCommonDivisor(outer.bounds[cell]!, rest);
      child.bounds[cell] = bound;
      rest /= bound;
    }
    child.bounds[last]! *= rest;
  }
}

function takeOrder({ tables }: Mapspace, from: Candidate, to: Candidate, slot: number): void {
  const end = (slot + 1) * tables.dimensionCount;
  for (let cell = slot * tables.dimensionCount; cell < end; cell++) to.orders[cell] = from.orders[cell]!;
}

function takeKeep({ tables }: Mapspace, from: Candidate, to: Candidate, level: number): void {
  const end = (level + 1) * tables.spaces.length;
  for (let cell = level * tables.spaces.length; cell < end; cell++) to.keep[cell] = from.keep[cell]!;
}

function greatestCommonDivisor(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y !== 0) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return x;
}
