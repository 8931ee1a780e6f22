import { describe, expect, it } from "vitest";
import { fpgaBoards, memoryBlocks, productsPerSlice } from "./board.js";
import { correctedModel, pipelineOffChipBytes } from "./corrected-model.js";
import { fpgaTemplate } from "./corrected-template.js";
import type { ChunkDesign } from "./design.js";
import { chunkFootprint, evaluatePipeline } from "./evaluate.js";
import type { FpgaLayer } from "./layer.js";
import { createFpgaSolver } from "./solve.js";
import { dealLayers } from "./template.js";

const convolution: FpgaLayer = {
  name: "conv",
  kind: "standard",
  inputChannels: 20,
  outputChannels: 40,
  outputHeight: 10,
  outputWidth: 10,
  kernelHeight: 3,
  kernelWidth: 3,
  stride: 2,
  bitWidth: 8,
};
const depthwise: FpgaLayer = { ...convolution, name: "dw", kind: "depthwise", inputChannels: 40 };
const design: ChunkDesign = {
  parallelism: "channels",
  tileRows: 8,
  tileColumns: 16,
  tileOutputChannels: 32,
  tileInputChannels: 8,
  unrollRows: 1,
  unrollColumns: 1,
  unrollOutputChannels: 8,
  unrollInputChannels: 4,
};
const model = correctedModel({ dspSlice: "DSP48E1" });

function resources(layer: FpgaLayer, chunkDesign: ChunkDesign) {
  return model.resources(chunkFootprint({ kind: layer.kind, bitWidth: 8, layers: [layer] }), chunkDesign);
}

describe("corrected chunk model, worked by hand", () => {
  it("standard convolution, channels in parallel", () => {
    // Tiles: rows ⌈10/8⌉ = 2 of 5, columns 1 of 10, outputs ⌈40/32⌉ = 2 of 20, inputs ⌈20/8⌉ = 3 of 7.
    const compute = 5 * 10 * Math.ceil(20 / 8) * Math.ceil(7 / 4) * 9;
    const input = Math.ceil((7 * (4 * 2 + 3) * (9 * 2 + 3) * 8) / 64);
    const weights = Math.ceil((20 * 7 * 9 * 8) / 64);
    const output = Math.ceil((20 * 5 * 10 * 8) / 64) + 5 * 10 * Math.ceil(20 / 8);
    expect(model.layerCycles(convolution, design)).toBe(4 * (output + 3 * (Math.max(compute, input) + weights)));
    // Input 17 × 33 × 2 rows of 32 bit, twice; weights 4 · 2 · 9 rows of 256 bit; sums 8 · 16 · 4 rows of 256 bit.
    const bram = 2 * Math.ceil((17 * 33 * 2) / 512) + Math.ceil(256 / 36) + Math.ceil(256 / 36);
    expect(resources(convolution, design)).toEqual({ dsp: 32, bram });
  });

  it("standard convolution, rows in parallel", () => {
    const rows: ChunkDesign = {
      ...design,
      parallelism: "rows",
      unrollRows: 4,
      unrollOutputChannels: 1,
      unrollInputChannels: 1,
    };
    const compute = 20 * 7 * 10 * Math.ceil(5 / 4) * 9;
    const weights = Math.ceil((20 * 7 * 9 * 8) / (16 * 3));
    const output = Math.ceil((20 * 5 * 10 * 8) / 64) + 20 * 10 * Math.ceil(5 / 4);
    expect(model.layerCycles(convolution, rows)).toBe(4 * (output + 3 * (compute + weights)));
    const bram = 2 * memoryBlocks(33 * 8, 17 * 8) + memoryBlocks(3 * 32 * 8, 3 * 8) + memoryBlocks(2 * 16 * 32, 4 * 32);
    expect(resources(convolution, rows)).toEqual({ dsp: 4, bram });
  });

  it("depth-wise convolution, rows in parallel: the input buffer holds all channels of the tile", () => {
    const rows: ChunkDesign = {
      ...design,
      parallelism: "rows",
      tileInputChannels: 1,
      unrollRows: 4,
      unrollInputChannels: 1,
    };
    const bram = 2 * memoryBlocks(33 * 32, 17 * 8) + memoryBlocks(3 * 32, 3 * 8) + memoryBlocks(2 * 16 * 32, 4 * 32);
    expect(resources(depthwise, rows).bram).toBe(bram);
    const input = Math.ceil((20 * 11 * 21 * 8) / 64);
    const compute = 20 * 10 * Math.ceil(5 / 4) * 9;
    const weights = Math.ceil((20 * 9 * 8) / (16 * 3));
    const output = Math.ceil((20 * 50 * 8) / 64) + 20 * 10 * Math.ceil(5 / 4);
    expect(model.layerCycles(depthwise, rows)).toBe(4 * (Math.max(compute, input) + weights + output));
  });

  it("a linear layer takes no whole tile", () => {
    const linear = { ...convolution, outputHeight: 1, outputWidth: 1, kernelHeight: 1, kernelWidth: 1, stride: 1 };
    const large = model.layerCycles(linear, design);
    expect(model.layerCycles(linear, { ...design, tileRows: 1, tileColumns: 1 })).toBe(large);
  });

  it("moves at least every tensor once", () => {
    const template = fpgaTemplate({ board: fpgaBoards.ZC706 });
    const layers = [convolution];
    const result = evaluatePipeline(template, dealLayers(template, layers, 1), [design]);
    const inputs = 2 * (7 * 11 * 21) * 3 * 2;
    const weights = 2 * 2 * 3 * (20 * 7 * 9);
    expect(pipelineOffChipBytes(layers, result)).toBe(inputs + weights + 40 * 100);
    expect(pipelineOffChipBytes(layers, result)).toBeGreaterThan(20 * 40 * 9 + 40 * 100);
  });
});

