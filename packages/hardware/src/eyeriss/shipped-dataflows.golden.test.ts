import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import type { MappingCost } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import { mapLayer } from "../mapper/evolutionary.js";
import { mapLayerRandomly } from "../mapper/random.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import { convolutionProblem } from "../workload/layers.js";
import type { Problem } from "../workload/problem.js";

// The row-stationary dataflows that DNN-Chip-Predictor ships for AlexNet's five convolutions at batch 4 (GATECH-EIC,
// commit f0c62f93, eyeriss/dataflow1…5, hardware, layer1…5), as mappings of ours: K is M, Yo P, Xo Q; the loops of its
// buffer outside the refresh stand at the DRAM, those of its register file outside the refresh in the buffer.

/**
 * Its Eyeriss: pJ a byte 100, 3 and 0.5 (partial sums 0.33), 1 pJ a multiplication, no limit on bandwidths. Partial sums
 * have the chip's 16 bit: with the 24 of its layer files no tile of conv2 to conv5 fits the 128 KB (it compares words with
 * bytes there).
 */
function eyeriss({ columns = 14, rows = 12, inputWords = 12, weightWords = 224 } = {}): Architecture {
  return readArchitecture(`
name: chip-predictor-eyeriss
levels:
  - { name: DRAM, storage: { widthBits: 16, readPj: 200, writePj: 200 } }
  - { name: buffer, storage: { entries: 65536, widthBits: 16, readPj: 6, writePj: 6 } }
  - { name: columns, fanout: { x: ${columns} } }
  - { name: rows, fanout: { y: ${rows} } }
  - { name: inputs, storage: { entries: ${inputWords}, widthBits: 16, readPj: 1, writePj: 1 } }
  - { name: weights, storage: { entries: ${weightWords}, widthBits: 16, readPj: 1, writePj: 1 } }
  - { name: partialSums, storage: { entries: 24, widthBits: 16, readPj: 0.66, writePj: 0.66 } }
compute: { energyPj: 1 }
constraints:
  levels:
    - { level: DRAM, keep: [Weights, Inputs, Outputs] }
    - { level: buffer, keep: [Inputs, Outputs], bypass: [Weights] }
    - { level: columns, temporal: { dimensions: [] }, spatialX: { dimensions: [P, M] } }
    - { level: rows, temporal: { dimensions: [] }, spatialY: { dimensions: [R, C, M, P] } }
    - { level: inputs, keep: [Inputs], bypass: [Weights, Outputs], temporal: { dimensions: [] } }
    - { level: weights, keep: [Weights], bypass: [Inputs, Outputs], temporal: { dimensions: [R, S, C] } }
    - { level: partialSums, keep: [Outputs], bypass: [Weights, Inputs], temporal: { dimensions: [M] } }
`);
}

type Bounds = Readonly<Record<string, number>>;

interface Dataflow {
  readonly dram: Bounds;
  readonly buffer: Bounds;
  readonly columns: Bounds;
  readonly rows: Bounds;
  readonly weights: Bounds;
  readonly partialSums: Bounds;
}

function mappingOf(dataflow: Dataflow): Mapping {
  const loops = (bounds: Bounds): Loop[] => Object.entries(bounds).map(([dimension, bound]) => ({ dimension, bound }));
  const level = (
    name: string,
    keep: string[],
    { temporal = {}, spatialX = {}, spatialY = {} }: Partial<Record<"temporal" | "spatialX" | "spatialY", Bounds>> = {},
  ): Mapping["levels"][number] => ({
    level: name,
    keep,
    temporal: loops(temporal),
    spatialX: loops(spatialX),
    spatialY: loops(spatialY),
  });
  const { dram, buffer, columns, rows, weights, partialSums } = dataflow;
  return {
    levels: [
      level("DRAM", ["Weights", "Inputs", "Outputs"], { temporal: dram }),
      level("buffer", ["Inputs", "Outputs"], { temporal: buffer }),
      level("columns", [], { spatialX: columns }),
      level("rows", [], { spatialY: rows }),
      level("inputs", ["Inputs"]),
      level("weights", ["Weights"], { temporal: weights }),
      level("partialSums", ["Outputs"], { temporal: partialSums }),
    ],
  };
}

function layer(inputChannels: number, outputChannels: number, size: number, kernel: number, stride = 1): Problem {
  return convolutionProblem({
    batch: 4,
    inputChannels,
    outputChannels,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    bitWidths: { weights: 16, inputs: 16, outputs: 16 },
  });
}

const layers = {
  conv1: layer(3, 96, 55, 11, 4),
  conv2: layer(48, 256, 27, 5),
  conv3: layer(256, 384, 13, 3),
  conv4: layer(192, 384, 13, 3),
  conv5: layer(192, 256, 13, 3),
};

/** As shipped, where its own hardware holds them. */
const asShipped = {
  conv1: {
    dram: { N: 4, P: 8, C: 3 },
    buffer: { M: 3, Q: 55 },
    columns: { M: 2, P: 7 },
    rows: { R: 11 },
    weights: { S: 11 },
    partialSums: { M: 16 },
  },
  conv4: {
    dram: { M: 6, C: 32 },
    buffer: { M: 2, N: 4, Q: 13 },
    columns: { P: 13 },
    rows: { M: 2, C: 2, R: 3 },
    weights: { S: 3, C: 3 },
    partialSums: { M: 16 },
  },
  conv5: {
    dram: { M: 4, C: 32 },
    buffer: { M: 2, N: 4, Q: 13 },
    columns: { P: 13 },
    rows: { M: 2, C: 2, R: 3 },
    weights: { S: 3, C: 3 },
    partialSums: { M: 16 },
  },
} satisfies Partial<Record<keyof typeof layers, Dataflow>>;

