import type { Architecture } from "../architecture/architecture.js";
import type { DataSpace, Problem } from "../workload/problem.js";

// What analysis needs of a problem and an architecture, as numbers: names become indices once, before any mapping
// is looked at. Levels are counted from the outermost (0) inwards, dimensions and data spaces in the problem's order.

/** The projection of one data space. */
export interface SpaceTable {
  readonly name: string;
  readonly readWrite: boolean;
  readonly bitWidth: number;
  readonly rankCount: number;
  /** Row-major [rank][dimension]; 0 where the rank does not contain the dimension. */
  readonly coefficients: Float64Array;
  /** The same, term by term: rank r has the terms `firstTerm[r]` up to `firstTerm[r + 1]`. */
  readonly firstTerm: Int32Array;
  readonly termDimension: Uint8Array;
  readonly termCoefficient: Float64Array;
  /** Whether no dimension appears in two ranks, so that ranks move independently of each other. */
  readonly separable: boolean;
}

/** A problem and an architecture, compiled. */
export interface Tables {
  readonly problem: Problem;
  readonly architecture: Architecture;
  readonly dimensionNames: readonly string[];
  readonly sizes: Float64Array;
  readonly levelCount: number;
  readonly dimensionCount: number;
  readonly spaces: readonly SpaceTable[];
  /** Physical fan-out of each level; 1 where it has none. */
  readonly fanoutX: Float64Array;
  readonly fanoutY: Float64Array;
  /** 1 where the level's fan-out has neighbour links. */
  readonly neighbourLinks: Uint8Array;
  /** 1 where the level has storage. */
  readonly hasStorage: Uint8Array;
  readonly macs: number;
}

/** Names become indices. Costs a few microseconds: once per layer and architecture, not per mapping. */
export function compileTables(problem: Problem, architecture: Architecture): Tables {
  const dimensionNames = Object.keys(problem.dimensions);
  const sizes = Float64Array.from(Object.values(problem.dimensions));
  const { levels } = architecture;
  return {
    problem,
    architecture,
    dimensionNames,
    sizes,
    levelCount: levels.length,
    dimensionCount: dimensionNames.length,
    spaces: problem.dataSpaces.map((space) => compileSpace(space, dimensionNames)),
    fanoutX: Float64Array.from(levels, (level) => level.fanout?.x ?? 1),
    fanoutY: Float64Array.from(levels, (level) => level.fanout?.y ?? 1),
    neighbourLinks: Uint8Array.from(levels, (level) => (level.fanout?.neighbourLinks ? 1 : 0)),
    hasStorage: Uint8Array.from(levels, (level) => (level.storage ? 1 : 0)),
    macs: sizes.reduce((product, size) => product * size, 1),
  };
}

function compileSpace(space: DataSpace, dimensionNames: readonly string[]): SpaceTable {
  const rankCount = space.projection.length;
  const coefficients = new Float64Array(rankCount * dimensionNames.length);
  const terms = space.projection.flatMap((rank, index) =>
    rank.map(({ coefficient, dimension }) => ({
      coefficient,
      dimension: dimensionNames.indexOf(dimension),
      rank: index,
    })),
  );
  for (const { coefficient, dimension, rank } of terms) {
    coefficients[rank * dimensionNames.length + dimension] = coefficient;
  }
  const firstTerm = Int32Array.from({ length: rankCount + 1 }, (_, rank) => terms.filter((t) => t.rank < rank).length);
  return {
    name: space.name,
    readWrite: space.readWrite,
    bitWidth: space.bitWidth,
    rankCount,
    coefficients,
    firstTerm,
    termDimension: Uint8Array.from(terms, (term) => term.dimension),
    termCoefficient: Float64Array.from(terms, (term) => term.coefficient),
    separable: new Set(terms.map((term) => term.dimension)).size === terms.length,
  };
}

/** Extent of a rank over the box whose sizes stand in `sizes[offset …]`, one per dimension: 1 + Σ c·(n − 1). */
export function rankExtentAt(space: SpaceTable, rank: number, sizes: Float64Array, offset: number): number {
  const { firstTerm, termDimension, termCoefficient } = space;
  const end = firstTerm[rank + 1]!;
  let extent = 1;
  for (let term = firstTerm[rank]!; term < end; term++) {
    extent += termCoefficient[term]! * (sizes[offset + termDimension[term]!]! - 1);
  }
  return extent;
}

/** Words of a data space's box: the product of its ranks' extents. */
export function boxVolume(space: SpaceTable, sizes: Float64Array, offset: number): number {
  let volume = 1;
  for (let rank = 0; rank < space.rankCount; rank++) volume *= rankExtentAt(space, rank, sizes, offset);
  return volume;
}
