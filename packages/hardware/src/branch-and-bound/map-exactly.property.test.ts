import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Halo } from "../analysis/walk.js";
import {
  type Architecture,
  type ArchitectureLevel,
  type Fanout,
  readArchitecture,
} from "../architecture/architecture.js";
import { ANY_ORDER, type LevelConstraints, type LoopConstraints } from "../architecture/constraints.js";
import { mapLayerExhaustively } from "../mapper/exhaustive.js";
import type { Objective } from "../mapper/objective.js";
import { createCandidate } from "../mapspace/candidate.js";
import { eachMapping } from "../mapspace/enumerate.js";
import { createMapspace } from "../mapspace/mapspace.js";
import { dropUnitDimensions } from "../mapspace/unit-dimensions.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import type { Problem } from "../workload/problem.js";
import { mapLayerExactly } from "./map-exactly.js";

// The referee tries every mapping with the plain cost model.

/** Most mappings that the referee tries. */
const SMALL = Number(process.env.DOVETAIL_SMALL_MAPSPACE ?? 5000);

const size = fc.constantFrom(1, 1, 1, 2, 2, 3, 4, 6);
const convolutions: fc.Arbitrary<Problem> = fc
  .record({
    inputChannels: size,
    outputChannels: size,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: fc.integer({ min: 1, max: 3 }),
    kernelWidth: fc.integer({ min: 1, max: 3 }),
    strideHeight: fc.integer({ min: 1, max: 2 }),
    strideWidth: fc.integer({ min: 1, max: 3 }),
    dilationWidth: fc.integer({ min: 1, max: 2 }),
    batch: fc.constantFrom(1, 1, 2),
  })
  .map(convolutionProblem);
const depthwise: fc.Arbitrary<Problem> = fc
  .record({ groups: fc.integer({ min: 2, max: 4 }), size, kernel: size })
  .map(({ groups, size: pixels, kernel }) =>
    convolutionProblem({
      inputChannels: groups,
      outputChannels: groups,
      groups,
      outputHeight: pixels,
      outputWidth: 2,
      kernelHeight: kernel,
      kernelWidth: 1,
    }),
  );
const products = fc
  .record({ groups: fc.integer({ min: 1, max: 2 }), rows: size, inner: size, columns: size })
  .map(matmulProblem);
const term = (dimension: string) => ({ coefficient: 1, dimension });
/** A dimension in two ranks, and a rank of three: shapes of which the bounds know little. */
const oddShapes: fc.Arbitrary<Problem> = fc.record({ a: size, b: size, c: size }).map(({ a, b, c }) => ({
  name: "odd",
  dimensions: { M: a, P: b, R: c, C: 2 },
  dataSpaces: [
    { name: "Weights", readWrite: false, bitWidth: 8, projection: [[term("M")], [term("M"), term("C")]] },
    { name: "Inputs", readWrite: false, bitWidth: 8, projection: [[term("P"), term("R"), term("C")]] },
    { name: "Outputs", readWrite: true, bitWidth: 16, projection: [[{ coefficient: 2, dimension: "M" }], [term("P")]] },
  ],
}));

const dimensions = ["N", "G", "M", "C", "P", "Q", "R", "S"];
const loops: fc.Arbitrary<LoopConstraints> = fc.record(
  {
    dimensions: fc.subarray(dimensions, { minLength: 3 }),
    permutation: fc.shuffledSubarray([...dimensions, ANY_ORDER], { minLength: 1 }),
  },
  { requiredKeys: [] },
);
const keeping = (level: string, tensors: readonly string[]): fc.Arbitrary<LevelConstraints> =>
  fc.record(
    {
      level: fc.constant(level),
      bypass: fc.subarray([...tensors]),
      minUtilization: fc.constantFrom(0, 0, 0, 0.25),
      multipleBuffering: fc.constantFrom(1, 1, 2),
      temporal: loops,
      spatialX: loops,
      spatialY: loops,
    },
    { requiredKeys: ["level"] },
  );
const energies = fc.record({
  readPj: fc.constantFrom(1, 2.5, 6),
  writePj: fc.constantFrom(1, 3),
  updatePj: fc.constantFrom(1, 4),
});
const fanouts: fc.Arbitrary<Fanout> = fc.record({
  x: fc.integer({ min: 1, max: 4 }),
  y: fc.integer({ min: 1, max: 3 }),
  neighbourLinks: fc.boolean(),
});

