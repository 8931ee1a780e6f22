import type { MappingCode } from "./code.js";
import type { Traffic } from "./linked-walk.js";
import type { Nest } from "./nest.js";
import { boxVolume, type Tables } from "./tables.js";

/**
 * Access counts of one mapping. Row-major [level][data space], levels outermost first; words per instance in use
 * (averages, rounded to integers). Where a level does not keep the data space the figures are 0, the tile excepted.
 */
export interface AccessCounts {
  /** Words that one instance covers at a time. */
  readonly tile: Float64Array;
  /** Words of the whole tensor that fall to one instance. */
  readonly partition: Float64Array;
  /** Words read: for the level below, for neighbours, and for accumulating. */
  readonly reads: Float64Array;
  /** Words written from above or from neighbours. */
  readonly fills: Float64Array;
  /** Words written from below: partial and final sums. */
  readonly updates: Float64Array;
  /** Additions of an arriving partial sum to the one that lies here. */
  readonly temporalReductions: Float64Array;
  /** Additions on the way up, in the fan-out below one instance. */
  readonly spatialReductions: Float64Array;
  /** Words that the fan-out below one instance delivers from it (or to it), over all children. */
  readonly deliveries: Float64Array;
  /** Words that pass between neighbours in the fan-out below one instance. */
  readonly links: Float64Array;
  /** 1 where the level keeps the data space. */
  readonly kept: Uint8Array;
  /** Instances in use; one entry a level. */
  readonly instances: Float64Array;
  /** Multiply-accumulates of the whole layer. */
  computes: number;
  /** Multiply-accumulates of one compute unit. */
  computeCycles: number;
  /** Compute units in use. */
  units: number;
}

export function createCounts(tables: Tables): AccessCounts {
  const array = (): Float64Array => new Float64Array(tables.levelCount * tables.spaces.length);
  return {
    tile: array(),
    partition: array(),
    reads: array(),
    fills: array(),
    updates: array(),
    temporalReductions: array(),
    spatialReductions: array(),
    deliveries: array(),
    links: array(),
    kept: new Uint8Array(tables.levelCount * tables.spaces.length),
    instances: new Float64Array(tables.levelCount),
    computes: 0,
    computeCycles: 0,
    units: 0,
  };
}

/** Tile and partition of one data space at all levels. */
export function countTiles(tables: Tables, nest: Nest, space: number, counts: AccessCounts): void {
  const { levelCount, dimensionCount } = tables;
  const spaceCount = tables.spaces.length;
  const table = tables.spaces[space]!;
  for (let level = 0; level < levelCount; level++) {
    const cell = level * spaceCount + space;
    const tile = boxVolume(table, nest.tileSize, level * dimensionCount);
    counts.tile[cell] = tile;
    if (level === 0) {
      counts.partition[cell] = tile;
      continue;
    }
    const siblings = boxVolume(table, nest.unionSize, (level - 1) * dimensionCount);
    counts.partition[cell] = floorMultiplyDivide(counts.partition[cell - spaceCount]!, tile, siblings);
  }
}

/** ⌊a·b/c⌋ without losing digits where a·b exceeds 2^53. */
export function floorMultiplyDivide(a: number, b: number, c: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / c);
  return Number((BigInt(a) * BigInt(b)) / BigInt(c));
}

/** Scratch of `countAccesses`: one entry a level. */
export interface TrafficScratch {
  readonly accesses: Float64Array;
  readonly deliveries: Float64Array;
  readonly links: Float64Array;
  readonly shares: Float64Array;
}

export function createTrafficScratch(levelCount: number): TrafficScratch {
  const array = (): Float64Array => new Float64Array(levelCount);
  return { accesses: array(), deliveries: array(), links: array(), shares: array() };
}

export function setTraffic(scratch: TrafficScratch, level: number, traffic: Traffic): void {
  scratch.accesses[level] = traffic.accesses;
  scratch.deliveries[level] = traffic.deliveries;
  scratch.links[level] = traffic.links;
}

/**
 * The counters of one data space from the traffic of all levels; levels that it passes by hand their traffic on to the
 * next outer one. `elideFirstReads`: the first accumulation of each result word reads nothing.
 */
export function countAccesses(
  tables: Tables,
  nest: Nest,
  code: MappingCode,
  space: number,
  elideFirstReads: boolean,
  scratch: TrafficScratch,
  counts: AccessCounts,
): void {
  const { levelCount } = tables;
  const spaceCount = tables.spaces.length;
  const { accesses, deliveries, links, shares } = scratch;
  const { readWrite } = tables.spaces[space]!;
  for (let level = 0; level < levelCount; level++) {
    const cell = level * spaceCount + space;
    counts.deliveries[cell] = deliveries[level]!;
    counts.links[cell] = links[level]!;
    counts.spatialReductions[cell] = readWrite ? deliveries[level]! - accesses[level]! : 0;
    shares[level] = level === 0 ? 0 : deliveries[level - 1]! / nest.used[level - 1]!;
  }
  for (let level = levelCount - 1; level > 0; level--) {
    if (code.keep[level * spaceCount + space] === 1) continue;
    const outer = level - 1;
    const factor = (accesses[level]! * nest.used[outer]!) / deliveries[outer]!;
    accesses[outer] = accesses[outer]! * factor;
    deliveries[outer] = deliveries[outer]! * factor;
    links[outer] = 0;
  }
  let outermost = true;
  for (let level = 0; level < levelCount; level++) {
    const cell = level * spaceCount + space;
    const kept = code.keep[cell] === 1;
    // What lies outside the outermost keeper moves nothing, along links neither.
    if (outermost && !kept) links[level] = 0;
    const peer = kept && level > 0 ? links[level - 1]! / nest.instances[level]! : 0;
    const elided = readWrite && elideFirstReads ? counts.partition[cell]! : 0;
    const reads = kept ? rounded(accesses[level]! + peer - elided) : 0;
    counts.reads[cell] = reads;
    counts.updates[cell] = kept && readWrite ? rounded(accesses[level]!) : 0;
    counts.temporalReductions[cell] = readWrite ? reads : 0;
    const fills = outermost ? peer : shares[level]! + peer - elided;
    // Timeloop rounds the fills of results and truncates those of what is only read.
    counts.fills[cell] = kept ? (readWrite ? rounded(fills) : Math.floor(fills)) : 0;
    if (kept) outermost = false;
  }
}

/** A level that holds more than it is ever asked for (a result that passes the outermost level by) elides to 0, not below. */
function rounded(words: number): number {
  return words > 0 ? Math.round(words) : 0;
}
