import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import { readMapping } from "../mapping/mapping.js";
import { convolutionProblem } from "../workload/layers.js";
import { readProblem } from "../workload/problem.js";
import { mapZigZagLayer } from "../zigzag/search.js";
import { exportZigZag } from "./zigzag-export.js";
import { readZigZagHardware } from "./zigzag-hardware.js";
import { readZigZagMapping } from "./zigzag-mapping.js";
import { readZigZagWorkload } from "./zigzag-workload.js";
import { writeZigZagHardware, writeZigZagMapping, writeZigZagWorkload } from "./zigzag-write.js";

const example = (name: string): string =>
  readFileSync(new URL(`../../../../examples/hardware/${name}.yaml`, import.meta.url), "utf8");

const layer = readProblem(example("conv3x3"));
const mapping = readMapping(example("weight-stationary"));
const leaky = readArchitecture(example("small-8x8"));

/** ZigZag has no leakage. */
const small: Architecture = {
  ...leaky,
  levels: leaky.levels.map((level) =>
    level.storage === undefined ? level : { ...level, storage: { ...level.storage, leakagePjPerCycle: undefined } },
  ),
};

function roundTrip(exported: ReturnType<typeof exportZigZag>): ReturnType<typeof exportZigZag> {
  return {
    accelerator: readZigZagHardware(writeZigZagHardware(exported.accelerator)),
    entries: readZigZagMapping(writeZigZagMapping(exported.entries)),
    layers: readZigZagWorkload(writeZigZagWorkload(exported.layers)),
  };
}

describe("ZigZag's files", () => {
  it("hold memories, array, layer and mapping", () => {
    const { accelerator, entries, layers } = exportZigZag(layer, small, mapping);
    expect(accelerator.array.dimensions).toEqual([
      { name: "D1", size: 8 },
      { name: "D2", size: 8 },
    ]);
    expect(
      accelerator.memories.map(({ name, operands, servedDimensions }) => [name, operands, servedDimensions]),
    ).toEqual([
      ["sums", ["O"], []],
      ["weights", ["I2"], []],
      ["buffer", ["I1", "O"], ["D1", "D2"]],
      ["DRAM", ["I1", "I2", "O"], ["D1", "D2"]],
    ]);
    expect(accelerator.memories[2]).toMatchObject({ sizeBits: 2048 * 64, readPj: 11.61, writePj: 10.7 });
    expect(entries[0]).toMatchObject({
      spatial: { D1: [{ dimension: "M", factor: 8 }], D2: [{ dimension: "C", factor: 8 }] },
      order: {
        inner: [
          { dimension: "M", factor: 2 },
          { dimension: "S", factor: 3 },
          { dimension: "R", factor: 3 },
          { dimension: "C", factor: 2 },
          { dimension: "Q", factor: 16 },
          { dimension: "P", factor: 4 },
          { dimension: "P", factor: 4 },
        ],
      },
    });
    expect(layers[0]).toMatchObject({
      dimensions: { M: 16, C: 16, P: 16, Q: 16, R: 3, S: 3 },
      output: { bits: 24, finalBits: 8 },
    });
    expect(layers[0]!.relations.map(({ size }) => size)).toEqual([18, 18]);
  });

  it("say the same when they are read again", () => {
    for (const subject of [exportZigZag(layer, small, mapping), exportZigZag(layer, small)]) {
      const again = roundTrip(subject);
      expect(again).toEqual({
        ...subject,
        accelerator: {
          ...subject.accelerator,
          memories: subject.accelerator.memories.map((memory) => ({ ...memory, area: memory.area ?? 0 })),
        },
      });
    }
  });

  it("cost the same when they are read again", () => {
    const strided = convolutionProblem({
      inputChannels: 4,
      outputChannels: 8,
      outputHeight: 6,
      outputWidth: 6,
      kernelHeight: 3,
      kernelWidth: 3,
      strideHeight: 2,
      strideWidth: 2,
      bitWidths: { weights: 8, inputs: 8, outputs: 8 },
    });
    const before = exportZigZag(strided, small);
    const after = roundTrip(before);
    const cost = ({ accelerator, entries, layers }: typeof before) => {
      const { cost: found } = mapZigZagLayer(layers[0]!, accelerator, entries[0]!);
      return [found.energyPj, found.latencyCycles, found.macs];
    };
    expect(cost(after)).toEqual(cost(before));
  });

  const level = (index: number, fields: object): Architecture => ({
    ...small,
    levels: small.levels.map((own, at) => (at === index ? { ...own, ...fields } : own)),
  });

  it.each<[string, () => unknown, string]>([
    ["leakage", () => exportZigZag(layer, leaky), "leakage"],
    ["links", () => exportZigZag(layer, level(2, { fanout: { x: 8, y: 8, neighbourLinks: true } })), "links"],
    [
      "clusters",
      () => exportZigZag(layer, level(3, { storage: { ...small.levels[3]!.storage!, clusterSize: 4 } })),
      "clusters",
    ],
    [
      "sparse tensors",
      () =>
        exportZigZag({ ...layer, dataSpaces: layer.dataSpaces.map((space) => ({ ...space, density: 0.5 })) }, small),
      "zeros",
    ],
    [
      "three tensors that are read",
      () =>
        exportZigZag(
          { ...layer, dataSpaces: layer.dataSpaces.map((space) => ({ ...space, readWrite: false })) },
          small,
        ),
      "one that is written",
    ],
    [
      "names that differ in their case only",
      () => exportZigZag({ ...layer, dimensions: { ...layer.dimensions, m: 1 } }, small),
      "whatever their case",
    ],
  ])("%s cannot be said", (_, work, message) => {
    expect(work).toThrow(message);
  });
});
