import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocate } from "./allocate.js";
import { classifyResources, type FrontPoint, paretoFront } from "./front.js";

const point = fc.record({
  cycles: fc.integer({ min: 1, max: 40 }),
  dsp: fc.integer({ min: 0, max: 12 }),
  bram: fc.integer({ min: 0, max: 12 }),
  designIndex: fc.nat(99),
});

describe("fronts and allocation", () => {
  it("agree with trying every combination", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(point, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        fc.record({ dsp: fc.integer({ min: 1, max: 30 }), bram: fc.integer({ min: 1, max: 30 }) }),
        (chunks, limits) => {
          let least = Number.POSITIVE_INFINITY;
          const tryAll = (index: number, cycles: number, dsp: number, bram: number): void => {
            if (dsp > limits.dsp || bram > limits.bram) return;
            if (index === chunks.length) least = Math.min(least, cycles);
            else
              for (const p of chunks[index]!) tryAll(index + 1, Math.max(cycles, p.cycles), dsp + p.dsp, bram + p.bram);
          };
          tryAll(0, 0, 0, 0);
          const chosen = allocate(chunks.map(frontOf), limits);
          expect(chosen === undefined ? Number.POSITIVE_INFINITY : Math.max(...chosen.map((p) => p.cycles))).toBe(
            least,
          );
          if (chosen === undefined) return;
          expect(chosen).toHaveLength(chunks.length);
          expect(chosen.reduce((sum, p) => sum + p.dsp, 0)).toBeLessThanOrEqual(limits.dsp);
          expect(chosen.reduce((sum, p) => sum + p.bram, 0)).toBeLessThanOrEqual(limits.bram);
        },
      ),
    );
  });

  it("a front keeps exactly the points that none beats", () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), (points) => {
        const front = frontOf(points);
        const beats = (a: FrontPoint, b: FrontPoint): boolean =>
          a.cycles <= b.cycles &&
          a.dsp <= b.dsp &&
          a.bram <= b.bram &&
          (a.cycles < b.cycles || a.dsp < b.dsp || a.bram < b.bram);
        const key = (p: FrontPoint): string => `${p.cycles},${p.dsp},${p.bram}`;
        const expected = points.filter((p) => !points.some((other) => beats(other, p))).map(key);
        expect(new Set(front.map(key))).toEqual(new Set(expected));
        for (const p of front) expect(key(points[p.designIndex]!)).toBe(key(p));
      }),
    );
  });

  it("no chunks take nothing", () => {
    expect(allocate([], { dsp: 1, bram: 1 })).toEqual([]);
  });
});

function frontOf(points: readonly FrontPoint[]): FrontPoint[] {
  return paretoFront(
    Float64Array.from(points, (p) => p.cycles),
    classifyResources(points),
  );
}
