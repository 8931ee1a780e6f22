import fc from "fast-check";
import { expect, it } from "vitest";
import { projectToHyperplane } from "./fab-projection.js";

const size = 6;
const vector = (value: fc.Arbitrary<number>) => fc.array(value, { minLength: size, maxLength: size });
const coordinate = fc.double({ min: 0, max: 1, noNaN: true });
const slope = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -50, max: 50 }).map((value) => value / 10),
);
const dot = (a: readonly number[], b: ArrayLike<number>) => a.reduce((sum, value, index) => sum + value * b[index]!, 0);

/** The distance to the hyperplane that steps of at most `limit` within the box leave. */
function left(point: readonly number[], normal: readonly number[], offset: number, limit: number): number {
  const side = dot(normal, point) >= offset ? 1 : -1;
  const moved = point.map((value, index) => {
    const direction = -Math.sign(side * normal[index]!);
    return Math.min(1, Math.max(0, value + direction * limit));
  });
  return side * (dot(normal, moved) - offset);
}

it("takes the smallest step to the hyperplane that stays in the box, as bisection finds it", () => {
  fc.assert(
    fc.property(
      vector(coordinate),
      vector(slope),
      fc.double({ min: -20, max: 20, noNaN: true }),
      (point, normal, offset) => {
        const step = new Float64Array(size);
        projectToHyperplane(point, normal, offset, step);
        const moved = point.map((value, index) => value + step[index]!);
        for (const value of moved) expect(value >= -1e-12 && value <= 1 + 1e-12).toBe(true);
        const largest = step.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        if (left(point, normal, offset, 1) > 1e-9) {
          // Out of reach: the corner.
          expect(dot(normal, moved)).toBeCloseTo(
            offset + Math.sign(dot(normal, point) - offset || 1) * left(point, normal, offset, 1),
            9,
          );
          return;
        }
        expect(dot(normal, moved)).toBeCloseTo(offset, 9);
        let [low, high] = [0, 1];
        for (let round = 0; round < 60; round++) {
          const middle = (low + high) / 2;
          if (left(point, normal, offset, middle) > 0) low = middle;
          else high = middle;
        }
        // No smaller limit reaches it.
        expect(left(point, normal, offset, Math.max(largest - 1e-7, 0))).toBeGreaterThanOrEqual(-1e-9);
        expect(largest).toBeLessThanOrEqual(high + 1e-9);
      },
    ),
    { numRuns: 500 },
  );
});
