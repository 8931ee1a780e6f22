import { describe, expect, it } from "vitest";
import { checkMapping } from "../analysis/analysis.js";
import { readArchitecture } from "../architecture/architecture.js";
import { parseMapping } from "../mapping/loopnest.js";
import { matmulProblem } from "../workload/layers.js";
import type { MappingCost } from "./cost.js";
import { evaluateCost } from "./explain.js";
import { printCost } from "./print.js";

const problem = matmulProblem({ rows: 4, inner: 8, columns: 2, bitWidths: { weights: 8, inputs: 8, outputs: 32 } });

const architecture = readArchitecture(`
name: small
clockMhz: 100
levels:
  - { name: DRAM, storage: { widthBits: 64, readPj: 100, writePj: 200 } }
  - name: buffer
    storage: { entries: 8, widthBits: 64, readPj: 2, writePj: 3, updatePj: 4, readBitsPerCycle: 16, areaUm2: 50 }
    fanout: { x: 2 }
compute: { energyPj: 1, areaUm2: 5 }
`);

/** The whole product in the buffer, two columns at a time. */
const mapping = parseMapping(`
DRAM keeps Weights, Inputs, Outputs
  buffer keeps Weights, Inputs, Outputs
    for N in 0..4
      for C in 0..8
        spatial x for M in 0..2`);

function costOf(...[problem, architecture, mapping, options]: Parameters<typeof evaluateCost>): MappingCost {
  const cost = evaluateCost(problem, architecture, mapping, { model: "timeloop", ...options });
  if (!cost.ok) throw new Error(cost.reason);
  return cost;
}

describe("cost of a mapping", () => {
  // By hand: 16 + 32 + 8 words of 8, 8 and 32 bits are 640 bits, more than 8 rows of 64.
  const roomy = {
    ...architecture,
    levels: architecture.levels.map((level) =>
      level.storage?.entries ? { ...level, storage: { ...level.storage, entries: 10 } } : level,
    ),
  };

  it("counts, packs words into rows and prices them", () => {
    const cost = costOf(problem, roomy, mapping, { neighbourLinks: false });
    const buffer = cost.levels[1]!;
    expect(buffer.dataSpaces.map(({ dataSpace, reads, fills, updates }) => [dataSpace, reads, fills, updates])).toEqual(
      [
        ["Weights", 64, 16, 0],
        ["Inputs", 32, 32, 0],
        ["Outputs", 56, 0, 64],
      ],
    );
    expect(buffer.dataSpaces.map((space) => space.wordsPerAccess)).toEqual([8, 8, 2]);
    expect(buffer.dataSpaces.map((space) => space.energyPj)).toEqual([8 * 2 + 2 * 3, 4 * 2 + 4 * 3, 28 * 2 + 32 * 4]);
    expect(cost.levels[0]!.dataSpaces.map((space) => space.energyPj)).toEqual([2 * 100, 4 * 100, 4 * 200]);
    expect(cost.energyPj).toBe(22 + 20 + 184 + 1400 + 64);
    expect(cost.areaUm2).toBe(50 + 2 * 5);
  });

  it("lets the tightest port set the pace and names it", () => {
    const cost = costOf(problem, roomy, mapping, { neighbourLinks: false });
    // 64·8 + 32·8 + 56·32 bits at 16 a cycle.
    expect(cost.latencyCycles).toBe(160);
    expect(cost.limitedBy).toEqual({ resource: "bandwidth", level: "buffer", port: "read" });
    expect(cost.utilization).toBe(32 / 160);
    expect(cost.latencyMs).toBe(160 / 100_000);
    expect(cost.edpJouleCycles).toBeCloseTo(1690e-12 * 160, 20);
  });

  it("leaves compute the limit where no bandwidth is given", () => {
    const free = {
      ...roomy,
      levels: roomy.levels.map(({ storage, ...level }) => ({ ...level, storage: withoutPorts(storage) })),
    };
    const cost = costOf(problem, free, mapping);
    expect(cost.latencyCycles).toBe(32);
    expect(cost.limitedBy).toEqual({ resource: "compute" });
  });

  it("takes a fixed word width whatever the tensor", () => {
    const fixed = {
      ...roomy,
      levels: roomy.levels.map(({ storage, ...level }) => ({
        ...level,
        storage: { ...storage!, entries: 100, wordBits: 32 },
      })),
    };
    expect(costOf(problem, fixed, mapping).levels[1]!.dataSpaces.map((space) => space.wordsPerAccess)).toEqual([
      2, 2, 2,
    ]);
  });

  it("takes several accesses for a word that is wider than a row", () => {
    const narrow = {
      ...roomy,
      levels: roomy.levels.map(({ storage, ...level }) => ({
        ...level,
        storage: { ...storage!, entries: 100, widthBits: 8 },
      })),
    };
    const outputs = costOf(problem, narrow, mapping, { neighbourLinks: false }).levels[1]!.dataSpaces[2]!;
    expect([outputs.reads, outputs.readAccesses]).toEqual([56, 224]);
  });

  it("charges leakage of what is in use over the whole latency", () => {
    const leaky = {
      ...roomy,
      compute: { ...roomy.compute, leakagePjPerCycle: 0.5 },
    };
    const cost = costOf(problem, leaky, mapping, { neighbourLinks: false });
    expect(cost.energyPj - costOf(problem, leaky, mapping, { neighbourLinks: false, leakage: false }).energyPj).toBe(
      160,
    );
    expect(cost.compute.leakagePj).toBe(160);
  });

  it("names the model that made the figures", () => {
    expect(costOf(problem, roomy, mapping).model).toBe("loop nest, as Timeloop 4cf6d4c (2025-03-31)");
    expect(costOf(problem, roomy, mapping, { halo: "exact", leakage: false }).model).toBe(
      "loop nest, as Timeloop 4cf6d4c (2025-03-31), halo exact, no leakage",
    );
  });

  it("prints", () => {
    expect(printCost(costOf(problem, roomy, mapping, { neighbourLinks: false })).split("\n")).toEqual([
      "1.690 nJ (0.000 of it leakage), 160 cycles, 20.0 % utilization, limited by buffer's read bandwidth",
      "level   tensor   instances  reads  fills  updates  energy nJ",
      "DRAM    Weights          1     16      0        0      0.200",
      "DRAM    Inputs           1     32      0        0      0.400",
      "DRAM    Outputs          1      0      0        8      0.800",
      "buffer  Weights          1     64     16        0      0.022",
      "buffer  Inputs           1     32     32        0      0.020",
      "buffer  Outputs          1     56      0       64      0.184",
      "mac     64 MACs          2                             0.064",
      "loop nest, as Timeloop 4cf6d4c (2025-03-31), no neighbour links",
    ]);
  });

  it("serves a cluster with one access", () => {
    const clustered = {
      ...roomy,
      levels: [
        { ...roomy.levels[0]!, fanout: { x: 2, y: 1, neighbourLinks: false } },
        { name: "buffer", storage: { ...roomy.levels[1]!.storage!, clusterSize: 2 } },
      ],
    };
    const spread = parseMapping(`
DRAM keeps Weights, Inputs, Outputs
  spatial x for M in 0..2
    buffer keeps Weights, Inputs, Outputs
      for N in 0..4
        for C in 0..8`);
    const buffer = costOf(problem, clustered, spread).levels[1]!;
    expect([buffer.instances, buffer.clusters]).toEqual([2, 1]);
    expect(buffer.dataSpaces[0]!.energyPj).toBe(4 * 2 + 1 * 3);
  });

  it("rejects with a value", () => {
    expect(evaluateCost(problem, architecture, mapping)).toEqual({
      ok: false,
      reason: "capacity",
      level: "buffer",
      dataSpace: "Inputs",
      needed: 640,
      available: 512,
    });
  });
});

