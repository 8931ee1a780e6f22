import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { zigzagHardwareOf } from "../formats/zigzag-hardware.js";
import { zigzagWorkloadOf } from "../formats/zigzag-workload.js";
import { evaluateZigZag } from "./cost.js";
import type { ZigZagMappingEntry } from "./mapping.js";
import { mapZigZagNetwork } from "./network.js";
import { mergeLoops, primeLoops, visitPermutations } from "./orderings.js";
import { printZigZagCost } from "./print.js";
import { mapZigZagLayer } from "./search.js";
import { formatSpatial, spatialMappings } from "./spatial.js";

const { hardware } = JSON.parse(readFileSync(new URL("zigzag.golden.json", import.meta.url), "utf8"));
const tpu = zigzagHardwareOf(hardware.tpu_like);

function convolution(k: number, c: number, out: number) {
  return zigzagWorkloadOf([
    {
      id: 0,
      name: `${k}x${c}x${out}`,
      operator_type: "Conv",
      equation: "O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]",
      dimension_relations: ["ix=1*ox+1*fx", "iy=1*oy+1*fy"],
      loop_dims: ["B", "K", "C", "OY", "OX", "FY", "FX"],
      loop_sizes: [1, k, c, out, out, 3, 3],
      operand_precision: { W: 8, I: 8, O: 16, O_final: 8 },
    },
  ])[0]!;
}

const entry: ZigZagMappingEntry = {
  name: "default",
  spatial: { D1: [{ dimension: "K", factor: 32 }], D2: [{ dimension: "C", factor: 32 }] },
  spatialHints: {},
  order: { inner: [], outer: [] },
  links: { O: "O", W: "I2", I: "I1" },
};

describe("spatial mappings", () => {
  it("are cut down to the layer and the array", () => {
    const wide = { ...entry, spatial: { D1: [{ dimension: "K", factor: 64 }], D2: [{ dimension: "C", factor: 32 }] } };
    expect(spatialMappings(convolution(64, 3, 8), tpu, wide).map(formatSpatial)).toEqual(["D1: K 32, D2: C 3"]);
  });

  it("leave out dimensions that the layer lacks, and what a dimension cannot carry twice", () => {
    const odd = {
      ...entry,
      spatial: {
        D1: [
          { dimension: "G", factor: 4 },
          { dimension: "C", factor: 8 },
        ],
        D2: [{ dimension: "C", factor: 8 }],
      },
    };
    expect(spatialMappings(convolution(64, 16, 8), tpu, odd).map(formatSpatial)).toEqual(["D1: C 8"]);
  });

  it("fill the array where none is given, fewest cycles first", () => {
    const open = { ...entry, spatial: {} };
    const [first, ...others] = spatialMappings(convolution(64, 64, 56), tpu, open);
    expect(first).toEqual({ D1: [{ dimension: "K", factor: 32 }], D2: [{ dimension: "C", factor: 32 }] });
    expect(others.length).toBeGreaterThan(0);
    const hinted = { ...open, spatialHints: { D1: ["OX"], D2: ["C"] } };
    expect(spatialMappings(convolution(64, 64, 56), tpu, hinted).map(formatSpatial)).toEqual(["D1: OX 32, D2: C 32"]);
  });

  it("lay no more of an operand's words along the array than the innermost memory's bandwidth carries", () => {
    const narrow = {
      ...tpu,
      memories: tpu.memories.map((memory) =>
        memory.name === "rf_2B" || memory.name === "rf_128B"
          ? memory
          : { ...memory, ports: memory.ports.map((port) => ({ ...port, maxBitsPerCycle: 64 })) },
      ),
    };
    // The inputs' innermost memory serves both dimensions of the array, but it lies above the outputs' registers.
    expect(spatialMappings(convolution(64, 64, 8), narrow, entry).map(formatSpatial)).toEqual(["D1: K 32, D2: C 32"]);
    const inputsAlone = {
      ...narrow,
      memories: narrow.memories.map((memory) =>
        memory.name === "rf_2B"
          ? { ...memory, sizeBits: 1024, operands: ["I1" as const], servedDimensions: ["D2"] }
          : memory,
      ),
    };
    const ports = [{ operand: "I1", move: "readToLow" }] as const;
    inputsAlone.memories[1] = {
      ...inputsAlone.memories[1]!,
      ports: [{ name: "r", kind: "read", minBitsPerCycle: 8, maxBitsPerCycle: 64, transfers: ports }],
    };
    expect(spatialMappings(convolution(64, 64, 8), inputsAlone, entry).map(formatSpatial)[0]).toContain("C 8");
  });
});

