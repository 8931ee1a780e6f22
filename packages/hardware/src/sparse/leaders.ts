import type { SpaceTable, Tables } from "../analysis/tables.js";
import type { DensityModel } from "./density-model.js";
import type { Movement } from "./movement.js";
import { extentsOf, isRelevant, type NestLoop, type SparseNest, wordsOf } from "./nest.js";
import type { ActionOption } from "./schema.js";

// With which probability an access is left out. The target (follower) is left out where the tile of another tensor
// (leader) is empty with which it would be combined before its next access. Timeloop's `ComputeIneffectualReadImpact`.

/** An access that is left out. */
export interface Impact {
  readonly target: number;
  /** The level whose accesses are left out: the named one, or the next outer one that keeps the target. */
  readonly level: number;
  readonly probability: number;
  /** Words and equivalent metadata of the target's tile, for the choice between options. */
  readonly tileWords: number;
}

export interface LeaderQuestion {
  readonly nest: SparseNest;
  /** [data space][level]. */
  readonly movements: readonly (readonly Movement[])[];
  readonly models: readonly DensityModel[];
  /** [level]: words of one access. */
  readonly blocks: readonly number[];
  /** [level]: whole metadata words in a data word. */
  readonly metadataRatio: readonly number[];
}

/** The effect of one option at a level; undefined when no level keeps the target from there on. */
export function impactOf(question: LeaderQuestion, named: number, option: ActionOption): Impact | undefined {
  const { nest, movements, models } = question;
  const { spaces } = nest.tables;
  const target = indexOfSpace(nest.tables, option.target);
  const own = movements[target]!;
  const level = own.findIndex(({ shape }, index) => index >= named && shape > 0);
  if (level < 0) return undefined;
  const child = own[level]!.child;
  const found = findTarget(nest, spaces[target]!, level, child);
  const leaderBox = aroundTarget(nest, spaces[target]!, found, level, child);
  let effectual = 1;
  for (const name of option.on) {
    const leader = indexOfSpace(nest.tables, name);
    const box = leaderTile(question, found, leaderBox, target, leader, level);
    if (box === undefined) continue;
    effectual *= 1 - models[leader]!.emptyProbability(extentsOf(spaces[leader]!, box));
  }
  const metadata = own[child ?? level]!.expectedMetadata.reduce((sum, rank) => sum + rank.metadata + rank.payload, 0);
  return {
    target,
    level,
    probability: 1 - effectual,
    tileWords: own[level]!.expectedWords + metadata * question.metadataRatio[level]!,
  };
}

function indexOfSpace({ spaces }: Tables, name: string): number {
  return spaces.findIndex((space) => space.name === name);
}

/** The loop over the target whose iterations bring its next tile. */
interface Target {
  readonly loop: NestLoop;
  readonly level: number;
  readonly index: number;
  /** What the loop covers; a single point where each operation fetches anew. */
  readonly box: Float64Array;
  readonly scalar: boolean;
}

/**
 * Above a child that holds tiles: the innermost loop over the target that is not trivial. Where the next thing below
 * is the compute unit nothing is held, and the tile is a point, or what the spatial loops of the level spread at a time.
 */
function findTarget(nest: SparseNest, space: SpaceTable, level: number, child: number | undefined): Target {
  for (let at = (child ?? -1) + 1; at <= level; at++) {
    const loops = nest.levels[at]!;
    for (const [index, loop] of loops.entries()) {
      const moves = loop.bound > 1 && isRelevant(space, loop.dimension);
      if (child !== undefined) {
        if (moves) return { loop, level: at, index, box: loop.box, scalar: false };
        continue;
      }
      const last = loops[index + 1]?.spatial !== true;
      if (!last && !moves) continue;
      const scalar = last && !loop.spatial;
      return { loop, level: at, index, box: scalar ? pointBox(nest.tables) : loop.box, scalar };
    }
  }
  const index = nest.levels[level]!.length - 1;
  const loop = nest.levels[level]![index]!;
  return { loop, level, index, box: loop.box, scalar: false };
}

function pointBox({ dimensionCount }: Tables): Float64Array {
  return new Float64Array(dimensionCount).fill(1);
}

interface Around {
  readonly box: Float64Array;
  /** The target's loop and those that were added to the box. */
  readonly loops: readonly NestLoop[];
}

/**
 * What the leaders' tiles cover: the target's box, times the spatial loops outside it, whose tiles stay while the target
 * moves on, and for a spatial target times the temporal loops during which it stays.
 */
function aroundTarget(
  nest: SparseNest,
  space: SpaceTable,
  found: Target,
  level: number,
  child: number | undefined,
): Around {
  const box = found.box.slice();
  const loops = [found.loop];
  let moved = !found.loop.spatial;
  for (let at = found.level; at <= level; at++) {
    const from = at === found.level ? found.index + 1 : 0;
    for (const loop of nest.levels[at]!.slice(from)) {
      if (loop.bound === 1) continue;
      const stays = child !== undefined && !isRelevant(space, loop.dimension);
      if (loop.spatial || (!moved && stays)) {
        box[loop.dimension] = box[loop.dimension]! * loop.bound;
        loops.push(loop);
      }
      if (!loop.spatial && !stays) moved = true;
    }
  }
  return { box, loops };
}

/**
 * The leader's box for one access of the target; undefined when spatial loops over the leader lie outside a shared one,
 * so that the leader would have to be walked out of order and nothing can be left out.
 *
 * Loops over both tensors advance them together: the boxes shrink to one iteration, or to as many as fill one access.
 */
function leaderTile(
  { nest, blocks }: LeaderQuestion,
  found: Target,
  around: Around,
  target: number,
  leader: number,
  level: number,
): Float64Array | undefined {
  const { spaces } = nest.tables;
  const shared = new Map<number, number>();
  if (!found.scalar) {
    for (const { dimension, bound } of around.loops) {
      const moves = isRelevant(spaces[leader]!, dimension);
      if (found.loop.spatial && shared.size > 0 && moves) return undefined;
      if (moves && isRelevant(spaces[target]!, dimension)) shared.set(dimension, (shared.get(dimension) ?? 1) * bound);
    }
  }
  const together = [...shared.values()].reduce((product, bound) => product * bound, 1);
  let scaling = Math.ceil(blocks[level]! / (wordsOf(spaces[target]!, found.box) / together));
  const box = around.box.slice();
  for (const [dimension, bound] of [...shared].sort(([a], [b]) => a - b)) {
    box[dimension] = Math.ceil(box[dimension]! / (bound / scaling));
    scaling /= bound;
  }
  if (scaling > 1) box[found.loop.dimension] = Math.trunc(box[found.loop.dimension]! * scaling);
  return box;
}