const architectures: fc.Arbitrary<Architecture> = fc
  .record({
    outer: energies,
    buffer: energies,
    bufferEntries: fc.integer({ min: 4, max: 60 }),
    readBits: fc.constantFrom(undefined, 2, 8),
    sharedBits: fc.constantFrom(undefined, 4),
    spad: energies,
    spadEntries: fc.integer({ min: 2, max: 12 }),
    array: fanouts,
    innerArray: fc.option(fanouts),
    hasArrayLevel: fc.boolean(),
    keep: fc.subarray(["Weights", "Inputs", "Outputs"], { minLength: 1 }),
    constraints: fc.tuple(keeping("buffer", ["Weights", "Outputs"]), keeping("spad", ["Inputs"])),
    leakagePjPerCycle: fc.constantFrom(0, 0.5),
    minComputeUtilization: fc.constantFrom(0, 0, 0.4),
  })
  .map((draw) => {
    const levels: ArchitectureLevel[] = [
      {
        name: "DRAM",
        storage: { widthBits: 32, wordBits: 8, ...draw.outer, readPj: 60, readBitsPerCycle: draw.readBits },
      },
      {
        name: "buffer",
        storage: { entries: draw.bufferEntries, widthBits: 16, ...draw.buffer, sharedBitsPerCycle: draw.sharedBits },
        ...(!draw.hasArrayLevel && { fanout: draw.array }),
      },
      ...(draw.hasArrayLevel ? [{ name: "array", fanout: draw.array }] : []),
      {
        name: "spad",
        storage: { entries: draw.spadEntries, widthBits: 16, ...draw.spad, leakagePjPerCycle: draw.leakagePjPerCycle },
        ...(draw.innerArray !== null && { fanout: draw.innerArray }),
      },
    ];
    const constraints = {
      minComputeUtilization: draw.minComputeUtilization,
      levels: [{ level: "DRAM", keep: draw.keep }, ...draw.constraints],
    };
    return readArchitecture(JSON.stringify({ name: "a", levels, compute: { energyPj: 1 }, constraints }));
  });

/** Number of mappings in a mapspace, or more than `SMALL`. */
function countMappings(problem: Problem, architecture: Architecture): number {
  const space = createMapspace(dropUnitDimensions(problem), architecture);
  let count = 0;
  eachMapping(space, createCandidate(space.tables), () => ++count <= SMALL);
  return count;
}

const options = fc.record({
  objective: fc.constantFrom<Objective>("edp", "energy", "latency"),
  neighbourLinks: fc.boolean(),
  elideFirstReads: fc.boolean(),
  leakage: fc.boolean(),
  halo: fc.constantFrom<Halo>("timeloop-default", "timeloop-full"),
});

const runs = Number(process.env.DOVETAIL_PROPERTY_RUNS ?? 250);

describe("the exact mapper", () => {
  it("finds the optimum that trying every mapping finds, with and without a first mapping", () => {
    let compared = 0;
    let fitted = 0;
    const problems = fc.oneof(
      { weight: 6, arbitrary: convolutions },
      { weight: 1, arbitrary: depthwise },
      { weight: 2, arbitrary: products },
      { weight: 1, arbitrary: oddShapes },
    );
    fc.assert(
      fc.property(problems, architectures, options, fc.nat(), (problem, architecture, model, seed) => {
        const mappings = countMappings(problem, architecture);
        fc.pre(mappings > 1 && mappings <= SMALL);
        compared++;
        const settings = { ...model, random: createRandomStream(seed) };
        const referee = mapLayerExhaustively(problem, architecture, { ...settings, evaluations: SMALL + 1 });
        const exact = mapLayerExactly(problem, architecture, { ...settings, evaluations: seed % 2 === 0 ? 0 : 20 });
        expect(exact.proven).toBe(true);
        expect(exact.ok).toBe(referee.ok);
        if (!exact.ok || !referee.ok) return;
        fitted++;
        const least = referee.trace.at(-1)!.value;
        expect(exact.trace.at(-1)!.value).toBeCloseTo(least, 9 - Math.ceil(Math.log10(least)));
        expect(exact.lowerBound).toBeCloseTo(least, 9 - Math.ceil(Math.log10(least)));
      }),
      { numRuns: runs },
    );
    expect(compared).toBe(runs);
    expect(fitted).toBeGreaterThan(runs / 2);
  }, 600_000);
});
