import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { readArchitecture } from "../architecture/architecture.js";
import { eyerissLike } from "../architecture/families/eyeriss-like.js";
import { evaluateCost } from "../cost/explain.js";
import { mapLayer } from "../mapper/evolutionary.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import { macCount, type Problem } from "../workload/problem.js";
import { publishedNetwork } from "../workload/published-networks.js";
import { rowStationaryMapping } from "./fixed-mapping.js";

const eyeriss = eyerissLike();

function costOf(problem: Problem, architecture = eyeriss) {
  const cost = evaluateCost(problem, architecture, rowStationaryMapping(problem, architecture));
  if (!cost.ok) throw new Error(`${problem.name}: ${cost.reason}`);
  return cost;
}

describe("row stationary by rule", () => {
  it.each(["AlexNet", "VGG-16", "ResNet-18", "MobileNetV2", "EfficientNet-B0"] as const)(
    "fits every layer of %s and computes all of it",
    (name) => {
      for (const problem of publishedNetwork(name, { bits: 8 })) expect(costOf(problem).macs).toBe(macCount(problem));
    },
  );

  it("fits at every precision, and fewer bits cost less", () => {
    for (const [index, layer] of publishedNetwork("AlexNet", { bits: 8 }).entries()) {
      const costs = [16, 12, 8, 4].map((bits) => {
        const architecture = eyerissLike({ weightBitWidth: bits, activationBitWidth: bits });
        return costOf(publishedNetwork("AlexNet", { bits })[index]!, architecture).edpJouleCycles;
      });
      expect([layer.name, [...costs].sort((a, b) => b - a)]).toEqual([layer.name, costs]);
    }
  });

  it("spreads kernel rows and output rows, then channels and filters, over the array", () => {
    const problem = convolutionProblem({
      inputChannels: 256,
      outputChannels: 384,
      outputHeight: 6,
      outputWidth: 13,
      kernelHeight: 3,
      kernelWidth: 3,
    });
    const [dram, buffer, columns, rows, , weights, partialSums] = rowStationaryMapping(problem, eyeriss).levels;
    expect(columns!.spatialX).toEqual([
      { dimension: "M", bound: 2 },
      { dimension: "P", bound: 6 },
    ]);
    expect(rows!.spatialY).toEqual([
      { dimension: "C", bound: 4 },
      { dimension: "R", bound: 3 },
    ]);
    // 12 input words: 4 channels of a kernel row of 3; 192 weights: 16 filters of them.
    expect(weights!.temporal).toEqual([
      { dimension: "C", bound: 4 },
      { dimension: "S", bound: 3 },
    ]);
    expect(partialSums!.temporal).toEqual([{ dimension: "M", bound: 16 }]);
    expect(dram!.temporal.at(-1)).toEqual({ dimension: "C", bound: 16 });
    expect(buffer!.temporal.at(-1)).toEqual({ dimension: "Q", bound: 13 });
  });

  it("takes linear layers, kernels larger than the array, and grouped convolutions", () => {
    const strange = convolutionProblem({
      inputChannels: 4,
      outputChannels: 6,
      groups: 2,
      outputHeight: 20,
      outputWidth: 21,
      kernelHeight: 15,
      kernelWidth: 15,
      batch: 3,
    });
    for (const problem of [strange, matmulProblem({ rows: 5, inner: 1000, columns: 77 })]) {
      expect(costOf(problem).macs).toBe(macCount(problem));
    }
  });

  it.each(publishedNetwork("AlexNet", { bits: 8 }).map((problem) => [problem.name, problem] as const))(
    "%s: the search finds no worse",
    (_, problem) => {
      const found = mapLayer(problem, eyeriss, { random: createRandomStream(0), evaluations: 2000 });
      if (!found.ok) throw new Error(found.rejection.reason);
      expect(found.cost.edpJouleCycles).toBeLessThanOrEqual(costOf(problem).edpJouleCycles);
    },
  );

  it("refuses other architectures, and memories that hold nothing", () => {
    const flat = readArchitecture(
      "name: flat\nlevels: [{ name: DRAM, storage: { widthBits: 8, readPj: 1, writePj: 1 } }]\ncompute: { energyPj: 1 }\n",
    );
    const [problem] = publishedNetwork("AlexNet", { bits: 8 });
    expect(() => rowStationaryMapping(problem!, flat)).toThrow("no Eyeriss-like architecture");
    const levels = eyeriss.levels.map((level) =>
      level.name === "globalBuffer" ? { ...level, storage: { ...level.storage!, entries: 1, widthBits: 8 } } : level,
    );
    expect(() => rowStationaryMapping(problem!, { ...eyeriss, levels })).toThrow("does not fit the memories");
  });
});
