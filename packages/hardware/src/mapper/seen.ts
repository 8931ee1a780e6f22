import type { Candidate } from "../mapspace/candidate.js";
import type { Mapspace } from "../mapspace/mapspace.js";

/** A memory of candidates that forgets some: equal candidates are mostly recognised, unequal ones all but never confused. */
export interface Seen {
  /** Whether the candidate is here already; it is afterwards. */
  add(candidate: Candidate): boolean;
}

export function createSeen(space: Mapspace, capacity: number): Seen {
  const size = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * capacity)));
  const keys = new Float64Array(size);
  return {
    add(candidate) {
      const key = keyOf(space, candidate);
      const place = key % size;
      if (keys[place] === key) return true;
      keys[place] = key;
      return false;
    },
  };
}

/** 52 bits over what distinguishes candidates: bounds, the order of loops where it may matter, and what is kept. */
function keyOf({ tables, slotCount, orderedSlots }: Mapspace, { bounds, orders, keep }: Candidate): number {
  const { dimensionCount } = tables;
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  let nextOrdered = 0;
  for (let slot = 0; slot < slotCount; slot++) {
    const ordered = orderedSlots[nextOrdered] === slot;
    if (ordered) nextOrdered++;
    const start = slot * dimensionCount;
    for (let place = 0; place < dimensionCount; place++) {
      const dimension = ordered ? orders[start + place]! : place;
      const bound = bounds[start + dimension]!;
      if (bound === 1) continue;
      const word = (slot * dimensionCount + dimension) * 65_537 + bound;
      low = Math.imul(low ^ word, 0xcc9e2d51);
      low ^= low >>> 15;
      high = Math.imul(high + word, 0x1b873593) ^ low;
      high ^= high >>> 13;
    }
  }
  for (let cell = 0; cell < keep.length; cell++) low = Math.imul(low ^ (2 * cell + keep[cell]!), 0x85ebca6b);
  low ^= low >>> 16;
  return (high >>> 0) * 2 ** 20 + (low >>> 12) + 1;
}
