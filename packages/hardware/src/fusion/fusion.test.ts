import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FusionArray, type FusionLayer, fusedProductsPerCycle } from "./array.js";
import { fusionBufferBits, fusionCost } from "./cost.js";

const array: FusionArray = {
  rows: 16,
  columns: 32,
  widestBits: 8,
  narrowestBits: 2,
  weightBufferBits: 65536 * 8,
  inputBufferBits: 32768 * 8,
  outputBufferBits: 16384 * 8,
  offChipBitsPerCycle: 4096,
};

const layer: FusionLayer = {
  name: "conv2_2_b",
  batch: 16,
  inputChannels: 128,
  outputChannels: 128,
  kernelSize: 3,
  outputSize: 56,
  stride: 1,
  activationBits: 4,
  weightBits: 4,
};

describe("an array of fused units", () => {
  it.each([
    [8, 8, 1],
    [4, 4, 4],
    [2, 2, 16],
    [8, 2, 4],
    [3, 5, 2],
    [1, 1, 16],
    [16, 16, 1 / 4],
    [16, 4, 1],
  ])("at %d × %d bits does %d products a cycle in a unit", (activations, weights, products) => {
    expect(fusedProductsPerCycle(array, activations, weights)).toBe(products);
  });

  it("computes ResNet-18's wide 3 × 3 layer in the published cycles", () => {
    // 7,398,752,256 products on 512 units of 4 (cost-model.md section 6.2).
    expect(fusionCost(layer, array).computeCycles).toBe(3_612_672);
  });

  it("is never faster than its units and its off-chip memory, and moves every tensor at least once", () => {
    const size = fc.integer({ min: 1, max: 40 });
    const layers = fc.record({
      name: fc.constant("layer"),
      batch: fc.integer({ min: 1, max: 4 }),
      inputChannels: size,
      outputChannels: size,
      kernelSize: fc.constantFrom(1, 3),
      outputSize: fc.integer({ min: 1, max: 12 }),
      stride: fc.constantFrom(1, 2),
      activationBits: fc.constantFrom(2, 4, 8),
      weightBits: fc.constantFrom(2, 4, 8),
      unrollsKernel: fc.boolean(),
    });
    fc.assert(
      fc.property(layers, fc.constantFrom(64, 4096), (each, offChipBitsPerCycle) => {
        const cost = fusionCost(each, { ...array, offChipBitsPerCycle });
        const inner = each.kernelSize ** 2 * each.inputChannels;
        const outputs = each.batch * each.outputSize ** 2 * each.outputChannels;
        const perCycle = 512 * fusedProductsPerCycle(array, each.activationBits, each.weightBits);
        expect(cost.computeCycles).toBeGreaterThanOrEqual((inner * outputs) / perCycle);
        const { bits } = cost;
        expect(cost.latencyCycles).toBeGreaterThanOrEqual(
          (bits.offChipReads + bits.offChipWrites) / offChipBitsPerCycle,
        );
        expect(bits.weightWrites).toBeGreaterThanOrEqual(inner * each.outputChannels * each.weightBits);
        expect(bits.offChipWrites).toBeGreaterThanOrEqual(outputs * 32);
        expect(fusionBufferBits(bits)).toBeGreaterThan(bits.weightWrites + bits.inputWrites);
      }),
      { numRuns: 40 },
    );
  });

  it("refuses what has no size, or no tile that fits", () => {
    expect(() => fusionCost({ ...layer, outputSize: 0 }, array)).toThrow("layer.outputSize: not a size");
    expect(() => fusionCost(layer, { ...array, outputBufferBits: 64 })).toThrow(
      "conv2_2_b: not even the smallest tile",
    );
  });
});
