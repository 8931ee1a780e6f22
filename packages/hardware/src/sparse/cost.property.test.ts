import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Architecture } from "../architecture/architecture.js";
import { evaluateCost } from "../cost/explain.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { evaluateSparseCost, type SparseCost } from "./cost.js";
import type { Density } from "./density.js";
import type { LevelSparsity } from "./schema.js";

// A matrix product under random mappings, with and without sparsity.

const dimensions = ["M", "N", "K"] as const;

/** Bounds of each dimension at: outer temporal, spatial, inner temporal. */
const nestArbitrary = fc.record({
  M: fc.tuple(...Array(3).fill(fc.integer({ min: 1, max: 3 }))),
  N: fc.tuple(...Array(3).fill(fc.integer({ min: 1, max: 3 }))),
  K: fc.tuple(...Array(3).fill(fc.integer({ min: 1, max: 3 }))),
  outerOrder: fc.shuffledSubarray([...dimensions], { minLength: 3 }),
  innerOrder: fc.shuffledSubarray([...dimensions], { minLength: 3 }),
});

type Nest = typeof nestArbitrary extends fc.Arbitrary<infer T> ? T : never;

function problemOf(nest: Nest, densities: Partial<Record<"A" | "B" | "Z", Density>> = {}): Problem {
  const size = (name: (typeof dimensions)[number]): number =>
    (nest[name] as number[]).reduce((product, bound) => product * bound, 1);
  const space = (name: "A" | "B" | "Z", ranks: string[], readWrite: boolean) => ({
    name,
    readWrite,
    bitWidth: 8,
    projection: ranks.map((dimension) => [{ coefficient: 1, dimension }]),
    ...(densities[name] !== undefined && { density: densities[name] }),
  });
  return {
    name: "product",
    dimensions: { M: size("M"), N: size("N"), K: size("K") },
    dataSpaces: [space("A", ["M", "K"], false), space("B", ["K", "N"], false), space("Z", ["M", "N"], true)],
  };
}

function mappingOf(nest: Nest): Mapping {
  const loops = (order: readonly string[], at: number) =>
    order.map((dimension) => ({ dimension, bound: (nest[dimension as "M"] as number[])[at]! }));
  const keep = ["A", "B", "Z"];
  return {
    levels: [
      { level: "DRAM", keep, temporal: loops(nest.outerOrder, 0), spatialX: [], spatialY: [] },
      { level: "array", keep: [], temporal: [], spatialX: loops(dimensions, 1), spatialY: [] },
      { level: "buffer", keep, temporal: loops(nest.innerOrder, 2), spatialX: [], spatialY: [] },
    ],
  };
}

function architectureOf(sparse: { readonly outer?: LevelSparsity; readonly inner?: LevelSparsity } = {}): Architecture {
  return {
    name: "small",
    levels: [
      {
        name: "DRAM",
        storage: { widthBits: 32, readPj: 100, writePj: 110 },
        ...(sparse.outer && { sparse: sparse.outer }),
      },
      { name: "array", fanout: { x: 27, y: 1, neighbourLinks: false } },
      {
        name: "buffer",
        storage: { entries: 4096, widthBits: 8, readPj: 2, writePj: 3, sharedBitsPerCycle: 16 },
        ...(sparse.inner && { sparse: sparse.inner }),
      },
    ],
    compute: { name: "mac", energyPj: 0.5 },
  };
}

function sparseCost(nest: Nest, densities: Parameters<typeof problemOf>[1], architecture: Architecture): SparseCost {
  const cost = evaluateSparseCost(problemOf(nest, densities), architecture, mappingOf(nest));
  if (!cost.ok) throw new Error(JSON.stringify(cost));
  return cost;
}

const shareArbitrary = fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100);
const densityArbitrary = fc.oneof(
  shareArbitrary,
  shareArbitrary.map((density) => ({ distribution: "hypergeometric" as const, density })),
);

const skipB: LevelSparsity = { actions: [{ kind: "skip", options: [{ target: "B", on: ["A"] }] }] };
const gateB: LevelSparsity = { actions: [{ kind: "gate", options: [{ target: "B", on: ["A"] }] }] };

