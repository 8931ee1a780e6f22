import { describe, expect, it } from "vitest";
import { systolicCost } from "./cost.js";
import { systolicConvolution } from "./layer.js";

// What SCALE-Sim v3 (commit 1d62b68) reports for its own test cases, total minus stall cycles (cost-model.md section 6.1).

describe("SCALE-Sim's reports", () => {
  const conv1 = systolicConvolution({
    name: "Conv1",
    inputHeight: 224,
    inputWidth: 224,
    kernelHeight: 11,
    kernelWidth: 11,
    channels: 3,
    filters: 96,
    strideHeight: 4,
    strideWidth: 4,
  });

  it("AlexNet's first layer, weight stationary on 32 × 32", () => {
    expect(conv1).toMatchObject({ rows: 3025, inner: 363, columns: 96 });
    const cost = systolicCost(conv1, { rows: 32, columns: 32, dataflow: "weightStationary" });
    expect(cost).toMatchObject({
      folds: 36,
      cyclesPerFold: 3119,
      latencyCycles: 112_283,
      mappingEfficiency: 0.9453125,
    });
    expect(cost.buffers).toEqual({ inputReads: 3_294_225, weightReads: 34_848, outputWrites: 3_484_800 });
    expect(100 * cost.computeUtilization).toBeCloseTo(90.78000992063485, 10);
    // The tool divides by the number of its last cycle, we by the number of cycles, one more.
    expect((100 * cost.utilization * 112_284) / 112_283).toBeCloseTo(91.68309650614964, 10);
  });

  it.each([
    ["weightStationary", 11_199, 67.19],
    ["inputStationary", 14_207, 50.59],
    ["outputStationary", 10_175, 80.5],
  ] as const)("256 × 256 by 256 × 128, %s on 32 × 32", (dataflow, cycles, utilization) => {
    const cost = systolicCost(
      { name: "Test 1", rows: 256, inner: 256, columns: 128 },
      { rows: 32, columns: 32, dataflow },
    );
    expect(cost.latencyCycles).toBe(cycles);
    expect(100 * cost.computeUtilization).toBeCloseTo(utilization, 2);
    expect(cost.mappingEfficiency).toBe(1);
  });
});
