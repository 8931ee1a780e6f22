import { inputError } from "@dovetail/core";

// Interstellar's cost of a blocked convolution (Yang et al., ASPLOS 2020; repository commit ed38e1e, cost-model.md
// section 6.3): words moved at each memory level times what an access costs there. Stride 1; wires cost nothing.

/** Kernel columns and rows, output columns and rows, output channels, input channels, images. */
export const blockingLoops = ["S", "R", "Q", "P", "M", "C", "N"] as const;
export type BlockingLoop = (typeof blockingLoops)[number];

/** One loop at one memory level. */
export interface BlockedLoop {
  /** Place among the level's loops, innermost first; leave it out for a loop that is not there. */
  readonly position?: number | undefined;
  /** Steps over time. */
  readonly temporal: number;
  /** Copies side by side. */
  readonly spatial: number;
}

/** A memory level with the loops that run over its content. */
export interface BlockingLevel {
  /** Cost of one access, in the unit of the result. */
  readonly accessCost: number;
  readonly loops: Readonly<Record<BlockingLoop, BlockedLoop>>;
}

export interface BlockingAccesses {
  readonly inputs: number;
  readonly weights: number;
  readonly outputs: number;
}

export interface BlockingCost {
  readonly totalCost: number;
  /** Words moved at each level, innermost first. */
  readonly accesses: readonly BlockingAccesses[];
}

type Tensor = keyof BlockingAccesses;

/** Loops that address a tensor; kernel loops move the input only within its halo and count as not addressing it. */
const addressing: Readonly<Record<Tensor, readonly BlockingLoop[]>> = {
  inputs: ["Q", "P", "C", "N"],
  weights: ["S", "R", "M", "C"],
  outputs: ["Q", "P", "M", "N"],
};

/**
 * Accesses and cost of a convolution blocked over memory levels, innermost first.
 *
 * A word moves through a level once for every step of the loops that do not address its tensor, at this level and outside
 * of it; those that lie inside the level's innermost addressing loop bring nothing new and are left out, steps and copies alike (copies share the word). A partial sum is
 * read and written each time.
 *
 * @throws DovetailError `blocking` for no level, a factor that is no positive integer, or a cost that is negative.
 */
export function blockingCost(levels: readonly BlockingLevel[]): BlockingCost {
  checkLevels(levels);
  const sizes = tensorSizes(levels);
  const accesses = levels.map((_, level): BlockingAccesses => {
    const words = (tensor: Tensor): number => sizes[tensor] * movesPerWord(levels, level, tensor);
    return { inputs: words("inputs"), weights: words("weights"), outputs: 2 * words("outputs") };
  });
  const totalCost = accesses.reduce(
    (sum, { inputs, weights, outputs }, level) => sum + (inputs + weights + outputs) * levels[level]!.accessCost,
    0,
  );
  return { totalCost, accesses };
}

function tensorSizes(levels: readonly BlockingLevel[]): BlockingAccesses {
  const extent = (loop: BlockingLoop): number =>
    levels.reduce((product, { loops }) => product * loops[loop].temporal * loops[loop].spatial, 1);
  const [S, R, Q, P, M, C, N] = blockingLoops.map(extent) as [number, number, number, number, number, number, number];
  return { inputs: (Q + S - 1) * (P + R - 1) * C * N, weights: S * R * M * C, outputs: Q * P * M * N };
}

function movesPerWord(levels: readonly BlockingLevel[], level: number, tensor: Tensor): number {
  const relevant = addressing[tensor];
  const here = levels[level]!.loops;
  const absent = blockingLoops.length;
  const innermost = Math.min(...relevant.map((loop) => here[loop].position ?? absent));
  let moves = 1;
  for (const loop of blockingLoops) {
    if (relevant.includes(loop)) continue;
    const isInside = (here[loop].position ?? absent) < innermost;
    for (let outer = level; outer < levels.length; outer++) {
      const { temporal, spatial } = levels[outer]!.loops[loop];
      if (outer > level || !isInside) moves *= temporal * spatial;
    }
  }
  return moves;
}

function checkLevels(levels: readonly BlockingLevel[]): void {
  const refuse = (path: (string | number)[], message: string, expected: string, received: unknown): never => {
    throw inputError("blocking", message, { path, expected, received: String(received) });
  };
  if (levels.length === 0) refuse(["levels"], "no memory level", "at least one", 0);
  for (const [index, { accessCost, loops }] of levels.entries()) {
    if (!(accessCost >= 0)) refuse(["levels", index, "accessCost"], "not a cost", "a number, at least 0", accessCost);
    for (const loop of blockingLoops) {
      for (const kind of ["temporal", "spatial"] as const) {
        const factor = loops[loop][kind];
        if (Number.isSafeInteger(factor) && factor >= 1) continue;
        refuse(["levels", index, loop, kind], "not a factor", "a positive integer", factor);
      }
    }
  }
}
