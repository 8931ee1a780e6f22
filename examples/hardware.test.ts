import { readFileSync } from "node:fs";
import { createRandomStream } from "@dovetail/core";
import { evaluateCost, mapLayer, readArchitecture, readMapping, readProblem } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";

const text = (name: string): string => readFileSync(new URL(`./hardware/${name}`, import.meta.url), "utf8");

const architecture = readArchitecture(text("small-8x8.yaml"));
const problem = readProblem(text("conv3x3.yaml"));
const mapping = readMapping(text("weight-stationary.yaml"));

describe("the documents in hardware/", () => {
  it("cost what the guide says", () => {
    const cost = evaluateCost(problem, architecture, mapping);
    if (!cost.ok) throw new Error(cost.reason);
    expect(cost.latencyCycles).toBe(10_376);
    expect(cost.energyPj / 1000).toBeCloseTo(1348.771, 3);
    expect(cost.limitedBy).toEqual({ resource: "bandwidth", level: "buffer", port: "shared" });
    const dram = cost.levels[0]!.dataSpaces.map(({ dataSpace, reads, updates }) => [dataSpace, reads, updates]);
    expect(dram).toEqual([
      ["Weights", 2304, 0],
      ["Inputs", 5184, 0],
      ["Outputs", 0, 4096],
    ]);
  });

  it("leave the mapper room for a mapping that is no worse", () => {
    const cost = evaluateCost(problem, architecture, mapping);
    const found = mapLayer(problem, architecture, {
      evaluations: 500,
      seeds: [mapping],
      random: createRandomStream(0),
    });
    if (!found.ok || !cost.ok) throw new Error("no mapping");
    expect(found.cost.edpJouleCycles).toBeLessThanOrEqual(cost.edpJouleCycles);
  });
});
