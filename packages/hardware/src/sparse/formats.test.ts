import { describe, expect, it } from "vitest";
import type { Architecture } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { evaluateSparseCost, type SparseCost } from "./cost.js";
import type { Density } from "./density.js";
import type { LevelSparsity, RankFormat, TensorFormat } from "./schema.js";

// Formats of a matrix A of 6 rows and 8 columns with a quarter of non-zeros, by hand.

const problem = (density: Density = 0.25): Problem => ({
  name: "product",
  dimensions: { M: 6, K: 8, N: 2 },
  dataSpaces: [
    {
      name: "A",
      readWrite: false,
      bitWidth: 8,
      projection: [[{ coefficient: 1, dimension: "M" }], [{ coefficient: 1, dimension: "K" }]],
      density,
    },
    {
      name: "B",
      readWrite: false,
      bitWidth: 8,
      projection: [[{ coefficient: 1, dimension: "K" }], [{ coefficient: 1, dimension: "N" }]],
    },
    {
      name: "Z",
      readWrite: true,
      bitWidth: 8,
      projection: [[{ coefficient: 1, dimension: "M" }], [{ coefficient: 1, dimension: "N" }]],
    },
  ],
});

const loop = (text: string) => {
  const [dimension = "", bound = ""] = text.split("=");
  return { dimension, bound: Number(bound) };
};

/** Loops of DRAM and of the buffer, outermost first. */
const mapping = (outer: readonly string[], inner: readonly string[], keep = ["A", "B", "Z"]): Mapping => ({
  levels: [
    { level: "DRAM", keep: ["A", "B", "Z"], temporal: outer.map(loop), spatialX: [], spatialY: [] },
    { level: "buffer", keep, temporal: inner.map(loop), spatialX: [], spatialY: [] },
  ],
});

const formatOf = (ranks: readonly RankFormat[], rankOrder?: TensorFormat["rankOrder"]): LevelSparsity => ({
  metadata: { entries: 4096, widthBits: 8, wordBits: 8, readPj: 1, writePj: 1 },
  formats: [{ tensor: "A", ranks, ...(rankOrder && { rankOrder }) }],
});

function architecture(outer: LevelSparsity | undefined, inner?: LevelSparsity): Architecture {
  const storage = { widthBits: 8, readPj: 1, writePj: 1 };
  return {
    name: "two-levels",
    levels: [
      { name: "DRAM", storage, ...(outer && { sparse: outer }) },
      { name: "buffer", storage: { ...storage, entries: 256 }, ...(inner && { sparse: inner }) },
    ],
    compute: { name: "mac", energyPj: 1 },
  };
}

/** A's figures at DRAM when the buffer does not hold it, all its loops being in the buffer. */
function atDram(ranks: readonly RankFormat[], density?: Density, rankOrder?: TensorFormat["rankOrder"]) {
  const cost = evaluateSparseCost(
    problem(density),
    architecture(formatOf(ranks, rankOrder)),
    mapping([], ["M=6", "K=8", "N=2"], ["B", "Z"]),
  );
  if (!cost.ok) throw new Error(JSON.stringify(cost));
  return cost.levels[0]!.dataSpaces[0]!;
}

const pairs = (items: readonly { metadata: number; payload: number }[]): number[][] =>
  items.map(({ metadata, payload }) => [metadata, payload]);

/** Innermost rank first: [metadata, pointers]. */
describe("metadata of a tile", () => {
  it("compressed sparse rows: a pointer a row and one more, and a column for every non-zero", () => {
    // A quarter of 8 columns are 2 in each row.
    const { sparse } = atDram([{ format: "offsetPairs" }, { format: "coordinatePayload" }]);
    expect(pairs(sparse.mostMetadata)).toEqual([
      [12, 0],
      [0, 7],
    ]);
    expect(sparse.metadataBits).toBe((12 + 7) * 8);
    expect(sparse.mostWords).toBe(12);
  });

  it("a bitmask of both ranks flattened: a bit for every word", () => {
    const { sparse } = atDram([{ format: "bitmask", flatten: [["M", "K"]] }]);
    expect(pairs(sparse.mostMetadata)).toEqual([[48, 0]]);
    expect(sparse.metadataBits).toBe(48);
  });

  it("run lengths of both ranks flattened: one for every non-zero, of the bits that the rank says", () => {
    const { sparse } = atDram([{ format: "runLength", metadataBits: 3, flatten: [["M", "K"]] }]);
    expect(pairs(sparse.mostMetadata)).toEqual([[12, 0]]);
    // Three bits do not divide a row of eight: an item takes four.
    expect(sparse.metadataBits).toBe(48);
  });

  it("coordinates in both ranks: rows that are not empty, and their non-zeros", () => {
    const { sparse } = atDram([{ format: "coordinatePayload" }, { format: "coordinatePayload" }]);
    expect(pairs(sparse.mostMetadata)).toEqual([
      [12, 0],
      [6, 6],
    ]);
  });

  it("an uncompressed bitmask keeps the zeros", () => {
    const { sparse } = atDram([{ format: "uncompressedBitmask" }, { format: "uncompressedBitmask" }]);
    expect(pairs(sparse.mostMetadata)).toEqual([
      [48, 0],
      [6, 6],
    ]);
  });

  it("moves as often as its tile", () => {
    // N lies inside, but nothing holds A: every word is read for each of the two columns of Z.
    const space = atDram([{ format: "offsetPairs" }, { format: "coordinatePayload" }]);
    expect(space.reads).toBe(24);
    expect(space.sparse.metadata.read).toEqual([
      [24, 0],
      [0, 14],
    ]);
  });

  it("spares ranks that have no loop: the inner ones, or the outer ones", () => {
    const three: RankFormat[] = [{ format: "offsetPairs" }, { format: "offsetPairs" }, { format: "coordinatePayload" }];
    const inner = atDram(three, 0.25, "innerToOuter").sparse;
    expect(pairs(inner.mostMetadata)).toEqual([
      [12, 0],
      [0, 7],
      [0, 0],
    ]);
    // From the outside the pointers go to M and K, and the innermost rank, which would hold the columns, to no loop.
    const outer = atDram(three).sparse;
    expect(pairs(outer.mostMetadata).map(([metadata]) => metadata)).toEqual([0, 0, 0]);
  });
});

