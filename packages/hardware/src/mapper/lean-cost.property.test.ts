import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Halo } from "../analysis/walk.js";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import type { CostModel } from "../cost/cost.js";
import { prepareCost } from "../cost/evaluator.js";
import { createCandidate } from "../mapspace/candidate.js";
import { createMapspace } from "../mapspace/mapspace.js";
import { createRepairScratch } from "../mapspace/repair.js";
import { sampleMapping } from "../mapspace/sample.js";
import { convolutionProblem } from "../workload/layers.js";
import type { Problem } from "../workload/problem.js";
import { prepareLeanCost } from "./lean-cost.js";

const size = fc.integer({ min: 1, max: 12 });
const problems: fc.Arbitrary<Problem> = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    inputChannels: size,
    outputChannels: size,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: fc.integer({ min: 1, max: 3 }),
    kernelWidth: fc.integer({ min: 1, max: 3 }),
    strideHeight: fc.integer({ min: 1, max: 2 }),
    strideWidth: fc.integer({ min: 1, max: 3 }),
    dilationHeight: fc.integer({ min: 1, max: 2 }),
  })
  .map(convolutionProblem);

const fanout = fc.record({
  x: fc.integer({ min: 1, max: 5 }),
  y: fc.integer({ min: 1, max: 4 }),
  neighbourLinks: fc.boolean(),
});
const bandwidth = fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined });

const architectures: fc.Arbitrary<Architecture> = fc
  .record({
    entries: fc.integer({ min: 8, max: 400 }),
    spadEntries: fc.integer({ min: 2, max: 30 }),
    array: fanout,
    inner: fc.option(fanout),
    readBitsPerCycle: bandwidth,
    writeBitsPerCycle: bandwidth,
    sharedBitsPerCycle: bandwidth,
    clusterSize: fc.integer({ min: 1, max: 3 }),
    outermost: fc.subarray(["Weights", "Outputs"]),
  })
  .map(({ entries, spadEntries, array, inner, outermost, clusterSize, ...bits }) => {
    const levels = [
      { name: "DRAM", storage: { widthBits: 64, readPj: 100, writePj: 90 } },
      {
        name: "buffer",
        storage: { entries, widthBits: 24, wordBits: 8, readPj: 3, writePj: 2, updatePj: 2.5, ...bits },
      },
      { name: "array", fanout: array },
      {
        name: "spad",
        storage: { entries: spadEntries, widthBits: 12, readPj: 1, writePj: 0.7, leakagePjPerCycle: 0.01, clusterSize },
        ...(inner !== null && { fanout: inner }),
      },
    ];
    const constraints = { levels: [{ level: "DRAM", bypass: outermost }] };
    return readArchitecture(JSON.stringify({ name: "a", levels, compute: { energyPj: 0.3 }, constraints }));
  });

describe("the lean evaluator", () => {
  it("gives the figures of the plain one, bit for bit", () => {
    let valid = 0;
    const models = fc.record({
      model: fc.constant<CostModel>("timeloop"),
      neighbourLinks: fc.boolean(),
      elideFirstReads: fc.boolean(),
      leakage: fc.boolean(),
      halo: fc.constantFrom<Halo>("timeloop-default", "timeloop-full", "exact"),
    });
    fc.assert(
      fc.property(problems, architectures, models, fc.nat(), (problem, architecture, model, seed) => {
        const random = createRandomStream(seed);
        const plain = prepareCost(problem, architecture, model);
        const lean = prepareLeanCost(problem, architecture, model);
        const space = createMapspace(problem, architecture);
        const candidate = createCandidate(space.tables);
        const scratch = createRepairScratch(space);
        for (let draw = 0; draw < 10; draw++) {
          sampleMapping(space, random, candidate, scratch);
          const expected = plain.evaluate(candidate);
          expect(lean.evaluate(candidate)).toEqual(expected);
          if (expected.valid) valid++;
        }
      }),
      { numRuns: 200 },
    );
    expect(valid).toBeGreaterThan(500);
  });
});
