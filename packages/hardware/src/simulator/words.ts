import type { DataSpace, Problem } from "../workload/problem.js";
import type { Box } from "./machine.js";

// The words of a data space, as explicit sets.

/** Words of one tensor, each a number. */
export type Words = ReadonlySet<number>;

export const noWords: Words = new Set();

/** Turns boxes of elements into sets of words. */
export interface WordFinder {
  /** Whether a dimension addresses the data space. */
  readonly relevant: readonly boolean[];
  /** The words that a box addresses; the same set for the same box. */
  find(box: Box): Words;
  /** Number of the first word of a box. */
  first(box: Box): number;
}

export function createWordFinder(problem: Problem, space: DataSpace): WordFinder {
  const names = Object.keys(problem.dimensions);
  const sizes = Object.values(problem.dimensions);
  // A word's number is its place in the tensor's box, row by row.
  const coefficients = names.map(() => 0);
  let radix = 1;
  for (const rank of space.projection) {
    let extent = 1;
    for (const { dimension, coefficient } of rank) {
      const index = names.indexOf(dimension);
      coefficients[index] = coefficients[index]! + coefficient * radix;
      extent += coefficient * (sizes[index]! - 1);
    }
    radix *= extent;
  }
  const relevant = coefficients.map((coefficient) => coefficient > 0);
  const known = new Map<string, Words>();
  const first = ({ low }: Box): number => low.reduce((sum, value, index) => sum + value * coefficients[index]!, 0);
  return {
    relevant,
    first,
    find(box) {
      const key = box.low.map((low, index) => (relevant[index] ? `${low}+${box.size[index]}` : "")).join();
      const found = known.get(key);
      if (found !== undefined) return found;
      let words = [first(box)];
      coefficients.forEach((coefficient, index) => {
        if (coefficient === 0) return;
        words = words.flatMap((word) =>
          Array.from({ length: box.size[index]! }, (_, step) => word + step * coefficient),
        );
      });
      const set = new Set(words);
      known.set(key, set);
      return set;
    },
  };
}

/** Words of the first set that are not in the second. */
export function without(words: Iterable<number>, others: Words): number[] {
  return [...words].filter((word) => !others.has(word));
}
