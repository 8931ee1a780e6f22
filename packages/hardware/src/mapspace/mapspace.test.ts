import { describe, expect, it } from "vitest";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import { eyerissLike } from "../architecture/families/eyeriss-like.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import { createMapspace } from "./mapspace.js";
import { paddedProblems } from "./padding.js";
import { divisors, primeFactors } from "./primes.js";
import { listSpatialSplits } from "./spatial.js";

const problem = matmulProblem({ rows: 4, inner: 12, columns: 10 });

function architecture(constraints: string): Architecture {
  return readArchitecture(`
name: small
levels:
  - { name: DRAM, storage: { widthBits: 64, readPj: 100, writePj: 100 } }
  - { name: buffer, storage: { entries: 64, widthBits: 64, readPj: 2, writePj: 2 }, fanout: { x: 4, y: 3 } }
  - { name: spad, storage: { entries: 16, widthBits: 8, readPj: 1, writePj: 1 } }
compute: { energyPj: 1 }
constraints: { levels: [${constraints}] }
`);
}

describe("primes and divisors", () => {
  it("factor", () => {
    expect(primeFactors(1)).toEqual([]);
    expect(primeFactors(360)).toEqual([2, 2, 2, 3, 3, 5]);
    expect(primeFactors(9973)).toEqual([9973]);
    expect(divisors(36)).toEqual([1, 2, 3, 4, 6, 9, 12, 18, 36]);
  });
});

describe("mapspace", () => {
  it("lets loops stand wherever the architecture has room for them", () => {
    const space = createMapspace(problem, architecture(""));
    // Slots: time of the three levels, then X and Y of the buffer.
    const [dram, buffer, spad, x, y] = [0, 1, 2, 4, 7];
    expect([...space.slotsOf[0]!]).toEqual([dram, buffer, y, x, spad]);
    expect([...space.primesOf[2]!]).toEqual([2, 2, 3]);
    expect(space.obstacle).toBeUndefined();
    // The outermost memory holds everything; the other two hold what they like.
    expect([...space.freeKeeps]).toEqual([3, 4, 5, 6, 7, 8]);
  });

  it("follows the constraints", () => {
    const space = createMapspace(
      problem,
      architecture(`
        { level: DRAM, temporal: { permutation: [M, "*", N] } },
        { level: buffer, keep: [Inputs], bypass: [Weights], temporal: { factors: { N: 2 } }, spatialX: { dimensions: [C] } }`),
    );
    const [dram, buffer, spad, x, y] = [0, 1, 2, 4, 7];
    const [n, m, c] = [0, 1, 2];
    expect([...space.slotsOf[n]!]).toEqual([dram, y, spad]);
    expect([...space.slotsOf[m]!]).toEqual([dram, buffer, y, spad]);
    expect([...space.slotsOf[c]!]).toEqual([dram, buffer, y, x, spad]);
    expect([...space.primesOf[n]!]).toEqual([2]);
    expect(space.orderRank[m]).toBeLessThan(space.orderRank[c]!);
    expect(space.orderRank[c]).toBeLessThan(space.orderRank[n]!);
    expect([...space.freeKeeps]).toEqual([5, 6, 7, 8]);
    expect([...space.keep.subarray(3, 6)]).toEqual([0, 1, 1]);
  });

  it("sees at once when a dimension fits no way", () => {
    expect(createMapspace(problem, architecture("{ level: DRAM, temporal: { factors: { M: 4 } } }")).obstacle).toEqual({
      ok: false,
      reason: "factors",
      dimension: "M",
      needed: 4,
      available: 10,
    });
    const nowhere = "temporal: { dimensions: [M, C] }, spatialX: { dimensions: [] }, spatialY: { dimensions: [] }";
    const constraints = ["DRAM", "buffer", "spad"].map((level) => `{ level: ${level}, ${nowhere} }`);
    expect(createMapspace(problem, architecture(constraints.join(", "))).obstacle).toMatchObject({ dimension: "N" });
  });

  it("does not mind constraints on dimensions that the problem lacks", () => {
    const space = createMapspace(problem, architecture("{ level: DRAM, temporal: { factors: { R: 3 } } }"));
    expect(space.obstacle).toBeUndefined();
  });
});

describe("spatial splits", () => {
  it("lists every way, most units first", () => {
    const { slots, splits } = listSpatialSplits(createMapspace(problem, architecture("")));
    expect(slots).toEqual([4, 7]);
    // Independently: N = 4, M = 10, C = 12 over X ≤ 4 and Y ≤ 3.
    let expected = 0;
    let most = 0;
    const per = [4, 10, 12].map((size) =>
      divisors(size).flatMap((x) => divisors(size / x).map((y) => [x, y] as const)),
    );
    for (const [nx, ny] of per[0]!) {
      for (const [mx, my] of per[1]!) {
        for (const [cx, cy] of per[2]!) {
          if (nx * mx * cx > 4 || ny * my * cy > 3) continue;
          expected++;
          most = Math.max(most, nx * mx * cx * ny * my * cy);
        }
      }
    }
    expect(splits).toHaveLength(expected);
    expect(new Set(splits.map(({ bounds }) => bounds.join())).size).toBe(expected);
    expect(splits[0]!.units).toBe(most);
    expect(splits.map(({ units }) => units)).toEqual(splits.map(({ units }) => units).sort((a, b) => b - a));
  });
});

describe("padding", () => {
  const layer = convolutionProblem({
    inputChannels: 64,
    outputChannels: 64,
    outputHeight: 8,
    outputWidth: 8,
    kernelHeight: 3,
    kernelWidth: 3,
  });
  const edp = (macs: number, cycles: number): number => macs * cycles;

  it("proposes sizes that fill the array", () => {
    // Of 14 columns, 64 channels on 8 × 8 positions can use 8, but 65 channels 13.
    const [first] = paddedProblems(layer, createMapspace(layer, eyerissLike()), edp);
    expect(first!.dimensions).toEqual({ ...layer.dimensions, M: 65 });
  });

  it("proposes nothing where the array is full, or where the work alone counts", () => {
    expect(paddedProblems(layer, createMapspace(layer, eyerissLike({ arrayColumns: 16 })), edp)).toEqual([]);
    expect(paddedProblems(layer, createMapspace(layer, eyerissLike()), (macs) => macs)).toEqual([]);
  });
});
