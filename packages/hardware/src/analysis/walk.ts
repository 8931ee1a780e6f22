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

/** Per-walk vectors, one number per rank, and the step at hand. Reused between walks. */
export interface WalkScratch {
  /** Of the child's tile. */
  readonly extent: Float64Array;
  /** How far the loops inside have moved the tile when they start over. */
  readonly inner: Float64Array;
  /** Step of the innermost loop that moves. */
  readonly first: Float64Array;
  readonly move: Float64Array;
  /** Words that the tile has in common with itself one step ago. */
  overlap: number;
}

export function createWalkScratch(rankCount: number): WalkScratch {
  const vector = (): Float64Array => new Float64Array(Math.max(1, rankCount));
  return { extent: vector(), inner: vector(), first: vector(), move: vector(), overlap: 0 };
}

/** Starts a walk at a level: extents of a child's tile into the scratch; returns its volume. */
export function startWalk(
  nest: Nest,
  space: SpaceTable,
  dimensionCount: number,
  level: number,
  scratch: WalkScratch,
): number {
  const { extent, inner, first } = scratch;
  let volume = 1;
  for (let rank = 0; rank < space.rankCount; rank++) {
    extent[rank] = rankExtentAt(space, rank, nest.childSize, level * dimensionCount);
    volume *= extent[rank]!;
    inner[rank] = 0;
    first[rank] = 0;
  }
  return volume;
}

/** Goes on to the next outer loop: its step and overlap into the scratch. */
export function takeStep(
  nest: Nest,
  space: SpaceTable,
  dimensionCount: number,
  loop: number,
  rule: HaloRule,
  scratch: WalkScratch,
): StepKind {
  const { coefficients, rankCount } = space;
  const { extent, inner, first, move } = scratch;
  const dimension = nest.loopDimension[loop]!;
  const stride = nest.loopStride[loop]!;
  const iterations = rule.everyIteration ? nest.loopBound[loop]! - 1 : 1;
  let overlap = 1;
  let moves = false;
  let same = true;
  for (let rank = 0, index = dimension; rank < rankCount; rank++, index += dimensionCount) {
    const vector = coefficients[index]! * stride;
    const step = vector - inner[rank]!;
    inner[rank] = inner[rank]! + iterations * vector;
    move[rank] = step;
    if (step !== 0) moves = true;
    if (step !== first[rank]) same = false;
    overlap *= Math.max(0, extent[rank]! - Math.abs(step));
  }
  scratch.overlap = overlap;
  return moves ? (same ? AGAIN : TURNS) : STAYS;
}

/** Words that a step brings, its overlap being known. */
export function wordsOf(kind: StepKind, rule: HaloRule, volume: number, overlap: number): number {
  if (kind === STAYS) return 0;
  return kind === AGAIN || rule.everyDirection ? volume - overlap : volume;
}

/** Words that one child takes in over all its time. */
export function walkTile(
  nest: Nest,
  space: SpaceTable,
  dimensionCount: number,
  level: number,
  rule: HaloRule,
  scratch: WalkScratch,
): number {
  const volume = startWalk(nest, space, dimensionCount, level, scratch);
  let started = false;
  let block = 0;
  for (let loop = nest.firstLoop[level]!; loop < nest.loopCount; loop++) {
    let kind = takeStep(nest, space, dimensionCount, loop, rule, scratch);
    if (!started) {
      if (kind === STAYS) continue;
      // The innermost moving loop sets the direction.
      started = true;
      scratch.first.set(scratch.move);
      kind = AGAIN;
    }
    const bound = nest.loopBound[loop]!;
    block = bound * block + (bound - 1) * wordsOf(kind, rule, volume, scratch.overlap);
  }
  return volume + block;
}
