import { describe, expect, it } from "vitest";
import { type RowStationaryOperator, rowStationaryClockHz, rowStationaryCost } from "./row-stationary.js";

const convolution: RowStationaryOperator = {
  kind: "convolution",
  inputChannels: 16,
  inputHeight: 32,
  inputWidth: 32,
  outputChannels: 16,
  outputHeight: 32,
  outputWidth: 32,
  kernelSize: 3,
  stride: 1,
};

describe("the Eyeriss-only predictor", () => {
  it("gives the published program's figures for a convolution and a linear layer", () => {
    const { chosen, leastEnergyPj, leastLatencyCycles } = rowStationaryCost(convolution);
    expect(chosen.energyPj * 1e-9).toBeCloseTo(0.0196631296, 12);
    expect((chosen.latencyCycles / rowStationaryClockHz) * 1e3).toBeCloseTo(0.098304, 12);
    expect([chosen.energyPj, chosen.latencyCycles]).toEqual([leastEnergyPj, leastLatencyCycles]);
    const one = { inputHeight: 1, inputWidth: 1, outputHeight: 1, outputWidth: 1, kernelSize: 1, stride: 1 };
    const linear = rowStationaryCost({ kind: "linear", inputChannels: 64, outputChannels: 120, ...one });
    expect(linear.chosen.energyPj * 1e-9).toBeCloseTo(6.81232e-5, 12);
    expect(linear.leastEnergyPj * 1e-9).toBeCloseTo(6.53072e-5, 12);
    expect(linear.chosen.latencyCycles).toBe(256);
    expect(linear.leastLatencyCycles).toBe(48);
  });

  it("cuts every extent whole", () => {
    const { m, c, e } = rowStationaryCost(convolution).chosen.tiling;
    const product = (factors: readonly number[]): number => factors.reduce((a, b) => a * b);
    expect([product(m), product(c), product(e)]).toEqual([16, 16, 32]);
  });

  it.each([
    [{ kernelSize: 0 }, "kernelSize: not a size: expected a positive integer, received 0"],
    [{ kernelSize: 13 }, "no tiling fits the array and its memories"],
  ])("refuses %j", (change, message) => {
    expect(() => rowStationaryCost({ ...convolution, ...change })).toThrow(message);
  });
});
