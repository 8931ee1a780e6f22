import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { checkMapping } from "../analysis/analysis.js";
import { decodeMapping } from "../analysis/code.js";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import type { Problem } from "../workload/problem.js";
import { type Candidate, createCandidate } from "./candidate.js";
import { eachMapping } from "./enumerate.js";
import { createMapspace, type Mapspace } from "./mapspace.js";
import { createUniformSampler } from "./uniform.js";
import { dropUnitDimensions } from "./unit-dimensions.js";

const architecture = (bufferEntries: number, constraints = ""): Architecture =>
  readArchitecture(`
name: small
levels:
  - { name: DRAM, storage: { widthBits: 64, readPj: 100, writePj: 100 } }
  - { name: buffer, storage: { entries: ${bufferEntries}, widthBits: 64, readPj: 2, writePj: 2 }, fanout: { x: 3, y: 2 } }
  - { name: spad, storage: { entries: 6, widthBits: 8, readPj: 1, writePj: 1 } }
compute: { energyPj: 1 }
constraints:
  levels:
    - { level: buffer, keep: [Inputs], bypass: [Weights], spatialX: { permutation: ["*", M] } }
    - { level: spad, keep: [Weights], bypass: [Inputs, Outputs]${constraints} }
`);

function spaceOf(problem: Problem, on: Architecture): Mapspace {
  return createMapspace(dropUnitDimensions(problem), on);
}

const boundsKey = ({ bounds, keep }: Candidate): string => `${bounds.join()};${keep.join()}`;

/** Distinct bounds and keeping of all mappings that fit. */
function dealingsThatFit(space: Mapspace): Set<string> {
  const { problem, architecture: on } = space.tables;
  const candidate = createCandidate(space.tables);
  const fitting = new Set<string>();
  const seen = new Set<string>();
  eachMapping(space, candidate, () => {
    const key = boundsKey(candidate);
    if (!seen.has(key) && checkMapping(problem, on, decodeMapping(space.tables, candidate)).ok) fitting.add(key);
    seen.add(key);
    return true;
  });
  return fitting;
}

/** Pearson's statistic against equal frequencies, in standard deviations above its mean. */
function excessOfChiSquare(counts: readonly number[], draws: number): number {
  const expected = draws / counts.length;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

describe("uniform sampling", () => {
  const cases: [string, Problem, Architecture][] = [
    ["a product, memories hardly binding", matmulProblem({ rows: 2, inner: 4, columns: 6 }), architecture(6)],
    ["a product, memories binding", matmulProblem({ rows: 4, inner: 4, columns: 6 }), architecture(2)],
    [
      "a product, memories to be used",
      matmulProblem({ rows: 4, inner: 4, columns: 6 }),
      architecture(6, ", minUtilization: 0.5"),
    ],
    [
      "a convolution with a fixed factor",
      convolutionProblem({
        inputChannels: 2,
        outputChannels: 4,
        outputHeight: 2,
        outputWidth: 1,
        kernelHeight: 3,
        kernelWidth: 1,
      }),
      architecture(4, ", temporal: { factors: { C: 2 } }"),
    ],
  ];
  it.each(cases)("draws all mappings that fit equally often: %s", (_, problem, on) => {
    const space = spaceOf(problem, on);
    const fitting = dealingsThatFit(space);
    const sampler = createUniformSampler(space);
    const random = createRandomStream(5);
    const candidate = createCandidate(space.tables);
    const counts = new Map([...fitting].map((key) => [key, 0]));
    const draws = 40 * fitting.size;
    for (let draw = 0; draw < draws; draw++) {
      expect(sampler.draw(random, candidate)).toBe(true);
      const key = boundsKey(candidate);
      counts.set(key, counts.get(key)! + 1);
    }
    expect(counts.size).toBe(fitting.size);
    expect(fitting.size).toBeGreaterThan(20);
    // Beyond 5 standard deviations once in some million seeds; a sampler that favours a slot is off by hundreds.
    expect(Math.abs(excessOfChiSquare([...counts.values()], draws))).toBeLessThan(5);
  });

  it("draws all orders of a dealing equally often, as far as they are open", () => {
    const space = spaceOf(matmulProblem({ rows: 2, inner: 2, columns: 2 }), architecture(6));
    const sampler = createUniformSampler(space);
    const random = createRandomStream(6);
    const candidate = createCandidate(space.tables);
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 200_000; draw++) {
      sampler.draw(random, candidate);
      if (candidate.temporal.subarray(0, 3).some((bound) => bound !== 2)) continue;
      const order = candidate.temporalOrder.subarray(0, 3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const frequencies = [...counts.values()];
    expect(frequencies).toHaveLength(6);
    const total = frequencies.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(600);
    expect(Math.abs(excessOfChiSquare(frequencies, total))).toBeLessThan(5);
  });

  it("counts the dealings whose fan-outs hold", () => {
    const space = spaceOf(matmulProblem({ rows: 4, inner: 4, columns: 6 }), architecture(2));
    const keys = new Set<string>();
    const candidate = createCandidate(space.tables);
    eachMapping(space, candidate, () => {
      keys.add(candidate.bounds.join());
      return true;
    });
    expect(createUniformSampler(space).dealings).toBe(keys.size);
  });

  it("says so when nothing fits", () => {
    const space = spaceOf(
      matmulProblem({ rows: 2, inner: 7, columns: 7 }),
      architecture(4, ", temporal: { factors: { M: 7, C: 7 } }"),
    );
    expect(createUniformSampler(space, 50).draw(createRandomStream(1), createCandidate(space.tables))).toBe(false);
  });
});
