import type { RandomStream } from "@dovetail/core";
import { type Candidate, copyCandidate, createCandidate } from "../mapspace/candidate.js";
import type { Mapspace } from "../mapspace/mapspace.js";

/** The best mappings so far, in no order. */
export interface Population {
  readonly members: readonly Candidate[];
  /** Infinite where nobody is yet. */
  readonly values: Float64Array;
  size: number;
}

export function createPopulation({ tables }: Mapspace, capacity: number): Population {
  return {
    members: Array.from({ length: capacity }, () => createCandidate(tables)),
    values: new Float64Array(capacity).fill(Number.POSITIVE_INFINITY),
    size: 0,
  };
}

/** Copies a candidate into the population, in place of the worst when it is full and that one is worse. */
export function admit(population: Population, candidate: Candidate, value: number): void {
  const { members, values } = population;
  let place = population.size;
  if (place === members.length) {
    place = 0;
    for (let index = 1; index < members.length; index++) if (values[index]! > values[place]!) place = index;
    if (value >= values[place]!) return;
  } else {
    population.size++;
  }
  copyCandidate(candidate, members[place]!);
  values[place] = value;
}

/** The better of two members drawn at random. */
export function drawParent({ members, values, size }: Population, random: RandomStream): Candidate {
  const first = random.integer(size);
  const second = random.integer(size);
  return members[values[first]! < values[second]! ? first : second]!;
}
