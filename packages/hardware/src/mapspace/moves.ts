import type { RandomStream } from "@dovetail/core";
import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { slotProduct } from "./repair.js";

// Steps to a neighbouring mapping. Each changes the candidate in place and says whether it did; memories may overflow
// afterwards (`repair`), bounds still multiply to the sizes and fan-outs hold. None allocates.

/** Moves one prime factor of a dimension to another slot. */
export function moveFactor(space: Mapspace, random: RandomStream, candidate: Candidate): boolean {
  const { movable, tables } = space;
  if (movable.length === 0) return false;
  const dimension = movable[random.integer(movable.length)]!;
  const from = drawOccupied(space, random, candidate, dimension);
  const slots = space.slotsOf[dimension]!;
  const to = slots[random.integer(slots.length)]!;
  if (from < 0 || to === from) return false;
  const source = from * tables.dimensionCount + dimension;
  const prime = drawPrime(space, random, dimension, candidate.bounds[source]!);
  if (slotProduct(space, candidate, to) * prime > space.fanout[to]!) return false;
  candidate.bounds[source]! /= prime;
  candidate.bounds[to * tables.dimensionCount + dimension]! *= prime;
  return true;
}

/** Exchanges a factor of one dimension with one of another between two slots, so that both stay about as full. */
export function exchangeFactors(space: Mapspace, random: RandomStream, candidate: Candidate): boolean {
  const { movable, tables, free } = space;
  const { dimensionCount } = tables;
  if (movable.length < 2) return false;
  const first = movable[random.integer(movable.length)]!;
  const second = movable[random.integer(movable.length)]!;
  if (first === second) return false;
  const from = drawOccupied(space, random, candidate, first);
  const to = drawOccupied(space, random, candidate, second);
  if (from < 0 || to < 0 || from === to) return false;
  if (free[to * dimensionCount + first] !== 1 || free[from * dimensionCount + second] !== 1) return false;
  const there = drawPrime(space, random, first, candidate.bounds[from * dimensionCount + first]!);
  const back = drawPrime(space, random, second, candidate.bounds[to * dimensionCount + second]!);
  if ((slotProduct(space, candidate, to) / back) * there > space.fanout[to]!) return false;
  if ((slotProduct(space, candidate, from) / there) * back > space.fanout[from]!) return false;
  candidate.bounds[from * dimensionCount + first]! /= there;
  candidate.bounds[to * dimensionCount + first]! *= there;
  candidate.bounds[to * dimensionCount + second]! /= back;
  candidate.bounds[from * dimensionCount + second]! *= back;
  return true;
}

/** Moves one loop to another place among those of its slot that may change places with it. */
export function moveLoop(space: Mapspace, random: RandomStream, candidate: Candidate): boolean {
  const { dimensionCount } = space.tables;
  const { orders, bounds } = candidate;
  if (space.orderedSlots.length === 0) return false;
  const start = space.orderedSlots[random.integer(space.orderedSlots.length)]! * dimensionCount;
  let loops = 0;
  for (let cell = start; cell < start + dimensionCount; cell++) if (bounds[cell]! > 1) loops++;
  if (loops < 2) return false;
  const from = placeOfLoop(candidate, start, dimensionCount, random.integer(loops));
  const to = placeOfLoop(candidate, start, dimensionCount, random.integer(loops));
  const moving = orders[start + from]!;
  if (from === to || space.orderRank[start + moving] !== space.orderRank[start + orders[start + to]!]) return false;
  const step = from < to ? 1 : -1;
  for (let place = from; place !== to; place += step) orders[start + place] = orders[start + place + step]!;
  orders[start + to] = moving;
  return true;
}

/** Keeps a tensor in a memory where it passed by, or lets it pass. */
export function flipKeep(space: Mapspace, random: RandomStream, candidate: Candidate): boolean {
  const { freeKeeps } = space;
  if (freeKeeps.length === 0) return false;
  candidate.keep[freeKeeps[random.integer(freeKeeps.length)]!]! ^= 1;
  return true;
}

/** Position in the order of the n-th loop that is there. */
function placeOfLoop({ orders, bounds }: Candidate, start: number, dimensionCount: number, index: number): number {
  let left = index;
  for (let place = 0; place < dimensionCount; place++) {
    if (bounds[start + orders[start + place]!]! > 1 && left-- === 0) return place;
  }
  return -1;
}

/** A slot that holds a factor of the dimension; −1 when the factors all stand in one that cannot change. */
function drawOccupied(space: Mapspace, random: RandomStream, candidate: Candidate, dimension: number): number {
  const slots = space.slotsOf[dimension]!;
  const first = random.integer(slots.length);
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[(first + index) % slots.length]!;
    if (candidate.bounds[slot * space.tables.dimensionCount + dimension]! > 1) return slot;
  }
  return -1;
}

function drawPrime(space: Mapspace, random: RandomStream, dimension: number, bound: number): number {
  const primes = space.primesOf[dimension]!;
  const first = random.integer(primes.length);
  for (let index = 0; index < primes.length; index++) {
    const prime = primes[(first + index) % primes.length]!;
    if (bound % prime === 0) return prime;
  }
  return 1;
}
