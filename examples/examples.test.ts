import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

// The examples as they stand: importing one runs it.

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(...line.split("\n")));
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("examples", () => {
  it("differentiate-a-graph fits the line that the points lie on", async () => {
    await import("./differentiate-a-graph.js");
    expect(lines).toEqual(["19 nodes", "step 1: loss 33.0000", "step 200: loss 0.0000", "y = 2.000·x + 1.000"]);
  });

  it("map-a-layer finds a mapping on both accelerators and says what it costs", async () => {
    await import("./map-a-layer.js");
    for (const name of ["eyeriss-like-12x14", "eyeriss-like-8x16"]) {
      expect(lines).toContain(`${name}, 1000 mappings tried`);
    }
    const totals = lines.filter((line) => line.includes("utilization, limited by"));
    expect(totals).toHaveLength(2);
    const latencies = totals.map((line) => Number(/ (\d+) cycles/.exec(line)![1]));
    // 16·32·16·16·9 multiply-accumulates on 168 and on 128 units.
    expect(latencies[0]).toBeGreaterThanOrEqual(Math.ceil(1_179_648 / 168));
    expect(latencies[1]).toBeGreaterThanOrEqual(1_179_648 / 128);
    expect(lines.filter((line) => line === "exact loop nest, version 1")).toHaveLength(2);
  });

  it("fpga-pipeline finds the board's optimum", async () => {
    await import("./fpga-pipeline.js");
    expect(lines).toEqual([
      "5078 frames/s, 768 of 900 DSP slices",
      "a0q8: 3 layers, 39384 cycles, 256 DSP, 80 BRAM, parallel over channels, tile 32×16×16×16",
      "a1q8: 7 layers, 36719 cycles, 512 DSP, 151 BRAM, parallel over channels, tile 64×16×8×8",
    ]);
  });

  it("quantize-and-export makes a smaller file that predicts the same", async () => {
    await import("./quantize-and-export.js");
    expect(lines).toEqual([
      "float32: 317 KiB",
      "8 bit: 106 KiB",
      "the same class for more than 90 % of 200 test images: true",
    ]);
  });
});
