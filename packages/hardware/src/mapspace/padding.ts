import type { Problem } from "../workload/problem.js";
import type { Mapspace } from "./mapspace.js";

// A dimension that divides the array badly may be padded: the layer is then mapped, and charged, as if the dimension were
// larger. What is computed beyond the layer is thrown away.

/** A dimension grows to at most this multiple of its size. */
const MOST_GROWTH = 1.25;
/** A padding must promise to be this much better. */
const LEAST_GAIN = 1.03;

/** What is promised for a layer of that many multiply-accumulates in that many cycles; the smaller the better. */
export type Prospect = (macs: number, cycles: number) => number;

/**
 * Up to two enlarged versions of a layer that promise to fill the array so much better that they gain in spite of the
 * added work: one dimension padded, then a second one on top. The promise is judged by the most units that each
 * fan-out could keep busy. Dimensions whose bounds are fixed somewhere stay as they are.
 */
export function paddedProblems(problem: Problem, space: Mapspace, prospect: Prospect): Problem[] {
  const { dimensionNames, sizes } = space.tables;
  const padded: Problem[] = [];
  let current = [...sizes];
  let score = promised(space, current, prospect);
  for (let round = 0; round < 2; round++) {
    let best = current;
    let bestScore = score / LEAST_GAIN;
    for (const dimension of spreadDimensions(space)) {
      if (current[dimension] !== sizes[dimension]) continue;
      const most = Math.floor(sizes[dimension]! * MOST_GROWTH);
      for (let size = sizes[dimension]! + 1; size <= most; size++) {
        const grown = current.with(dimension, size);
        const grownScore = promised(space, grown, prospect);
        if (grownScore >= bestScore) continue;
        best = grown;
        bestScore = grownScore;
      }
    }
    if (best === current) break;
    current = best;
    score = bestScore;
    const enlarged = Object.fromEntries(dimensionNames.map((name, dimension) => [name, best[dimension]!]));
    padded.push({ ...problem, dimensions: { ...problem.dimensions, ...enlarged } });
  }
  return padded;
}

/** Dimensions that may be spread over an array and are not fixed anywhere. */
function spreadDimensions({ tables, fanout, free, fixedBounds, slotCount }: Mapspace): number[] {
  const { dimensionCount, levelCount } = tables;
  const slots = Array.from({ length: slotCount }, (_, slot) => slot);
  return tables.dimensionNames.flatMap((_, dimension) => {
    const fixed = slots.some((slot) => fixedBounds[slot * dimensionCount + dimension] !== 1);
    const spread = slots.some(
      (slot) => slot >= levelCount && fanout[slot]! > 1 && free[slot * dimensionCount + dimension] === 1,
    );
    return spread && !fixed ? [dimension] : [];
  });
}

function promised(space: Mapspace, sizes: readonly number[], prospect: Prospect): number {
  const macs = sizes.reduce((product, size) => product * size, 1);
  let units = 1;
  for (let slot = space.tables.levelCount; slot < space.slotCount; slot++) units *= mostUnits(space, sizes, slot);
  return prospect(macs, macs / units);
}

/** Largest product of divisors of the dimensions that a spatial slot admits, within its fan-out. */
function mostUnits({ tables, fanout, free, fixedBounds }: Mapspace, sizes: readonly number[], slot: number): number {
  const { dimensionCount } = tables;
  const room = fanout[slot]!;
  if (room === 1) return 1;
  const start = fixedBounds
    .subarray(slot * dimensionCount, (slot + 1) * dimensionCount)
    .reduce((product, bound) => product * bound, 1);
  let reached = new Set([start]);
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    if (free[slot * dimensionCount + dimension] !== 1) continue;
    const next = new Set(reached);
    for (const product of reached) {
      for (let bound = 2; product * bound <= room; bound++) {
        if (sizes[dimension]! % bound === 0) next.add(product * bound);
      }
    }
    reached = next;
  }
  return Math.max(...reached);
}
