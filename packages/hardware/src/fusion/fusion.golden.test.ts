import { describe, expect, it } from "vitest";
import type { FusionArray, FusionLayer } from "./array.js";
import { fusionCost } from "./cost.js";

// Rows of Bit Fusion's simulator (hsharma35/bitfusion, commit 04ec1c8), 16 rows of fusion units, 16 images; the bounds are
// those of docs/models/bounds.md.

function array(columns: number, offChipBitsPerCycle: number): FusionArray {
  return {
    rows: 16,
    columns,
    widestBits: 8,
    narrowestBits: 2,
    weightBufferBits: 16384 * columns,
    inputBufferBits: 8192 * columns,
    outputBufferBits: 4096 * columns,
    offChipBitsPerCycle,
  };
}

function layer(
  [inputChannels, outputChannels]: readonly [number, number],
  [kernelSize, outputSize, stride]: readonly [number, number, number],
  bits: number,
  unrollsKernel = false,
): FusionLayer {
  const shape = { inputChannels, outputChannels, kernelSize, outputSize, stride };
  return { name: "layer", batch: 16, ...shape, activationBits: bits, weightBits: bits, unrollsKernel };
}

describe("Bit Fusion's rows", () => {
  // Name, layer, columns, off-chip bits a cycle; cycles, of them waiting, off-chip bits read and written.
  it.each([
    ["ResNet-18 conv2_1_b", layer([128, 128], [3, 56, 1], 4), 32, 4096, 3_612_693, 21, 1_336_475_648, 411_041_792],
    ["ResNet-18 conv3_1_a", layer([128, 256], [1, 28, 2], 4), 32, 192, 1_104_555, 903_851, 109_314_048, 102_760_448],
    ["ResNet-18 conv5_2_b", layer([1024, 1024], [3, 7, 1], 4), 256, 4096, 451_819, 235, 564_396_032, 411_041_792],
    ["AlexNet conv1_a", layer([3, 96], [11, 55, 4], 8, true), 64, 4096, 2_226_475, 75, 339_082_624, 198_246_400],
    ["AlexNet fc3", layer([8192, 1000], [1, 1, 1], 8), 32, 192, 398_679, 136_535, 72_351_744, 4_194_304],
  ] as const)("%s", (_, shape, columns, bandwidth, cycles, waiting, reads, writes) => {
    const cost = fusionCost(shape, array(columns, bandwidth));
    expect(Math.abs(cost.latencyCycles / cycles - 1)).toBeLessThanOrEqual(0.01);
    expect(Math.abs(cost.computeCycles / (cycles - waiting) - 1)).toBeLessThanOrEqual(0.01);
    const offChip = cost.bits.offChipReads + cost.bits.offChipWrites;
    expect(Math.abs(offChip / (reads + writes) - 1)).toBeLessThanOrEqual(0.25);
  });
});