/** Shipped as M 2 × P 27 × R 5 = 270 units of 168: with one strip of filters at a time it needs 135. */
const conv2: Dataflow = {
  dram: { N: 4, M: 4, C: 24 },
  buffer: { M: 4, Q: 27 },
  columns: { P: 14 },
  rows: { P: 2, R: 5 },
  weights: { S: 5, C: 2 },
  partialSums: { M: 16 },
};

/** Shipped with 6 channels in scratchpads for 4: 18 input words of 12, 288 weights of 224. */
const conv3: Dataflow = {
  dram: { M: 6, C: 64 },
  buffer: { N: 4, Q: 13 },
  columns: { P: 13 },
  rows: { M: 4, R: 3 },
  weights: { S: 3, C: 4 },
  partialSums: { M: 16 },
};

const dataflows: Readonly<Record<keyof typeof layers, Dataflow>> = { ...asShipped, conv2, conv3 };
const names = Object.keys(layers) as (keyof typeof layers)[];

function costOf(name: keyof typeof layers, dataflow: Dataflow, architecture = eyeriss()): MappingCost {
  const cost = evaluateCost(layers[name], architecture, mappingOf(dataflow));
  if (!cost.ok) throw new Error(`${name}: ${JSON.stringify(cost)}`);
  return cost;
}

describe("the dataflows shipped for Eyeriss", () => {
  // Active units of Chen et al., JSSC 2017, table of AlexNet: 154, 135, 156, 156, 156.
  it.each([
    ["conv1", 154],
    ["conv2", 135],
    ["conv3", 156],
    ["conv4", 156],
    ["conv5", 156],
  ] as const)("%s keeps %d units busy, as on the chip", (name, units) => {
    const { columns, rows } = dataflows[name];
    const spread = Object.values({ ...columns, ...prefixed(rows) }).reduce((product, bound) => product * bound, 1);
    // conv2's 27 rows lie on 2 × 14 columns, of which one stays idle.
    expect(name === "conv2" ? (spread * 27) / 28 : spread).toBe(units);
    expect(costOf(name, dataflows[name]).macs).toBe(
      Object.values(layers[name].dimensions).reduce((product, size) => product * size, 1),
    );
  });

  function prefixed(bounds: Bounds): Bounds {
    return Object.fromEntries(Object.entries(bounds).map(([name, bound]) => [`row${name}`, bound]));
  }

  it("of conv2 and conv3 do not fit the hardware that they are shipped with", () => {
    const shipped2: Dataflow = { ...conv2, buffer: { M: 2, Q: 27 }, columns: { M: 2, P: 27 }, rows: { R: 5 } };
    const shipped3: Dataflow = { ...conv3, dram: { M: 6, C: 43 }, weights: { S: 3, C: 6 } };
    expect(evaluateCost(layers.conv2, eyeriss(), mappingOf(shipped2))).toMatchObject({ ok: false });
    expect(evaluateCost(layers.conv3, eyeriss(), mappingOf(shipped3))).toMatchObject({ ok: false, reason: "capacity" });
    costOf("conv2", shipped2, eyeriss({ columns: 54 }));
    costOf("conv3", shipped3, eyeriss({ inputWords: 18, weightWords: 288 }));
  });
});

describe("the search on AlexNet's five layers at batch 4", () => {
  const map = (name: keyof typeof layers, seed: number, evaluations: number) => {
    const found = mapLayer(layers[name], eyeriss(), { random: createRandomStream(seed), evaluations });
    if (!found.ok) throw new Error(found.rejection.reason);
    return found;
  };

  it.each(names)("%s: no worse than the shipped dataflow, every seed", (name) => {
    const shipped = costOf(name, dataflows[name]).edpJouleCycles;
    for (const seed of [0, 1, 2]) {
      expect(map(name, seed, 4000).cost.edpJouleCycles).toBeLessThanOrEqual(shipped);
    }
  });

  it("conv3: nor than it with the scratchpads that it would need", () => {
    const roomy = eyeriss({ inputWords: 18, weightWords: 288 });
    const shipped = costOf("conv3", { ...conv3, dram: { M: 6, C: 43 }, weights: { S: 3, C: 6 } }, roomy);
    expect(map("conv3", 0, 4000).cost.edpJouleCycles).toBeLessThanOrEqual(shipped.edpJouleCycles);
  });

  it.each(names)("%s: at most random search's energy-delay product at equal effort, 9 of 10 seeds", (name) => {
    let won = 0;
    for (let seed = 0; seed < 10; seed++) {
      const random = mapLayerRandomly(layers[name], eyeriss(), { random: createRandomStream(seed), evaluations: 150 });
      const evolved = map(name, seed, 150);
      if (!random.ok || evolved.cost.edpJouleCycles <= random.cost.edpJouleCycles) won++;
    }
    expect(won).toBeGreaterThanOrEqual(9);
  });
});