describe("checking a mapping", () => {
  const check = (text: string) => checkMapping(problem, architecture, parseMapping(text));
  const loops = "DRAM keeps Weights, Inputs, Outputs\nfor N in 0..4\nfor C in 0..8\nfor M in 0..2\nbuffer keeps -";

  it("accepts", () => {
    expect(check(loops)).toEqual({ ok: true });
  });

  it("rejects loops that miss a part of the problem", () => {
    expect(check(loops.replace("0..8", "0..4"))).toEqual({
      ok: false,
      reason: "factors",
      dimension: "C",
      needed: 4,
      available: 8,
    });
  });

  it("rejects more children than there are", () => {
    const wide =
      "DRAM keeps Weights, Inputs, Outputs\nfor C in 0..8\nfor M in 0..2\nbuffer keeps -\nspatial x for N in 0..4";
    expect(check(wide)).toEqual({ ok: false, reason: "fanout", level: "buffer", needed: 4, available: 2 });
  });

  it("rejects a tensor that is kept nowhere", () => {
    expect(check(loops.replace("Weights, ", ""))).toEqual({ ok: false, reason: "notKept", dataSpace: "Weights" });
  });

  it("rejects a tensor at a level without storage", () => {
    const bare = { ...architecture, levels: [architecture.levels[0]!, { name: "buffer" }] };
    expect(checkMapping(problem, bare, parseMapping(loops.replace("keeps -", "keeps Inputs")))).toEqual({
      ok: false,
      reason: "storage",
      level: "buffer",
      dataSpace: "Inputs",
    });
  });

  it("honours multiple buffering and minimal utilization", () => {
    const constrained = (constraint: object) => ({
      ...architecture,
      constraints: { levels: [{ level: "buffer", ...constraint }] },
    });
    const one = parseMapping(loops.replace("keeps -", "keeps Inputs"));
    expect(checkMapping(problem, constrained({ minUtilization: 0.5 }), one)).toMatchObject({
      reason: "utilization",
      needed: 256,
      available: 8,
    });
    expect(checkMapping(problem, constrained({ multipleBuffering: 100 }), one)).toMatchObject({
      reason: "capacity",
      needed: 8,
      available: 5,
    });
  });

  it("throws for names that do not exist", () => {
    expect(() => check(loops.replace("for M", "for K"))).toThrow(
      "levels[0].temporal[2]: the problem has no such dimension: expected one of N, M, C, received K",
    );
    expect(() => check(loops.replace("buffer", "cache"))).toThrow("expected DRAM, buffer, received DRAM, cache");
    expect(() => check(loops.replace("Weights", "weights"))).toThrow("did you mean Weights?");
  });
});

function withoutPorts<T extends { readBitsPerCycle?: number | undefined }>(storage: T | undefined) {
  const { readBitsPerCycle: _, ...rest } = storage!;
  return rest;
}
