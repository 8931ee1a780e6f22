import { describe, expect, it } from "vitest";
import { readArchitecture } from "../architecture/architecture.js";
import { parseMapping } from "../mapping/loopnest.js";
import { readProblem } from "../workload/problem.js";
import { deriveTraffic, printDerivation } from "./derivation.js";

// Timeloop's exercise 04, filters in parallel: a tile of 16 outputs slides over 18 inputs.

const problem = readProblem(`
name: convolution
dimensions: { C: 32, K: 32, R: 3, P: 16 }
dataSpaces:
  - { name: Weights, projection: [C, K, R] }
  - { name: Inputs, projection: [C, R + P] }
  - { name: Outputs, readWrite: true, projection: [K, P] }
`);

const architecture = readArchitecture(`
name: exercise
levels:
  - { name: memory, storage: { widthBits: 8, readPj: 1, writePj: 1 }, fanout: { x: 16 } }
  - { name: buffer, storage: { widthBits: 8, readPj: 1, writePj: 1 } }
  - { name: registers, storage: { widthBits: 8, readPj: 1, writePj: 1 } }
compute: { energyPj: 1 }
`);

const mapping = parseMapping(`
memory keeps Weights, Inputs, Outputs
spatial x for K in 0..16
buffer keeps Weights, Inputs, Outputs
for C in 0..32
for K in 0..2
for R in 0..3
registers keeps Weights, Inputs, Outputs
for P in 0..16`);

describe("derivation of a count", () => {
  it("adds up loop by loop", () => {
    const derivation = deriveTraffic(problem, architecture, mapping, { level: "buffer", dataSpace: "Inputs" });
    expect(printDerivation(derivation).split("\n")).toEqual([
      "Inputs below buffer: 1152 words per child, 1152 accesses",
      "  first tile: 1 (C) × 16 (R + P) = 16 words",
      "  C 0..32 at buffer: moves by (1, -1), 16 words × 31 times",
      "  K 0..2 at buffer: moves by (0, -1), 16 words × 32 times",
      "  R 0..3 at buffer: moves by (0, 1), 1 words × 128 times",
      "  1 child with 1 different tile",
    ]);
  });

  it("tells multicast from distinct tiles", () => {
    const inputs = deriveTraffic(problem, architecture, mapping, { level: "memory", dataSpace: "Inputs" });
    expect([inputs.children, inputs.classes, inputs.accesses]).toEqual([16, 1, 576]);
    const weights = deriveTraffic(problem, architecture, mapping, { level: "memory", dataSpace: "Weights" });
    expect([weights.children, weights.classes, weights.accesses]).toEqual([16, 16, 3072]);
  });

  it("reuses in every direction in exact mode", () => {
    const exact = deriveTraffic(problem, architecture, mapping, {
      level: "buffer",
      dataSpace: "Inputs",
      halo: "exact",
    });
    expect(exact.steps.map(({ move, wordsPerStep }) => [move, wordsPerStep])).toEqual([
      [[1, -2], 16],
      [[0, -2], 2],
      [[0, 1], 1],
    ]);
  });

  it("names what is not there", () => {
    expect(() => deriveTraffic(problem, architecture, mapping, { level: "cache", dataSpace: "Inputs" })).toThrow(
      "there is no such count: received Inputs at cache",
    );
  });
});
