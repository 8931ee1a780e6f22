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
  const uses = new Uint8Array(dimensionNames.length);
  space.projection.forEach((rank, index) => {
    for (const term of rank) {
      const dimension = dimensionNames.indexOf(term.dimension);
      coefficients[index * dimensionNames.length + dimension] = term.coefficient;
      uses[dimension]!++;
    }
  });
  return {
    name: space.name,
    readWrite: space.readWrite,
    bitWidth: space.bitWidth,
    rankCount,
    coefficients,
    separable: uses.every((count) => count <= 1),
  };
}

/** Words of a data space's box whose sizes stand in `sizes[offset …]`, one per dimension: ∏ over ranks of 1 + Σ c·(n − 1). */
export function boxVolume(space: SpaceTable, dimensionCount: number, sizes: Float64Array, offset: number): number {
  const { coefficients, rankCount } = space;
  let volume = 1;
  for (let rank = 0, index = 0; rank < rankCount; rank++) {
    let extent = 1;
    for (let dimension = 0; dimension < dimensionCount; dimension++, index++) {
      extent += coefficients[index]! * (sizes[offset + dimension]! - 1);
    }
    volume *= extent;
  }
  return volume;
}
