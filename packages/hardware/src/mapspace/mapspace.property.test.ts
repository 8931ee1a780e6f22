import { createRandomStream, type RandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkMapping } from "../analysis/analysis.js";
import { decodeMapping } from "../analysis/code.js";
import { type Architecture, type Fanout, readArchitecture, type Storage } from "../architecture/architecture.js";
import { ANY_ORDER, type LevelConstraints, type LoopConstraints } from "../architecture/constraints.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import { convolutionProblem } from "../workload/layers.js";
import { dataSpaceWords, type Problem } from "../workload/problem.js";
import { adoptMapping } from "./adopt.js";
import { type Candidate, createCandidate } from "./candidate.js";
import { construct } from "./construct.js";
import { crossDimensions, crossLevels } from "./crossover.js";
import { createMapspace, type Mapspace } from "./mapspace.js";
import { exchangeFactors, flipKeep, moveFactor, moveLoop } from "./moves.js";
import { createRepairScratch, repair } from "./repair.js";
import { sampleMapping } from "./sample.js";
import { listSpatialSplits } from "./spatial.js";
import { dropUnitDimensions } from "./unit-dimensions.js";

const dimensions = ["N", "M", "C", "P", "Q", "R", "S"];
const tensors = ["Weights", "Inputs", "Outputs"];

const problems: fc.Arbitrary<Problem> = fc
  .record({
    inputChannels: fc.integer({ min: 1, max: 24 }),
    outputChannels: fc.integer({ min: 1, max: 24 }),
    outputHeight: fc.integer({ min: 1, max: 12 }),
    outputWidth: fc.integer({ min: 1, max: 12 }),
    kernelHeight: fc.integer({ min: 1, max: 3 }),
    kernelWidth: fc.integer({ min: 1, max: 3 }),
    strideHeight: fc.integer({ min: 1, max: 2 }),
  })
  .map(convolutionProblem);

const storages = (entries: fc.Arbitrary<number>): fc.Arbitrary<Storage> =>
  entries.map((count) => ({ entries: count, widthBits: 32, readPj: 1, writePj: 1 }));
const fanouts: fc.Arbitrary<Fanout> = fc.record({
  x: fc.integer({ min: 1, max: 7 }),
  y: fc.integer({ min: 1, max: 6 }),
  neighbourLinks: fc.boolean(),
});

const orders = fc.shuffledSubarray([...dimensions, ANY_ORDER], { minLength: 1 });
const loops: fc.Arbitrary<LoopConstraints> = fc.record(
  { dimensions: fc.subarray(dimensions, { minLength: 4 }), permutation: orders },
  { requiredKeys: [] },
);
const levelConstraints = (level: string): fc.Arbitrary<LevelConstraints> =>
  fc.record(
    {
      level: fc.constant(level),
      keep: fc.constant(["Inputs"]),
      bypass: fc.subarray(["Weights", "Outputs"]),
      temporal: loops,
      spatialX: loops,
      spatialY: loops,
    },
    { requiredKeys: ["level"] },
  );

const architectures: fc.Arbitrary<Architecture> = fc
  .record({
    buffer: storages(fc.integer({ min: 4, max: 2000 })),
    array: fanouts,
    spad: storages(fc.integer({ min: 1, max: 60 })),
    inner: fanouts,
    constraints: fc.tuple(levelConstraints("buffer"), levelConstraints("array"), levelConstraints("spad")),
    outermost: orders,
  })
  .map(({ buffer, array, spad, inner, constraints, outermost }) => {
    const levels = [
      { name: "DRAM", storage: { widthBits: 64, readPj: 100, writePj: 100 } },
      { name: "buffer", storage: buffer },
      { name: "array", fanout: array },
      { name: "spad", storage: spad, fanout: inner },
    ];
    const dram = { level: "DRAM", temporal: { permutation: outermost } };
    const document = { name: "a", levels, compute: { energyPj: 1 }, constraints: { levels: [dram, ...constraints] } };
    return readArchitecture(JSON.stringify(document));
  });

/** Everything that holds for a candidate whether it fits or not. */
function expectInSpace(space: Mapspace, candidate: Candidate): void {
  const { tables } = space;
  const mapping = decodeMapping(tables, candidate);
  tables.dimensionNames.forEach((name, dimension) => {
    const bounds = mapping.levels
      .flatMap((level) => [...level.temporal, ...level.spatialX, ...level.spatialY])
      .flatMap((loop) => (loop.dimension === name ? [loop.bound] : []));
    expect(bounds.reduce((product, bound) => product * bound, 1)).toBe(tables.sizes[dimension]);
  });
  expectConstraints(tables.architecture, mapping);
}

function expectConstraints(architecture: Architecture, mapping: Mapping): void {
  for (const constraint of architecture.constraints!.levels!) {
    const level = mapping.levels.find((entry) => entry.level === constraint.level)!;
    const isMemory = architecture.levels.find((entry) => entry.name === level.level)!.storage !== undefined;
    if (isMemory) expect(level.keep).toEqual(expect.arrayContaining([...(constraint.keep ?? [])]));
    for (const tensor of constraint.bypass ?? []) expect(level.keep).not.toContain(tensor);
    expectLoops(level.temporal, constraint.temporal);
    expectLoops(level.spatialX, constraint.spatialX);
    expectLoops(level.spatialY, constraint.spatialY);
  }
}

