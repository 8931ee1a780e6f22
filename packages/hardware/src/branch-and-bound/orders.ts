import type { Candidate } from "../mapspace/candidate.js";
import { SPATIAL_X } from "../mapspace/candidate.js";
import type { Mapspace } from "../mapspace/mapspace.js";
import { sortByRank } from "../mapspace/sample.js";
import type { Bounder } from "./bounder.js";
import type { Setting } from "./setting.js";

// All orders of loops that can differ in cost, all bounds being dealt. Loops are placed from the innermost outwards. A
// tensor's words at a boundary are decided (closed) by the innermost loops outside it alone: by the first that addresses
// the tensor, or, where a halo may be reused further out or passed on by links, by the run of loops along its halos. Once
// every boundary is closed the order of what is left does not matter.

/** Whether a bound on energy still promises a better mapping. */
export type Promises = (energyAbovePj: number) => boolean;

export interface OrderSearch {
  /** Calls `visit` with every order that may matter, written into the candidate. */
  each(candidate: Candidate, promises: Promises, visit: () => void): void;
}

interface Watcher {
  readonly tensor: number;
  readonly boundary: number;
}

export function createOrderSearch(setting: Setting, bounder: Bounder): OrderSearch {
  const { space, shapes } = setting;
  const { levelCount, dimensionCount } = space.tables;
  const { terms, unitLinks, passedLinks } = bounder.terms;
  const watchers: Watcher[] = terms.map(({ tensor, boundary }) => ({ tensor, boundary }));
  if (unitLinks) watchers.push(...shapes.map((_, tensor) => ({ tensor, boundary: levelCount - 1 })));
  // What links save depends on the loops outside their own level, wherever the tensor is kept further inside.
  watchers.push(...passedLinks.map(({ tensor, level }) => ({ tensor, boundary: level })));
  const count = watchers.length;
  const steps = levelCount * (dimensionCount + 1) + 1;
  // By step: whether a watcher is closed, and the pairs of dimensions that have moved it.
  const closed = new Uint8Array(steps * count);
  const moved = new Int32Array(steps * count);
  const linked = new Uint8Array(count);
  const returns = new Uint8Array(count);
  const placed = new Uint8Array(levelCount * dimensionCount);
  const rest = new Uint8Array(dimensionCount);
  const turned = orderedFanouts(setting, bounder);
  let current: Candidate;
  let promises: Promises;
  let visit: () => void;

  function each(candidate: Candidate, promisesBetter: Promises, visitOrder: () => void): void {
    current = candidate;
    promises = promisesBetter;
    visit = visitOrder;
    for (let watcher = 0; watcher < count; watcher++) {
      const isTerm = watcher < terms.length;
      linked[watcher] = !isTerm || bounder.maybeLinked(watcher) ? 1 : 0;
      returns[watcher] = isTerm && bounder.mayReturn(watcher) ? 1 : 0;
    }
    closed.fill(0, 0, count);
    moved.fill(0, 0, count);
    placed.fill(0);
    placeLevel(levelCount - 1, 0, 0);
  }

  function placeLevel(level: number, step: number, abovePj: number): void {
    if (level < 0) {
      if (linked.includes(1)) turnFanouts(0);
      else visit();
      return;
    }
    placeNext(level, dimensionCount - 1, step, abovePj);
  }

  /** Fills the places of a level's order from the innermost (the last) on. */
  function placeNext(level: number, place: number, step: number, abovePj: number): void {
    const start = level * dimensionCount;
    const rank = nextRank(start);
    if (rank < 0 || allClosed(level, step)) {
      finishLevel(start, place);
      placeLevel(level - 1, step, abovePj);
      return;
    }
    const free = freeLoop(level, step, rank);
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (!mayStandNext(start, dimension, rank) || (free >= 0 && dimension !== free)) continue;
      const isFirst = place === dimensionCount - 1;
      const nextPj = isFirst ? abovePj + bounder.innermostPj[start + dimension]! : abovePj;
      if (isFirst && !promises(nextPj)) continue;
      placed[start + dimension] = 1;
      current.temporalOrder[start + place] = dimension;
      advance(level, step, dimension);
      placeNext(level, place - 1, step + 1, nextPj);
      placed[start + dimension] = 0;
    }
  }

  /** Rank that the constraints ask of the next loop; −1 when none is left. */
  function nextRank(start: number): number {
    let rank = -1;
    for (let cell = start; cell < start + dimensionCount; cell++) {
      if (placed[cell] === 0 && current.temporal[cell]! > 1) rank = Math.max(rank, space.orderRank[cell]!);
    }
    return rank;
  }

  function freeLoop(level: number, step: number, rank: number): number {
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (mayStandNext(level * dimensionCount, dimension, rank) && isFree(level, step, dimension)) return dimension;
    }
    return -1;
  }

  function mayStandNext(start: number, dimension: number, rank: number): boolean {
    const cell = start + dimension;
    return placed[cell] === 0 && current.temporal[cell]! > 1 && space.orderRank[cell] === rank;
  }

  function allClosed(level: number, step: number): boolean {
    for (let watcher = 0; watcher < count; watcher++) {
      if (watchers[watcher]!.boundary >= level && closed[step * count + watcher] === 0) return false;
    }
    return true;
  }

  /** Whether a loop does no harm here: whatever is not closed has not begun to move and is not moved by it either. */
  function isFree(level: number, step: number, dimension: number): boolean {
    for (let watcher = 0; watcher < count; watcher++) {
      const { tensor, boundary } = watchers[watcher]!;
      if (boundary < level || closed[step * count + watcher] === 1) continue;
      if (linked[watcher] === 1 || moved[step * count + watcher] !== 0) return false;
      if (shapes[tensor]!.relevant[dimension] === 1) return false;
    }
    return true;
  }

  function advance(level: number, step: number, dimension: number): void {
    for (let watcher = 0; watcher < count; watcher++) {
      const from = step * count + watcher;
      const to = from + count;
      closed[to] = closed[from]!;
      moved[to] = moved[from]!;
      const { tensor, boundary } = watchers[watcher]!;
      const shape = shapes[tensor]!;
      if (boundary < level || closed[from] === 1 || shape.relevant[dimension] !== 1) continue;
      const pair = shape.pairOf[dimension]!;
      if (pair < 0 && !shape.others.includes(dimension)) {
        closed[to] = 1;
        continue;
      }
      moved[to] = moved[from]! | (1 << (pair + 1));
      if (linked[watcher] === 1 || shape.others.length > 0) continue;
      const several = (moved[to]! & (moved[to]! - 1)) !== 0;
      if (returns[watcher] === 0 || several) closed[to] = 1;
    }
  }

  /** Places what is left of a level in an order that its ranks allow; loops that are none anywhere. */
  function finishLevel(start: number, place: number): void {
    let left = 0;
    for (let dimension = 0; dimension < dimensionCount; dimension++)
      if (placed[start + dimension] === 0) rest[left++] = dimension;
    let next = place;
    while (left > 0) {
      let at = 0;
      for (let index = 1; index < left; index++) {
        if (space.orderRank[start + rest[index]!]! > space.orderRank[start + rest[at]!]!) at = index;
      }
      current.temporalOrder[start + next--] = rest[at]!;
      rest[at] = rest[--left]!;
    }
  }

  /** Visits every order of the loops over fan-outs whose links may serve. */
  function turnFanouts(at: number): void {
    if (at === turned.length) {
      visit();
      return;
    }
    permute(turned[at]!, dimensionCount - 1, 0, at);
  }

  function permute(slot: number, place: number, used: number, at: number): void {
    const start = slot * dimensionCount;
    let rank = -1;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if ((used >> dimension) & 1 || current.bounds[start + dimension] === 1) continue;
      rank = Math.max(rank, space.orderRank[start + dimension]!);
    }
    if (rank < 0) {
      let next = place;
      for (let dimension = dimensionCount - 1; dimension >= 0; dimension--) {
        if (!((used >> dimension) & 1)) current.orders[start + next--] = dimension;
      }
      turnFanouts(at + 1);
      return;
    }
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if ((used >> dimension) & 1 || current.bounds[start + dimension] === 1) continue;
      if (space.orderRank[start + dimension] !== rank) continue;
      current.orders[start + place] = dimension;
      permute(slot, place - 1, used | (1 << dimension), at);
    }
  }

  return { each };
}

/** Fan-outs with links where more than one dimension is spread along an axis. */
function orderedFanouts({ space, links }: Setting, { skeleton }: Bounder): number[] {
  const { levelCount } = space.tables;
  const slots = Array.from({ length: space.slotCount }, (_, slot) => slot);
  return slots.filter((slot) => {
    const level = slot % levelCount;
    if (slot < SPATIAL_X * levelCount || links[level] !== 1) return false;
    return skeleton.spread.filter((bounds) => bounds[level]! > 1).length > 1;
  });
}

/** Puts the loops over all fan-outs in an order that the constraints allow. */
export function orderFanouts(space: Mapspace, candidate: Candidate): void {
  const { levelCount, dimensionCount } = space.tables;
  for (let slot = levelCount; slot < space.slotCount; slot++) {
    for (let place = 0; place < dimensionCount; place++) candidate.orders[slot * dimensionCount + place] = place;
    sortByRank(space, candidate, slot);
  }
}
