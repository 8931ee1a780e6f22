import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandomStream, restoreRandomStream } from "./stream.js";

describe("random streams", () => {
  it("give the same numbers for the same seed, and go on from a saved state", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(50), (seed, skipped) => {
        const first = createRandomStream(seed);
        for (let index = 0; index < skipped; index++) first.uint32();
        const second = restoreRandomStream(JSON.parse(JSON.stringify(first.state())));
        for (let index = 0; index < 5; index++) expect(second.uint32()).toBe(first.uint32());
        expect(second.split("a").uint32()).toBe(createRandomStream(seed).split("a").uint32());
      }),
    );
  });

  it("differ between seeds and between labels", () => {
    const draws = new Set<number>();
    for (let seed = 0; seed < 200; seed++) draws.add(createRandomStream(seed).uint32());
    const parent = createRandomStream(1);
    for (let label = 0; label < 200; label++) draws.add(parent.split(label).uint32());
    expect(draws.size).toBe(400);
  });

  it("have the moments of their distributions", () => {
    const stream = createRandomStream(7);
    const count = 200_000;
    const mean = (draw: () => number): number => {
      let sum = 0;
      for (let index = 0; index < count; index++) sum += draw();
      return sum / count;
    };
    expect(mean(stream.uniform)).toBeCloseTo(0.5, 2);
    expect(mean(stream.normal)).toBeCloseTo(0, 1);
    expect(mean(() => stream.normal() ** 2)).toBeCloseTo(1, 1);
    expect(mean(stream.gumbel)).toBeCloseTo(0.5772, 1);
    expect(mean(() => stream.integer(6))).toBeCloseTo(2.5, 1);
  });

  it("shuffle keeps the elements", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
        const shuffled = createRandomStream(seed).shuffle([...items]);
        expect(shuffled.sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      }),
    );
  });
});
