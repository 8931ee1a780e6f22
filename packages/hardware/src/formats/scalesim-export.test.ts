import { describe, expect, it } from "vitest";
import type { Architecture } from "../architecture/architecture.js";
import { systolicCost } from "../systolic/cost.js";
import { systolicLayerOf } from "../systolic/layer.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import { readScaleSimConfig, writeScaleSimConfig } from "./scalesim-config.js";
import { exportScaleSimConfig, exportScaleSimTopology } from "./scalesim-export.js";
import { readScaleSimTopology, systolicLayersOf, writeScaleSimTopology } from "./scalesim-topology.js";

const architecture: Architecture = {
  name: "array",
  levels: [
    { name: "DRAM", storage: { widthBits: 64, readPj: 1, writePj: 1 } },
    {
      name: "buffer",
      storage: { entries: 12288, widthBits: 64, readPj: 1, writePj: 1 },
      fanout: { x: 16, y: 1, neighbourLinks: true },
    },
    { name: "rows", fanout: { x: 1, y: 8, neighbourLinks: true } },
    { name: "spad", storage: { entries: 8, widthBits: 8, readPj: 1, writePj: 1 } },
  ],
  compute: { name: "mac", energyPj: 1 },
};

const convolution = convolutionProblem({
  inputChannels: 8,
  outputChannels: 12,
  outputHeight: 7,
  outputWidth: 5,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 2,
  strideWidth: 1,
  groups: 2,
});

const layers = [
  { name: "conv", problem: convolution },
  { name: "fc", problem: matmulProblem({ rows: 4, inner: 30, columns: 10 }) },
];

describe("SCALE-Sim's files", () => {
  it.each(["weightStationary", "inputStationary", "outputStationary"] as const)(
    "cost the same when they are read again (%s)",
    (dataflow) => {
      const config = readScaleSimConfig(writeScaleSimConfig(exportScaleSimConfig(architecture, dataflow)));
      const again = systolicLayersOf(readScaleSimTopology(writeScaleSimTopology(exportScaleSimTopology(layers))));
      expect(config.array).toEqual({ rows: 8, columns: 16, dataflow });
      const cycles = (all: readonly ReturnType<typeof systolicLayerOf>[]): number =>
        all.reduce((sum, layer) => sum + systolicCost(layer, config.array).latencyCycles, 0);
      // A group is a line of its own.
      expect(again.map(({ name }) => name)).toEqual(["conv_0", "conv_1", "fc"]);
      expect(cycles(again)).toBe(cycles(layers.map(({ name, problem }) => systolicLayerOf(name, problem))));
    },
  );

  it("deal the memory outside the array to the three tensors", () => {
    const { inputSramKilobytes, weightSramKilobytes, outputSramKilobytes } = exportScaleSimConfig(
      architecture,
      "outputStationary",
    );
    expect([inputSramKilobytes, weightSramKilobytes, outputSramKilobytes]).toEqual([32, 32, 32]);
  });

  it("need an array", () => {
    const flat = { ...architecture, levels: architecture.levels.map((level) => ({ ...level, fanout: undefined })) };
    expect(() => exportScaleSimConfig(flat, "weightStationary")).toThrow("fan-out");
  });
});
