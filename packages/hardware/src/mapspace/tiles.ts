import { boxVolume } from "../analysis/tables.js";
import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";

/** Writes into `tile`, [level][dimension], what one instance of each level covers in all its time. */
export function layTiles({ tables }: Mapspace, candidate: Candidate, tile: Float64Array): void {
  const { levelCount, dimensionCount } = tables;
  const cells = levelCount * dimensionCount;
  for (let cell = cells - 1; cell >= 0; cell--) {
    const child = cell + dimensionCount < cells ? tile[cell + dimensionCount]! : 1;
    tile[cell] = child * candidate.temporal[cell]! * candidate.spatialX[cell]! * candidate.spatialY[cell]!;
  }
}

/** What the tiles of the tensors that a level keeps take of its capacity. */
export function levelNeed(space: Mapspace, candidate: Candidate, level: number, tile: Float64Array): number {
  const { tables, limits } = space;
  const { spaces, dimensionCount } = tables;
  let needed = 0;
  for (let index = 0; index < spaces.length; index++) {
    const cell = level * spaces.length + index;
    if (candidate.keep[cell] !== 1) continue;
    needed += boxVolume(spaces[index]!, tile, level * dimensionCount) * limits.weight[cell]!;
  }
  return needed;
}

/** Whether a level's memory holds the tiles of the tensors that it keeps. */
export function levelFits(space: Mapspace, candidate: Candidate, level: number, tile: Float64Array): boolean {
  const capacity = space.limits.capacity[level]!;
  return capacity === Number.POSITIVE_INFINITY || levelNeed(space, candidate, level, tile) <= capacity;
}
