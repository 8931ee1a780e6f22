import { describe, expect, it } from "vitest";
import { parseMapping } from "../mapping/loopnest.js";
import { architecture, problem } from "../testing/eyeriss-168.js";
import { evaluateCost } from "./explain.js";

// The mapper benchmark of Timeloop's exercise 06 (timeloop-accelergy-exercises, commit 2d55108) on ResNet-18's 3×3 layer
// with 64 channels: what Timeloop 4cf6d4c found in 370 CPU seconds, and what a plain annealing found from there.

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
