import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Architecture } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { evaluateSparseCost } from "./cost.js";
import { emptyProbability } from "./hypergeometric.js";

// Which tile decides on an access: the model finds it by a rule over loops, this file by walking the loops. While one
// tile of B lies in the buffer, certain words of A pass it by; it need not have been fetched if they are all zero.

type Dimension = "M" | "N" | "K";
const dimensions: readonly Dimension[] = ["M", "N", "K"];

const boundsArbitrary = fc.record({
  M: fc.integer({ min: 1, max: 4 }),
  N: fc.integer({ min: 1, max: 4 }),
  K: fc.integer({ min: 1, max: 4 }),
});
const orderArbitrary = fc.shuffledSubarray([...dimensions], { minLength: 3 });

const nestArbitrary = fc.record({
  /** Outermost first. */
  order: orderArbitrary,
  outer: boundsArbitrary,
  inner: boundsArbitrary,
  percent: fc.integer({ min: 1, max: 99 }),
});

type Nest = typeof nestArbitrary extends fc.Arbitrary<infer T> ? T : never;

function problemOf({ outer, inner, percent }: Nest): Problem {
  const rank = (dimension: Dimension) => [{ coefficient: 1, dimension }];
  const density = { distribution: "hypergeometric" as const, density: percent / 100 };
  return {
    name: "product",
    dimensions: Object.fromEntries(dimensions.map((name) => [name, outer[name] * inner[name]])),
    dataSpaces: [
      { name: "A", readWrite: false, bitWidth: 8, projection: [rank("M"), rank("K")], density },
      { name: "B", readWrite: false, bitWidth: 8, projection: [rank("K"), rank("N")] },
      { name: "Z", readWrite: true, bitWidth: 8, projection: [rank("M"), rank("N")] },
    ],
  };
}

function mappingOf({ order, outer, inner }: Nest): Mapping {
  const level = (name: string, names: readonly Dimension[], bounds: Nest["outer"]) => ({
    level: name,
    keep: ["A", "B", "Z"],
    temporal: names.map((dimension) => ({ dimension, bound: bounds[dimension] })).filter(({ bound }) => bound > 1),
    spatialX: [],
    spatialY: [],
  });
  return { levels: [level("DRAM", order, outer), level("buffer", dimensions, inner)] };
}

function architectureOf(level: "DRAM" | "buffer"): Architecture {
  const sparse = { actions: [{ kind: "skip" as const, options: [{ target: "B", on: ["A"] }] }] };
  return {
    name: "two-levels",
    levels: ["DRAM", "buffer"].map((name) => ({
      name,
      storage: { widthBits: 8, readPj: 1, writePj: 1 },
      ...(name === level && { sparse }),
    })),
    compute: { name: "mac", energyPj: 1 },
  };
}

/** Tiles of A that pass while each tile of B stays, one number a stay. */
function tilesOfA({ order, outer }: Nest): number[] {
  const stays: Set<string>[] = [];
  let resident = "";
  const [first, second, third] = order as [Dimension, Dimension, Dimension];
  for (let a = 0; a < outer[first]; a++) {
    for (let b = 0; b < outer[second]; b++) {
      for (let c = 0; c < outer[third]; c++) {
        const at = { [first]: a, [second]: b, [third]: c } as Record<Dimension, number>;
        const tile = `${at.K} ${at.N}`;
        if (tile !== resident) stays.push(new Set());
        resident = tile;
        stays[stays.length - 1]!.add(`${at.M} ${at.K}`);
      }
    }
  }
  return stays.map((tiles) => tiles.size);
}

function skippedReads(nest: Nest, level: "DRAM" | "buffer"): { readonly skipped: number; readonly dense: number } {
  const cost = evaluateSparseCost(problemOf(nest), architectureOf(level), mappingOf(nest));
  if (!cost.ok) throw new Error(cost.reason);
  const { sparse } = cost.levels[level === "DRAM" ? 0 : 1]!.dataSpaces[1]!;
  return { skipped: sparse.skipped.read, dense: sparse.dense.read };
}

describe("the leader's tile", () => {
  it("is what passes while the follower's tile stays", () => {
    fc.assert(
      fc.property(nestArbitrary, (nest) => {
        const { M, K } = nest.inner;
        const [tiles, ...others] = new Set(tilesOfA(nest));
        expect(others).toEqual([]);
        const total = M * K * nest.outer.M * nest.outer.K;
        const nonZeros = Math.ceil((nest.percent / 100) * total);
        const probability = emptyProbability(tiles! * M * K, nonZeros, total);
        const { skipped, dense } = skippedReads(nest, "DRAM");
        expect(Math.abs(skipped - dense * probability)).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 300 },
    );
  });

  it("is a word where nothing holds the follower", () => {
    fc.assert(
      fc.property(nestArbitrary, (nest) => {
        const total = nest.inner.M * nest.inner.K * nest.outer.M * nest.outer.K;
        const nonZeros = Math.ceil((nest.percent / 100) * total);
        const { skipped, dense } = skippedReads(nest, "buffer");
        expect(Math.abs(skipped - dense * (1 - nonZeros / total))).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });
});
