import { describe, expect, it } from "vitest";
import { evaluateCost } from "../../cost/explain.js";
import { parseMapping } from "../../mapping/loopnest.js";
import { convolutionProblem } from "../../workload/layers.js";
import { architectureAreaUm2, instanceCounts, readArchitecture, writeArchitecture } from "../architecture.js";
import { eyerissLike, eyerissLikeChoices, eyerissLikeDefaults } from "./eyeriss-like.js";

describe("Eyeriss-like accelerators", () => {
  it("are architecture documents", () => {
    const architecture = eyerissLike();
    expect(readArchitecture(writeArchitecture(architecture))).toEqual(architecture);
    expect(instanceCounts(architecture).at(-1)).toBe(168);
  });

  it("take energies and areas from the tables", () => {
    const architecture = eyerissLike({ globalBufferWidthBits: 64 });
    const storage = (name: string) => architecture.levels.find((level) => level.name === name)?.storage;
    expect(storage("DRAM")).toMatchObject({ readPj: 512, widthBits: 64 });
    expect(storage("globalBuffer")).toMatchObject({ readPj: 32.2859, writePj: 26.065, entries: 16384 });
    expect(architecture.compute).toMatchObject({ energyPj: 0.298, areaUm2: 687.6 });
    // 168 multipliers, 168 · (12 + 192) words of 8 and 24 of 24 bit in registers, one buffer.
    const registers = (12 + 192) * 8 + 24 * 24;
    const bitArea = 5.98 * (45 / 40) ** 2;
    expect(architectureAreaUm2(architecture)).toBeCloseTo(168 * (687.6 + registers * bitArea) + 429589, 3);
  });

  it("cost a layer of ResNet-18", () => {
    const problem = convolutionProblem({
      inputChannels: 64,
      outputChannels: 64,
      outputHeight: 56,
      outputWidth: 56,
      kernelHeight: 3,
      kernelWidth: 3,
    });
    const mapping = parseMapping(`
      DRAM keeps Weights, Inputs, Outputs
        for C in 0..8
          for M in 0..2
            for P in 0..4
              globalBuffer keeps Inputs, Outputs
                for Q in 0..56
                  columns keeps -
                    spatial x for P in 0..14
                      rows keeps -
                        spatial y for M in 0..2
                          spatial y for C in 0..2
                            spatial y for R in 0..3
                              inputs keeps Inputs
                                weights keeps Weights
                                  for C in 0..4
                                    for S in 0..3
                                      partialSums keeps Outputs
                                        for M in 0..16
    `);
    const cost = evaluateCost(problem, eyerissLike(), mapping);
    if (!cost.ok) throw new Error(`${cost.reason} at ${cost.level}`);
    expect(cost.macs).toBe(115_605_504);
    expect(cost.compute.units).toBe(168);
    expect(cost.compute.cycles).toBe(115_605_504 / 168);
    expect(cost.energyPj).toBeGreaterThan(cost.macs * 0.298);
    const memory = cost.levels.reduce((sum, level) => sum + level.accessEnergyPj + level.leakagePj, 0);
    expect(cost.energyPj).toBeCloseTo(cost.macs * 0.298 + memory, 0);
  });

  it("exist for every choice of the search", () => {
    const names = Object.keys(eyerissLikeChoices) as (keyof typeof eyerissLikeChoices)[];
    for (const name of names) {
      let area = 0;
      for (const value of eyerissLikeChoices[name]) {
        const grown = architectureAreaUm2(eyerissLike({ [name]: value }));
        expect(grown).toBeGreaterThan(area);
        area = grown;
      }
      const reference: readonly number[] = eyerissLikeChoices[name];
      expect(reference).toContain(eyerissLikeDefaults[name]);
    }
    expect(names.reduce((count, name) => count * eyerissLikeChoices[name].length, 1)).toBe(53_760);
  });

  it.each([
    [{ arrayRows: 0 }, /arrayRows/],
    [{ globalBufferBytes: 2 ** 22 }, /1024 to 1048576 bytes/],
    [{ technologyNm: 28 }, /28 nm/],
    [{ partialSumBitWidth: 48 }, /at most 32 bit/],
    [{ dramKind: "DDR9" }, /LPDDR4/],
  ])("are refused for %o", (parameters, message) => {
    expect(() => eyerissLike(parameters)).toThrow(message);
  });
});
