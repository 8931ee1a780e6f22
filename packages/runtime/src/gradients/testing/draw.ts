// Random specifications of nodes, drawn from a seed.

import { createRandomStream, type RandomStream } from "@dovetail/core";
import { int64Vector } from "@dovetail/graph";
import fc from "fast-check";
import { it } from "vitest";
import { checkNode, type InputSpecification, type NodeSpecification } from "./finite-differences.js";

const runs = 20;

/** A test over random nodes. A seed makes a whole case, so a failure names it. */
export function property(name: string, draw: (random: RandomStream) => NodeSpecification): void {
  it(name, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const random = createRandomStream(seed);
        await checkNode(draw(random.split("specification")), random.split("values"));
      }),
      { numRuns: runs, seed: 1, endOnFailure: true },
    );
  });
}

export const between = (random: RandomStream, low: number, high: number): number =>
  low + random.integer(high - low + 1);
export const oneOf = <T>(random: RandomStream, items: readonly T[]): T => items[random.integer(items.length)]!;
export const shapeOf = (random: RandomStream, rank: number, largest = 4): number[] =>
  Array.from({ length: rank }, () => between(random, 1, largest));
export const someAxes = (random: RandomStream, rank: number): number[] => {
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter(() => random.integer(2) === 0);
  return axes.length > 0 ? axes : [random.integer(rank)];
};
/** Whether the batch is left open until run time. */
export const isOpen = (random: RandomStream): boolean => random.integer(2) === 0;
export const ints = (...values: readonly number[]): InputSpecification => ({ constant: int64Vector(values) });