describe("orders", () => {
  it("of merged loops are all visited once", () => {
    const merged = mergeLoops(primeLoops(Int32Array.of(12, 8)), 4);
    const factorsOf = (wanted: number) =>
      merged.filter(({ dimension }) => dimension === wanted).map(({ factor }) => factor);
    expect(factorsOf(0).sort()).toEqual([3, 4]);
    expect(factorsOf(1).sort()).toEqual([2, 4]);
    const seen = new Set<string>();
    visitPermutations(
      merged,
      () => true,
      (order) => {
        seen.add(JSON.stringify(order));
        return true;
      },
    );
    expect(seen.size).toBe(24);
  });

  it("keep to places that the mapping fixes", () => {
    const order = { inner: [{ dimension: "FX" }, { dimension: "OX", factor: 7 }], outer: [{ dimension: "K" }] };
    const { cost } = mapZigZagLayer(convolution(64, 64, 56), tpu, { ...entry, order });
    const { loops } = cost.temporal;
    expect(loops.slice(0, 2)).toEqual([
      { dimension: "FX", factor: 3 },
      { dimension: "OX", factor: 7 },
    ]);
    expect(loops.at(-1)).toEqual({ dimension: "K", factor: 2 });
  });

  it("may be given whole, with more loops than the search would merge to", () => {
    const sizes = { FX: 3, FY: 3, C: 2, OX: 56, OY: 56, K: 2 };
    const inner = Object.entries(sizes).map(([dimension, factor]) => ({ dimension, factor }));
    const given = { ...entry, order: { inner, outer: [] } };
    const { cost, evaluations } = mapZigZagLayer(convolution(64, 64, 56), tpu, given, { factorLimit: 2 });
    expect(cost.temporal.loops).toEqual(inner);
    expect(evaluations).toBe(1);
  });

  it("with a factor that does not divide are refused", () => {
    const order = { inner: [{ dimension: "OX", factor: 5 }], outer: [] };
    expect(() => mapZigZagLayer(convolution(64, 64, 56), tpu, { ...entry, order })).toThrow(
      "temporal_ordering.OX: a loop's factor does not divide what is left of its dimension: expected a divisor of 56",
    );
  });

  it("that fit nowhere are refused", () => {
    const small = {
      ...tpu,
      memories: tpu.memories.map((each) => (each.name === "dram" ? { ...each, sizeBits: 4096 } : each)),
    };
    expect(() => mapZigZagLayer(convolution(64, 64, 56), small, entry)).toThrow("no order of the loops fits");
  });

  it("are no more than the evaluations that there may be", () => {
    const { evaluations } = mapZigZagLayer(convolution(64, 64, 56), tpu, entry, { evaluations: 50 });
    expect(evaluations).toBe(50);
  });
});

describe("a network", () => {
  it("adds up its layers, maps like ones once, and takes the entry of a name first", () => {
    const [first, second] = [convolution(64, 64, 14), convolution(32, 16, 14)];
    const named = { ...entry, name: second.name, spatial: { D1: [{ dimension: "OX", factor: 14 }], D2: [] } };
    const network = mapZigZagNetwork([first, { ...first, id: 1, name: "again" }, second], tpu, [entry, named]);
    const alone = mapZigZagLayer(first, tpu, entry);
    expect(network.layers.map(({ cost }) => cost.layer)).toEqual(["64x64x14", "again", "32x16x14"]);
    expect(network.layers[1]!.cost.energyPj).toBe(alone.cost.energyPj);
    expect(network.evaluations).toBe(alone.evaluations + network.layers[2]!.evaluations);
    expect(formatSpatial(network.layers[2]!.cost.spatial)).toBe("D1: OX 14");
    expect(network.latencyCycles).toBe(network.layers.reduce((sum, { cost }) => sum + cost.latencyCycles, 0));
  });

  it("needs an entry with the layer's operands", () => {
    const unlinked = { ...entry, links: { O: "O", W: "I2" } as const };
    expect(() => mapZigZagNetwork([convolution(8, 8, 4)], tpu, [unlinked])).toThrow(
      "no entry of the mapping is for this layer: expected memory_operand_links of default with I",
    );
  });
});

it("levels that are given must fit the hierarchy and the layer", () => {
  const layer = convolution(64, 64, 14);
  const { cost } = mapZigZagLayer(layer, tpu, entry);
  const { spatial, temporal } = cost;
  const question = { layer, accelerator: tpu, links: entry.links, spatial };
  const cuts = { ...temporal.cuts, W: [1] };
  expect(() => evaluateZigZag({ ...question, temporal: { ...temporal, cuts } })).toThrow("cuts.W: the cuts do not fit");
  const loops = temporal.loops.slice(1);
  expect(() => evaluateZigZag({ ...question, temporal: { ...temporal, loops } })).toThrow("do not multiply to what is");
});

it("prints where energy and cycles come from", () => {
  const { cost } = mapZigZagLayer(convolution(64, 64, 14), tpu, entry);
  const text = printZigZagCost(cost);
  expect(text).toContain(`64x64x14: ${(cost.energyPj / 1e3).toFixed(2)} nJ`);
  expect(text).toContain(`${cost.temporalCycles} cycles computing`);
  expect(text).toContain("on the array: D1: K 32, D2: C 32");
  expect(text.match(/ {2}[OWI] in /g)).toHaveLength(7);
});
