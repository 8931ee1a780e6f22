import { rankExtentAt, type SpaceTable, type Tables } from "../analysis/tables.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import { type Extents, volume } from "./density-model.js";

// A mapping as the sparse layer walks it: levels from the innermost (0) outwards, and in each level all loops, the
// trivial ones too, from the innermost outwards. Whether a loop is there at all may decide which tile is asked about,
// and a mapping that lists a bound of 1 says where it stands; unlisted ones stand outside the listed.

/** A loop with the box that it and everything inside it covers. */
export interface NestLoop {
  /** Index of the dimension. */
  readonly dimension: number;
  readonly bound: number;
  readonly spatial: boolean;
  /** Elements of each dimension. */
  readonly box: Float64Array;
}

export interface SparseNest {
  readonly tables: Tables;
  /** Per level, innermost first. */
  readonly levels: readonly (readonly NestLoop[])[];
}

/** The complete nest of a mapping; Timeloop's `CollectCompletePointSetsAndSubnests`. */
export function sparseNest(tables: Tables, mapping: Mapping): SparseNest {
  const box = new Float64Array(tables.dimensionCount).fill(1);
  const levels: NestLoop[][] = [];
  for (let outer = tables.levelCount - 1; outer >= 0; outer--) {
    const level = mapping.levels[outer]!;
    const loops: NestLoop[] = [];
    const add = (inside: readonly Loop[], spatial: boolean): void => {
      for (const { dimension, bound } of withAllDimensions(tables, inside)) {
        const index = tables.dimensionNames.indexOf(dimension);
        box[index] = box[index]! * bound;
        loops.push({ dimension: index, bound, spatial, box: box.slice() });
      }
    };
    if (tables.fanoutX[outer]! * tables.fanoutY[outer]! > 1) {
      add([...level.spatialX].reverse().concat([...level.spatialY].reverse()), true);
    }
    add([...level.temporal].reverse(), false);
    levels.push(loops);
  }
  return { tables, levels };
}

function withAllDimensions({ dimensionNames }: Tables, inside: readonly Loop[]): Loop[] {
  const listed = new Set(inside.map(({ dimension }) => dimension));
  const absent = dimensionNames.filter((name) => !listed.has(name));
  return [...inside, ...absent.map((dimension) => ({ dimension, bound: 1 }))];
}

/** Extents of a data space's tile over a box of the loop nest. */
export function extentsOf(space: SpaceTable, box: Float64Array): Extents {
  return Array.from({ length: space.rankCount }, (_, rank) => rankExtentAt(space, rank, box, 0));
}

/** Words of a data space's tile over a box. */
export function wordsOf(space: SpaceTable, box: Float64Array): number {
  return volume(extentsOf(space, box));
}

/** Whether a data space is addressed by a dimension. */
export function isRelevant(space: SpaceTable, dimension: number): boolean {
  return space.termDimension.includes(dimension);
}
