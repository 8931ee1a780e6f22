import type { AccessCounts } from "../analysis/counts.js";
import type { SpaceTable, Tables } from "../analysis/tables.js";
import type { Axes } from "./axes.js";
import { linksBetween, multicastBetween, type Networks, TILES } from "./network.js";
import { type Boundary, createTraffic, type Traffic } from "./walker.js";

// The counters of one data space from the traffic at each boundary between levels that keep it.

/** Words between a level and its children; `traffic` is overwritten. */
export type CountTraffic = (boundary: Boundary, traffic: Traffic) => void;

/** Words per instance at the first step, at which every tile is brought whole. [level][data space]. */
export interface FirstStep {
  /** Read of operands for the children. */
  readonly reads: Float64Array;
  readonly fills: Float64Array;
  /** Of results: the first tiles of the children, which is what the last ones bring back where no remainders are. */
  readonly updates: Float64Array;
}

export function createFirstStep(cells: number): FirstStep {
  return { reads: new Float64Array(cells), fills: new Float64Array(cells), updates: new Float64Array(cells) };
}

export interface CountScratch {
  readonly first: FirstStep;
  /** [level]: 1 where a bandwidth bounds what the level reads for the units, or takes from them. */
  readonly timed: Uint8Array;
  /** [level]: 1 at levels that keep the data space at hand. */
  readonly keepers: Uint8Array;
  readonly boundary: Boundary;
  readonly traffic: Traffic;
}

export function createCountScratch({ levelCount, spaces, architecture }: Tables): CountScratch {
  return {
    first: createFirstStep(levelCount * spaces.length),
    timed: Uint8Array.from(architecture.levels, ({ storage }) =>
      (storage?.readBitsPerCycle ?? storage?.writeBitsPerCycle ?? storage?.sharedBitsPerCycle) ? 1 : 0,
    ),
    keepers: new Uint8Array(levelCount),
    boundary: { parent: 0, child: 0, multicast: TILES, links: false, tied: undefined, timed: false },
    traffic: createTraffic(),
  };
}

/** A tensor that is only read: parents are read for what children take in and do not get from a sibling. */
export function countOperand(
  axes: Axes,
  networks: Networks,
  keep: Uint8Array,
  space: number,
  count: CountTraffic,
  { boundary, traffic, first, timed }: CountScratch,
  counts: AccessCounts,
): void {
  const { levelCount, spaces } = axes.tables;
  const { instances, used } = axes;
  boundary.tied = undefined;
  for (let parent = nextKeeper(axes, keep, space, 0); parent < levelCount; ) {
    const child = nextKeeper(axes, keep, space, parent + 1);
    boundary.parent = parent;
    boundary.child = child;
    boundary.multicast = multicastBetween(networks, used, parent, child);
    boundary.links = linksBetween(networks, used, parent, child);
    boundary.timed = timed[parent] === 1;
    count(boundary, traffic);
    const cell = parent * spaces.length + space;
    first.reads[cell] = traffic.firstRead / instances[parent]!;
    counts.reads[cell]! += traffic.read / instances[parent]!;
    counts.deliveries[cell] = (traffic.taken - traffic.passed) / instances[parent]!;
    counts.links[cell] = traffic.passed / instances[parent]!;
    if (child < levelCount) {
      const inner = child * spaces.length + space;
      counts.fills[inner] = traffic.taken / instances[child]!;
      first.fills[inner] = traffic.firstTaken / instances[child]!;
      // What a sibling passes on it must read.
      counts.reads[inner] = traffic.passed / instances[child]!;
    }
    parent = child;
  }
}

/**
 * A result. Each stay of a word in an instance begins when the instance takes it up and ends when it is written to the
 * parent; children that share the word end together, and their sums are added up on the way. When the parent holds a sum
 * already, it is read and handed to one of the children; the others, and the first of all, begin at zero.
 *
 * In each stay that begins at zero the first of the children's stays finds nothing to read. So the reads of a level are
 * the children's stays, those that share a word counted once, less the level's own stays that began at zero.
 */
export function countResult(
  axes: Axes,
  keep: Uint8Array,
  space: number,
  words: number,
  elideFirstReads: boolean,
  count: CountTraffic,
  { boundary, traffic, keepers, first, timed }: CountScratch,
  counts: AccessCounts,
): void {
  const { levelCount, spaces } = axes.tables;
  const { instances } = axes;
  for (let level = 0; level < levelCount; level++) keepers[level] = keep[level * spaces.length + space]!;
  boundary.tied = keepers;
  boundary.multicast = TILES;
  boundary.links = false;
  // Outside everything stands the whole result, once.
  let parent = -1;
  let begunAtZero = words;
  while (parent < levelCount) {
    const child = nextKeeper(axes, keep, space, parent + 1);
    boundary.parent = Math.max(0, parent);
    boundary.child = child;
    boundary.timed = parent >= 0 && timed[parent] === 1;
    count(boundary, traffic);
    const handed = elideFirstReads ? traffic.read - begunAtZero : traffic.read;
    if (parent >= 0) {
      const cell = parent * spaces.length + space;
      counts.reads[cell] = handed / instances[parent]!;
      counts.temporalReductions[cell] = counts.reads[cell]!;
      counts.updates[cell] = traffic.read / instances[parent]!;
      first.updates[cell] = traffic.firstRead / instances[parent]!;
      counts.deliveries[cell] = traffic.taken / instances[parent]!;
      counts.spatialReductions[cell] = (traffic.taken - traffic.read) / instances[parent]!;
      if (child < levelCount) counts.fills[child * spaces.length + space] = handed / instances[child]!;
    }
    begunAtZero = traffic.taken - (traffic.read - begunAtZero);
    if (child === levelCount) return;
    parent = child;
  }
}

/** The first level from `level` on that keeps the data space; the number of levels when there is none. */
function nextKeeper({ tables }: Axes, keep: Uint8Array, space: number, level: number): number {
  const { levelCount, spaces } = tables;
  let next = level;
  while (next < levelCount && keep[next * spaces.length + space] !== 1) next++;
  return next;
}

/** Places of a rank that may be held as sets: as much as a layer's side with room to spare, and a few MiB. */
const MOST_PLACES = 2 ** 24;

/** What the model needs of a data space's projection; undefined when it has it. */
export function unfitProjection(
  { separable, readWrite, rankCount, firstTerm, termDimension, termCoefficient }: SpaceTable,
  sizes: Float64Array,
): string | undefined {
  if (!separable) return "a dimension may address one rank of a tensor only";
  for (let rank = 0; rank < rankCount; rank++) {
    const end = firstTerm[rank + 1]!;
    if (end - firstTerm[rank]! < 2) continue;
    if (readWrite) return "a rank of the result may have one dimension only";
    let extent = 1;
    for (let term = firstTerm[rank]!; term < end; term++) {
      extent += termCoefficient[term]! * (sizes[termDimension[term]!]! - 1);
    }
    if (extent > MOST_PLACES) return `a rank of several dimensions may have ${MOST_PLACES} places at most`;
  }
  return undefined;
}
