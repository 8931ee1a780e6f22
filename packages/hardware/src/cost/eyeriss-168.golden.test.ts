import { describe, expect, it } from "vitest";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import { parseMapping } from "../mapping/loopnest.js";
import { convolutionProblem } from "../workload/layers.js";
import { evaluateCost } from "./explain.js";

// The mapper benchmark of Timeloop's exercise 06 (timeloop-accelergy-exercises, commit 2d55108) on ResNet-18's 3×3 layer
// with 64 channels: what Timeloop 4cf6d4c found in 370 CPU seconds, and what a plain annealing found from there.

const problem = convolutionProblem({
  inputChannels: 64,
  outputChannels: 64,
  outputHeight: 56,
  outputWidth: 56,
  kernelHeight: 3,
  kernelWidth: 3,
});

const architecture: Architecture = readArchitecture(`
name: eyeriss-168
levels:
  - { name: DRAM, storage: { widthBits: 64, wordBits: 8, readPj: 512, writePj: 512 } }
  - name: buffer
    storage:
      { entries: 16384, widthBits: 64, wordBits: 8, readPj: 18.183829, writePj: 14.137929, readBitsPerCycle: 128, writeBitsPerCycle: 128 }
  - { name: columns, fanout: { x: 14 } }
  - { name: rows, fanout: { y: 12 } }
  - name: inputs
    storage:
      { entries: 12, widthBits: 16, wordBits: 8, readPj: 0.202442, writePj: 0.176713, readBitsPerCycle: 16, writeBitsPerCycle: 16 }
  - name: weights
    storage:
      { entries: 192, widthBits: 16, wordBits: 8, readPj: 1.976602, writePj: 1.881657, readBitsPerCycle: 16, writeBitsPerCycle: 16 }
  - name: partialSums
    storage:
      { entries: 16, widthBits: 16, wordBits: 16, readPj: 0.2513, writePj: 0.2191, readBitsPerCycle: 32, writeBitsPerCycle: 32 }
compute: { energyPj: 0.207692 }
`);

/** The levels' tensors are fixed; only loops differ. */
function mapping(loops: Record<string, string>) {
  const keeps = {
    DRAM: "Weights, Inputs, Outputs",
    buffer: "Inputs, Outputs",
    columns: "-",
    rows: "-",
    inputs: "Inputs",
    weights: "Weights",
    partialSums: "Outputs",
  };
  const prefix: Record<string, string> = { columns: "spatial x ", rows: "spatial y " };
  const lines = Object.entries(keeps).flatMap(([level, keep]) => [
    `${level} keeps ${keep}`,
    ...(loops[level] ?? "")
      .split(" ")
      .filter(Boolean)
      .map((loop) => `${prefix[level] ?? ""}for ${loop[0]} in 0..${loop.slice(1)}`),
  ]);
  return parseMapping(lines.join("\n"));
}

describe("Eyeriss with 168 units", () => {
  it.each([
    {
      who: "Timeloop's best",
      loops: {
        DRAM: "P2 C4",
        buffer: "M4 C2 Q4 R3 P28",
        columns: "Q14",
        rows: "M4 S3",
        weights: "C8",
        partialSums: "M4",
      },
      cycles: 729_344,
      energyUj: 295.0,
      edp: 215.2,
    },
    {
      who: "annealing's best",
      loops: {
        DRAM: "Q2 C4",
        buffer: "Q4 P56",
        columns: "M2 Q7",
        rows: "M2 C2 S3",
        weights: "R3 C8",
        partialSums: "M16",
      },
      cycles: 688_128,
      energyUj: 241.957,
      edp: 166.5,
    },
  ])("costs $who as published", ({ loops, cycles, energyUj, edp }) => {
    const cost = evaluateCost(problem, architecture, mapping(loops), { model: "timeloop" });
    if (!cost.ok) throw new Error(`${cost.reason} ${cost.level}`);
    expect(cost.latencyCycles).toBe(cycles);
    expect(Math.abs(cost.energyPj * 1e-6 - energyUj)).toBeLessThan(0.05);
    expect(Math.abs(cost.edpJouleCycles - edp)).toBeLessThan(0.05);
  });
});