describe("tiles that move between compressed levels", () => {
  const csr: RankFormat[] = [{ format: "offsetPairs" }, { format: "coordinatePayload" }];
  const cost = (outer: LevelSparsity | undefined, inner: LevelSparsity | undefined, loops = ["M=2"]): SparseCost => {
    const found = evaluateSparseCost(problem(), architecture(outer, inner), mapping(loops, ["M=3", "K=8", "N=2"]));
    if (!found.ok) throw new Error("message" in found ? found.message : found.reason);
    return found;
  };
  const four: RankFormat[] = [{ format: "offsetPairs" }, ...csr];

  it("begin with the ranks of the inner level", () => {
    // Two tiles of three rows: pointers to the tiles and one more, then those of the rows of each tile.
    const { dataSpaces } = cost(formatOf(four), formatOf(csr)).levels[0]!;
    expect(pairs(dataSpaces[0]!.sparse.mostMetadata)).toEqual([
      [12, 0],
      [0, 2 * (3 + 1)],
      [0, 3],
    ]);
    expect(dataSpaces[0]!.reads).toBe(12);
  });

  it.each<[string, () => unknown, string]>([
    ["too few ranks", () => cost(formatOf(csr.slice(1)), formatOf(csr)), "inner ranks"],
    ["formats that differ", () => cost(formatOf([...csr].fill({ format: "bitmask" })), formatOf(csr)), "inner ranks"],
    ["more loops than ranks", () => cost(formatOf(csr), formatOf(csr)), "more ranks"],
    ["no decompression", () => cost(formatOf(four), undefined), "cannot decompress"],
    ["compression on the way in", () => cost(undefined, formatOf(csr)), "not in the level above"],
    [
      "no room for the metadata",
      () => cost(formatOf(four), { ...formatOf(csr), metadata: { ...formatOf(csr).metadata!, entries: 2 } }),
      "capacity",
    ],
  ])("%s", (_, work, message) => {
    expect(work).toThrow(message);
  });

  it("are unpacked, word by word, where the level may", () => {
    const inner = { decompresses: true, decompressionPj: 5 };
    // A tile that is held as it is counts as one rank, below the ranks of the level above.
    const flatten = [["M", "K"]];
    const flat = formatOf([
      { format: "offsetPairs", flatten },
      { format: "runLength", flatten },
    ]);
    const found = cost(flat, inner);
    const unpacked = found.levels[1]!.dataSpaces[0]!;
    expect(unpacked.sparse.decompressions).toBe(unpacked.fills);
    expect(unpacked.energyPj).toBeCloseTo(unpacked.reads + unpacked.fills + 5 * unpacked.fills, 9);
  });
});

describe("actions", () => {
  const acting = (sparse: LevelSparsity): SparseCost => {
    const found = evaluateSparseCost(problem(), architecture(undefined, sparse), mapping([], ["M=6", "K=8", "N=2"]));
    if (!found.ok) throw new Error(JSON.stringify(found));
    return found;
  };
  const option = (target: string, ...on: string[]) => ({ target, on });

  it("on tensors that the problem lacks leave nothing out", () => {
    const found = acting({ actions: [{ kind: "skip", options: [option("C", "A"), option("B", "D")] }] });
    expect(found.compute.macs).toBe(found.macs);
  });

  it("of several options the one counts that saves most", () => {
    // A is dense in the eyes of B's leader, since B has no zeros: only skipping B saves anything.
    const found = acting({ actions: [{ kind: "skip", options: [option("A", "B"), option("B", "A")] }] });
    const [a, b] = found.levels[1]!.dataSpaces;
    expect(a!.sparse.skipped.read).toBe(0);
    expect(b!.sparse.skipped.read).toBe(72);
  });

  it("cost what idle accesses cost, skipped ones as gated ones unless it is said", () => {
    const action = { kind: "gate" as const, options: [option("B", "A")] };
    const free = acting({ actions: [action] }).levels[1]!.dataSpaces[1]!;
    const gated = acting({ actions: [action], idle: { gatedReadPj: 0.5 } }).levels[1]!.dataSpaces[1]!;
    const skipped = acting({ actions: [{ ...action, kind: "skip" }], idle: { gatedReadPj: 0.5 } }).levels[1]!;
    expect(gated.energyPj - free.energyPj).toBeCloseTo(72 * 0.5, 9);
    expect(skipped.dataSpaces[1]!.energyPj).toBeCloseTo(gated.energyPj, 9);
  });

  it("need two operands", () => {
    const one = { ...problem(), dataSpaces: problem().dataSpaces.filter(({ name }) => name !== "B") };
    const map = mapping([], ["M=6", "K=8", "N=2"], ["A", "Z"]);
    const levels = map.levels.map((level) => ({ ...level, keep: ["A", "Z"] }));
    const found = evaluateSparseCost(one, architecture(undefined), { levels });
    expect(found).toMatchObject({ ok: false, reason: "sparsity" });
  });
});
