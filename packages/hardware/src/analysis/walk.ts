import type { Nest } from "./nest.js";
import { rankExtentAt, type SpaceTable } from "./tables.js";

// The temporal walk: how many words a child's tile takes in over all its time.
//
// The tile's position depends on the temporal loops outside it. When loop i advances, the loops inside it start over,
// so that the tile moves by one vector t_i whatever the outer loops do: there are as many kinds of steps as loops.
// Timeloop's rule reuses the overlap with the last tile when no direction is set or the step equals the last one (which
// sets the direction), and otherwise fetches the whole tile and forgets the direction.
//
// Between two steps of outer loops always stands a step of the innermost moving loop, so that a block of inner loops
// begins with no direction or that loop's, and ends with that loop's. Hence an outer loop's step brings the whole tile,
// unless it equals that loop's step; and the sum over all steps takes as many additions as there are loops.

/**
 * How the overlap of successive tiles (the halo of a sliding window) is credited:
 * - `timeloop-default`: as Timeloop does. Iterations 0 and 1 of each loop stand for all, so that a loop that starts over
 *   seems to come back from its iteration 1, and the direction rule above.
 * - `timeloop-full`: the direction rule with every iteration visited, as Timeloop without temporal extrapolation.
 * - `exact`: whatever the last tile held is reused, wherever the tile moves.
 */
export type Halo = "timeloop-default" | "timeloop-full" | "exact";

export interface HaloRule {
  /** Whether a loop that starts over comes back from its last iteration, not from iteration 1. */
  readonly everyIteration: boolean;
  /** Whether overlap counts in every direction. */
  readonly everyDirection: boolean;
}

export const haloRules: Readonly<Record<Halo, HaloRule>> = {
  "timeloop-default": { everyIteration: false, everyDirection: false },
  "timeloop-full": { everyIteration: true, everyDirection: false },
  exact: { everyIteration: true, everyDirection: true },
};

/** The step at hand compared with that of the innermost moving loop. */
export const STAYS = 0;
export const AGAIN = 1;
export const TURNS = 2;
export type StepKind = typeof STAYS | typeof AGAIN | typeof TURNS;

/** The walk of one data space's tiles: what it walks over, and the step at hand. Reused between levels and mappings. */
export interface TileWalk {
  readonly nest: Nest;
  readonly space: SpaceTable;
  readonly dimensionCount: number;
  readonly rule: HaloRule;
  /** Of the child's tile, per rank. */
  readonly extent: Float64Array;
  /** How far the loops inside have moved the tile when they start over, per rank. */
  readonly inner: Float64Array;
  /** Step of the innermost loop that moves, per rank. */
  readonly first: Float64Array;
  /** The step at hand, per rank. */
  readonly move: Float64Array;
  /** Words that the tile has in common with itself one step ago. */
  overlap: number;
}

export function createTileWalk(nest: Nest, space: SpaceTable, dimensionCount: number, rule: HaloRule): TileWalk {
  const vector = (): Float64Array => new Float64Array(space.rankCount);
  return {
    nest,
    space,
    dimensionCount,
    rule,
    extent: vector(),
    inner: vector(),
    first: vector(),
    move: vector(),
    overlap: 0,
  };
}

/** Starts a walk at a level; returns the volume of a child's tile. */
export function startWalk(walk: TileWalk, level: number): number {
  const { nest, space, dimensionCount, extent, inner, first } = walk;
  let volume = 1;
  for (let rank = 0; rank < space.rankCount; rank++) {
    extent[rank] = rankExtentAt(space, rank, nest.childSize, level * dimensionCount);
    volume *= extent[rank]!;
    inner[rank] = 0;
    first[rank] = 0;
  }
  return volume;
}

/** Goes on to the next outer loop: `move` and `overlap` of its steps. */
export function takeStep(walk: TileWalk, loop: number): StepKind {
  const { nest, dimensionCount, extent, inner, first, move } = walk;
  const { coefficients, rankCount } = walk.space;
  const stride = nest.loopStride[loop]!;
  const iterations = walk.rule.everyIteration ? nest.loopBound[loop]! - 1 : 1;
  let overlap = 1;
  let moves = false;
  let same = true;
  for (let rank = 0, index = nest.loopDimension[loop]!; rank < rankCount; rank++, index += dimensionCount) {
    const vector = coefficients[index]! * stride;
    const step = vector - inner[rank]!;
    inner[rank] = inner[rank]! + iterations * vector;
    move[rank] = step;
    if (step !== 0) moves = true;
    if (step !== first[rank]) same = false;
    overlap *= Math.max(0, extent[rank]! - Math.abs(step));
  }
  walk.overlap = overlap;
  return moves ? (same ? AGAIN : TURNS) : STAYS;
}

/** Notes the step at hand as that of the innermost loop that moves: it sets the direction. */
export function setDirection({ first, move }: TileWalk): void {
  first.set(move);
}

/** Words that the step at hand brings. */
export function wordsOf({ rule, overlap }: TileWalk, kind: StepKind, volume: number): number {
  if (kind === STAYS) return 0;
  return kind === AGAIN || rule.everyDirection ? volume - overlap : volume;
}

/** Words that one child takes in over all its time. */
export function walkTile(walk: TileWalk, level: number): number {
  const { nest } = walk;
  const volume = startWalk(walk, level);
  let started = false;
  let block = 0;
  for (let loop = nest.firstLoop[level]!; loop < nest.loopCount; loop++) {
    let kind = takeStep(walk, loop);
    if (!started) {
      if (kind === STAYS) continue;
      started = true;
      setDirection(walk);
      kind = AGAIN;
    }
    const bound = nest.loopBound[loop]!;
    block = bound * block + (bound - 1) * wordsOf(walk, kind, volume);
  }
  return volume + block;
}