describe("the sparse layer", () => {
  it("costs dense tensors as the loop-nest model does", () => {
    fc.assert(
      fc.property(nestArbitrary, (nest) => {
        const dense = evaluateCost(problemOf(nest), architectureOf(), mappingOf(nest), { model: "timeloop" });
        const sparse = sparseCost(nest, {}, architectureOf({ inner: skipB }));
        if (!dense.ok) throw new Error(dense.reason);
        expect(sparse.energyPj).toBeCloseTo(dense.energyPj, 6);
        expect(sparse.latencyCycles).toBe(dense.latencyCycles);
        sparse.levels.forEach((level, index) => {
          level.dataSpaces.forEach(({ reads, fills, updates, temporalReductions }, space) => {
            const expected = dense.levels[index]!.dataSpaces[space]!;
            expect({ reads, fills, updates, temporalReductions }).toEqual({
              reads: expected.reads,
              fills: expected.fills,
              updates: expected.updates,
              temporalReductions: expected.temporalReductions,
            });
          });
        });
      }),
    );
  });

  it("loses no access: what is not made is gated or skipped at the level itself", () => {
    fc.assert(
      fc.property(nestArbitrary, densityArbitrary, fc.constantFrom(skipB, gateB), (nest, density, inner) => {
        const cost = sparseCost(nest, { A: density }, architectureOf({ inner }));
        const space = cost.levels[2]!.dataSpaces[1]!;
        const { dense, gated, skipped } = space.sparse;
        expect(space.reads + gated.read + skipped.read).toBe(dense.read);
        expect(inner === skipB ? gated.read : skipped.read).toBe(0);
        expect(space.reads).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("skips B's words where A's word is zero: that share of reads and of operations", () => {
    fc.assert(
      fc.property(nestArbitrary, shareArbitrary, (nest, density) => {
        const cost = sparseCost(nest, { A: density }, architectureOf({ inner: skipB }));
        const { sparse } = cost.levels[2]!.dataSpaces[1]!;
        expect(sparse.skipped.read).toBe(Math.floor(sparse.dense.read * (1 - density)));
        // Of the operations that are left A is never zero, so that all are made.
        expect(cost.compute.macs).toBe(cost.macs - Math.floor(cost.macs * (1 - density)));
      }),
    );
  });

  it("gates at the cost of the same cycles, skips for fewer", () => {
    fc.assert(
      fc.property(nestArbitrary, shareArbitrary, (nest, density) => {
        const dense = sparseCost(nest, {}, architectureOf({ inner: skipB }));
        const gate = sparseCost(nest, { A: density }, architectureOf({ inner: gateB }));
        const skip = sparseCost(nest, { A: density }, architectureOf({ inner: skipB }));
        expect(gate.energyPj).toBeCloseTo(skip.energyPj, 6);
        expect(skip.latencyCycles).toBeLessThanOrEqual(gate.latencyCycles);
        // Means are rounded up before they are compared with bandwidths.
        expect(gate.latencyCycles).toBeLessThanOrEqual(dense.latencyCycles + 1);
      }),
    );
  });

  it("moves of a compressed tensor the non-zeros, and metadata with them", () => {
    const bitmask = { tensor: "A", ranks: [{ format: "bitmask" as const, flatten: [["M", "K"]] }] };
    const level = (entries?: number): LevelSparsity => ({
      metadata: { ...(entries && { entries }), widthBits: 8, wordBits: 8, readPj: 1, writePj: 1 },
      formats: [{ ...bitmask, ranks: [bitmask.ranks[0]!, bitmask.ranks[0]!] }],
    });
    fc.assert(
      fc.property(nestArbitrary, shareArbitrary, (nest, density) => {
        const sparse = { outer: level(), inner: level(4096) };
        const inner = { ...level(4096), formats: [bitmask] };
        const cost = evaluateSparseCost(
          problemOf(nest, { A: { distribution: "hypergeometric", density } }),
          architectureOf({ ...sparse, inner }),
          mappingOf(nest),
        );
        // Loops of M and K may alternate, so that one rank does not do.
        fc.pre(cost.ok);
        if (!cost.ok) return;
        const [dram] = cost.levels;
        const a = dram!.dataSpaces[0]!;
        const words = problemOf(nest).dimensions.M! * problemOf(nest).dimensions.K!;
        const nonZeros = Math.ceil(density * words);
        expect(a.sparse.mostWords).toBe(nonZeros);
        // What is not moved is rounded down.
        const surplus = a.reads - (a.sparse.dense.read * nonZeros) / words;
        expect(surplus).toBeGreaterThan(-1e-9);
        expect(surplus).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });
});
