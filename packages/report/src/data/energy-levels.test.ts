import { expect, it } from "vitest";
import { asicFixture, fpgaFixture } from "../../fixtures/co-search.js";
import { energyByLevel, energyOnLevels } from "./energy-levels.js";

it("accounts for all energy of all layers", () => {
  const { found } = asicFixture();
  const energy = energyByLevel(found.layers)!;
  const expected = found.layers.reduce((sum, { cost }) => sum + cost!.energyPj, 0);
  expect(energy.totalPj / expected).toBeCloseTo(1, 9);
  expect(energy.levels).toEqual(["DRAM", "globalBuffer", "inputs", "weights", "partialSums", "mac", "leakage"]);
  const reversed = [...energy.levels].reverse();
  expect(energyOnLevels(energy, reversed)).toEqual([...energy.energyPj].reverse());
  expect(energyOnLevels(energy, ["elsewhere"])).toEqual([0]);
});

it("says nothing where there is no energy model", () => {
  expect(energyByLevel(fpgaFixture().found.layers)).toBeUndefined();
});
