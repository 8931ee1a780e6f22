import fc from "fast-check";
import { expect } from "vitest";

/** `count` values spread evenly over ±`magnitude`, as float32. */
export const drawnValues = (count: number, magnitude = 100): fc.Arbitrary<number[]> =>
  fc.array(
    fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => Math.fround((value / 1e6) * magnitude)),
    { minLength: count, maxLength: count },
  );

/** How many different values there are; −0 is 0. */
export const distinct = (values: readonly number[]): number => new Set(values.map((value) => value + 0)).size;

export const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** Entry by entry, within `tolerance`. */
export function expectClose(found: readonly number[], expected: readonly number[], tolerance = 1e-6): void {
  expect(found.length).toBe(expected.length);
  found.forEach((value, index) => {
    expect(Math.abs(value - expected[index]!), `entry ${index}: ${value}, ${expected[index]}`).toBeLessThanOrEqual(
      tolerance,
    );
  });
}