function expectLoops(actual: readonly Loop[], constraint: LoopConstraints = {}): void {
  const names = actual.map((loop) => loop.dimension);
  if (constraint.dimensions) expect(constraint.dimensions).toEqual(expect.arrayContaining(names));
  const { permutation } = constraint;
  if (permutation === undefined) return;
  const places = names.map((name) => permutation.indexOf(permutation.includes(name) ? name : ANY_ORDER));
  expect(places).toEqual([...places].sort((a, b) => a - b));
}

/** A repaired candidate fits by the independent check, one that could not be repaired does not. */
function expectRepair(space: Mapspace, problem: Problem, candidate: Candidate, fits: boolean): void {
  expectInSpace(space, candidate);
  const { tables } = space;
  const kept = tensors.every((_, tensor) => candidate.keep.some((keep, cell) => keep === 1 && cell % 3 === tensor));
  expect(kept).toBe(true);
  expect(checkMapping(problem, tables.architecture, decodeMapping(tables, candidate)).ok).toBe(fits);
}

const moves = [moveFactor, exchangeFactors, moveLoop, flipKeep];

function withSpace(check: (space: Mapspace, problem: Problem, random: RandomStream) => void): void {
  fc.assert(
    fc.property(problems, architectures, fc.nat(), (problem, architecture, seed) => {
      const space = createMapspace(dropUnitDimensions(problem), architecture);
      if (space.obstacle === undefined) check(space, problem, createRandomStream(seed));
    }),
    { numRuns: 150 },
  );
}

describe("mapspace", () => {
  it("samples mappings that fit, or says that they do not", () => {
    withSpace((space, problem, random) => {
      const candidate = createCandidate(space.tables);
      const scratch = createRepairScratch(space);
      for (let draw = 0; draw < 5; draw++) {
        const fits = sampleMapping(space, random, candidate, scratch);
        expectRepair(space, problem, candidate, fits);
      }
    });
  });

  it("changes mappings within the space", () => {
    withSpace((space, problem, random) => {
      const candidate = createCandidate(space.tables);
      const scratch = createRepairScratch(space);
      sampleMapping(space, random, candidate, scratch);
      for (const move of random.shuffle([...moves, ...moves])) {
        const before = JSON.stringify(decodeMapping(space.tables, candidate));
        const moved = move(space, random, candidate);
        expectInSpace(space, candidate);
        if (!moved) expect(JSON.stringify(decodeMapping(space.tables, candidate))).toBe(before);
        const fits = repair(space, random, candidate, scratch);
        expectRepair(space, problem, candidate, fits);
      }
    });
  });

  it("crosses mappings within the space", () => {
    withSpace((space, problem, random) => {
      const [mother, father, child] = [1, 2, 3].map(() => createCandidate(space.tables));
      const scratch = createRepairScratch(space);
      sampleMapping(space, random, mother!, scratch);
      sampleMapping(space, random, father!, scratch);
      for (const cross of [crossDimensions, crossLevels]) {
        cross(space, random, mother!, father!, child!);
        expectInSpace(space, child!);
        const fits = repair(space, random, child!, scratch);
        expectRepair(space, problem, child!, fits);
      }
    });
  });

  it("constructs mappings that fit", () => {
    withSpace((space, problem, random) => {
      const { levelCount, dimensionCount } = space.tables;
      const candidate = createCandidate(space.tables);
      const splits = listSpatialSplits(space);
      const plan = {
        split: random.integer(splits.splits.length),
        fill: random.shuffle(Array.from({ length: dimensionCount }, (_, dimension) => dimension)),
        filled: Array.from({ length: levelCount }, (_, level) => level === 0 || random.integer(2) === 1),
        stationary: Array.from({ length: levelCount }, () => random.integer(3)),
        keep: space.keep,
      };
      if (!construct(space, splits, plan, candidate, new Float64Array(levelCount * dimensionCount))) return;
      expectRepair(space, problem, candidate, true);
    });
  });

  it("adopts its own mappings unchanged", () => {
    withSpace((space, _, random) => {
      const candidate = createCandidate(space.tables);
      sampleMapping(space, random, candidate, createRepairScratch(space));
      const mapping = decodeMapping(space.tables, candidate);
      const adopted = createCandidate(space.tables);
      expect(adoptMapping(space, mapping, adopted)).toBe(true);
      expect(decodeMapping(space.tables, adopted)).toEqual(mapping);
    });
  });
});

describe("dropping dimensions of size 1", () => {
  it("leaves every tensor its words", () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const reduced = dropUnitDimensions(problem);
        expect(Object.values(reduced.dimensions).every((size) => size > 1)).toBe(true);
        const words = ({ dataSpaces }: Problem, of: Problem) => dataSpaces.map((space) => dataSpaceWords(of, space));
        expect(words(reduced, reduced)).toEqual(words(problem, problem));
      }),
    );
  });
});
