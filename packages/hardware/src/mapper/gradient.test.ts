import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkMapping } from "../analysis/analysis.js";
import { readArchitecture } from "../architecture/architecture.js";
import { eyerissLike } from "../architecture/families/eyeriss-like.js";
import { evaluateCost } from "../cost/explain.js";
import { createMapspace } from "../mapspace/mapspace.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import { mapLayerByGradient } from "./gradient.js";
import type { Objective } from "./objective.js";
import { mapLayerRandomly } from "./random.js";
import { createRelaxation } from "./relaxation.js";

const convolution = convolutionProblem({
  inputChannels: 32,
  outputChannels: 32,
  outputHeight: 14,
  outputWidth: 14,
  kernelHeight: 3,
  kernelWidth: 3,
});
const product = matmulProblem({ rows: 64, inner: 96, columns: 128 });

describe("the relaxed cost", () => {
  it("has the gradient that differences show", () => {
    const cases = fc.record({
      problem: fc.constantFrom(convolution, product),
      objective: fc.constantFrom<Objective>("edp", "energy", "latency"),
      seed: fc.nat(),
      spread: fc.double({ min: 0.1, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ problem, objective, seed, spread }) => {
        const space = createMapspace(problem, eyerissLike());
        const relaxation = createRelaxation(space, space.keep, { objective });
        const { parameters, gradient } = relaxation;
        const random = createRandomStream(seed);
        for (let index = 0; index < parameters.length; index++) parameters[index] = spread * random.normal();
        relaxation.differentiate();
        const expected = [...gradient];
        const at = (index: number, shift: number): number => {
          const kept = parameters[index]!;
          parameters[index] = kept + shift;
          const loss = relaxation.differentiate();
          parameters[index] = kept;
          return loss;
        };
        expected.forEach((slope, index) => {
          // Penalties begin with a kink in their second derivative only: the difference is exact to the step.
          expect((at(index, 1e-5) - at(index, -1e-5)) / 2e-5).toBeCloseTo(slope, 3);
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe("the search by gradient", () => {
  it("returns mappings that fit, the same for the same seed", () => {
    for (const problem of [convolution, product]) {
      const options = { evaluations: 60, objective: "edp" as const };
      const result = mapLayerByGradient(problem, eyerissLike(), { ...options, random: createRandomStream(3) });
      if (!result.ok) throw new Error(result.rejection.reason);
      expect(checkMapping(problem, eyerissLike(), result.mapping)).toEqual({ ok: true });
      expect(evaluateCost(problem, eyerissLike(), result.mapping)).toEqual(result.cost);
      expect(result.evaluations).toBe(60);
      expect(mapLayerByGradient(problem, eyerissLike(), { ...options, random: createRandomStream(3) })).toEqual(result);
    }
  });

  it("beats random mappings at equal effort", () => {
    for (const problem of [convolution, product]) {
      const edp = (search: typeof mapLayerByGradient, seed: number): number => {
        const result = search(problem, eyerissLike(), { random: createRandomStream(seed), evaluations: 200 });
        return result.ok ? result.cost.edpJouleCycles : Number.POSITIVE_INFINITY;
      };
      const median = (values: number[]): number => values.sort((a, b) => a - b)[1]!;
      const seeds = [1, 2, 3];
      expect(median(seeds.map((seed) => edp(mapLayerByGradient, seed)))).toBeLessThan(
        median(seeds.map((seed) => edp(mapLayerRandomly, seed))),
      );
    }
  });

  it("says why nothing fits", () => {
    const tiny = readArchitecture(`
name: tiny
levels:
  - { name: DRAM, storage: { widthBits: 8, readPj: 1, writePj: 1 } }
  - { name: spad, storage: { entries: 1, widthBits: 1, readPj: 1, writePj: 1 } }
compute: { energyPj: 1 }
constraints: { levels: [{ level: spad, keep: [Inputs] }] }
`);
    const result = mapLayerByGradient(product, tiny, { random: createRandomStream(1), evaluations: 5 });
    expect(result).toMatchObject({ ok: false, rejection: { reason: "capacity", level: "spad" } });
  });
});