describe("multiplier slices", () => {
  it("pack two narrow products that share an operand, on DSP48E2 only", () => {
    expect(productsPerSlice("DSP48E2", 8)).toBe(2);
    expect(productsPerSlice("DSP48E2", 9)).toBe(1);
    expect(productsPerSlice("DSP48E1", 4)).toBe(1);
    const packing = correctedModel({ dspSlice: "DSP48E2" });
    const standard = chunkFootprint({ kind: "standard", bitWidth: 8, layers: [convolution] });
    const channelwise = chunkFootprint({ kind: "depthwise", bitWidth: 8, layers: [depthwise] });
    expect(packing.resources(standard, design).dsp).toBe(16);
    const outputs: ChunkDesign = { ...design, parallelism: "outputChannels" };
    expect(packing.resources(standard, outputs).dsp).toBe(4);
    // Each channel of a depth-wise layer has a pixel and a weight of its own.
    expect(packing.resources(channelwise, { ...outputs, tileInputChannels: 1 }).dsp).toBe(8);
  });
});

describe("solver on a board", () => {
  const solver = createFpgaSolver(fpgaTemplate({ board: fpgaBoards.ZC706 }));
  const layers = [convolution, depthwise];

  it("reports per chunk what adds up to the whole", () => {
    const solution = solver.solve(layers, fpgaBoards.ZC706);
    if (!solution.feasible) throw new Error("two small layers fit on a ZC706");
    expect(solution.chunks.map((chunk) => chunk.name).sort()).toEqual(["a0q8", "dwa0q8"]);
    expect(solution.framesPerSecond).toBe(200e6 / Math.max(...solution.chunks.map((chunk) => chunk.cycles)));
    expect(solution.dsp).toBe(solution.chunks.reduce((sum, chunk) => sum + chunk.dsp, 0));
    const cycles = solution.chunks.reduce((sum, chunk) => sum + chunk.cycles, 0);
    expect(solution.imageLatencySeconds).toBeCloseTo(cycles / 200e6, 12);
  });

  it("says so when nothing fits", () => {
    expect(solver.solve(layers, { dsp: 1, bram: 900 })).toEqual({ feasible: false });
  });

  it.each([
    [{ ...convolution, outputChannels: 0 }, /conv\.outputChannels.*a positive integer, received 0/],
    [{ ...convolution, stride: 1.5 }, /conv\.stride.*received 1\.5/],
    [{ ...convolution, groups: 3 }, /conv\.groups.*a divisor of 20 and 40/],
    [{ ...depthwise, groups: 40 }, /dw\.groups.*none on a depth-wise layer/],
    [{ ...convolution, bitWidth: 32 }, /conv\.bitWidth.*1 to 16/],
  ])("refuses a layer that makes no sense", (layer, message) => {
    expect(() => solver.solve([layer], fpgaBoards.ZC706)).toThrow(message);
  });
});
