import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeMapping } from "../analysis/code.js";
import { evaluateCost } from "../cost/explain.js";
import { simulateMapping } from "../simulator/simulate.js";
import { prepareExact } from "./exact.js";
import { caseCount, type Sample, samples } from "./testing/samples.js";

// The closed forms against the simulator, which executes every iteration with explicit sets of words.

function closedForms({ problem, architecture, mapping }: Sample, options = {}) {
  const analysis = prepareExact(problem, architecture, options);
  if (!analysis.run(encodeMapping(analysis.tables, mapping))) throw new Error(analysis.rejection.reason);
  const { counts } = analysis;
  const spaces = problem.dataSpaces.length;
  const total = (words: Float64Array, level: number, space: number): number =>
    Math.round(words[level * spaces + space]! * counts.instances[level]! * 1e6) / 1e6;
  return {
    traffic: mapping.levels.map(({ keep }, level) =>
      problem.dataSpaces.map(({ name }, space) =>
        keep.includes(name)
          ? {
              reads: total(counts.reads, level, space),
              fills: total(counts.fills, level, space),
              updates: total(counts.updates, level, space),
            }
          : undefined,
      ),
    ),
    instances: [...counts.instances, counts.units],
    computeCycles: counts.computeCycles,
  };
}

/** Whether a case has what the models may stumble over. */
const features: Readonly<Record<string, (sample: Sample) => boolean>> = {
  remainders: ({ problem, mapping }) =>
    Object.entries(problem.dimensions).some(([name, size]) => size !== coveredBy(mapping, name)),
  strides: (sample) => coefficientOf(sample, "P") > 1,
  dilation: (sample) => coefficientOf(sample, "R") > 1,
  "strides beyond the kernel": (sample) =>
    coefficientOf(sample, "P") > coefficientOf(sample, "R") * (sample.problem.dimensions.R ?? 1),
  bypass: ({ problem, mapping }) => mapping.levels.some(({ keep }) => keep.length < problem.dataSpaces.length),
  "depth-wise": ({ problem: { dimensions } }) => (dimensions.G ?? 1) > 1 && !("M" in dimensions),
  grouped: ({ problem: { dimensions } }) => (dimensions.G ?? 1) > 1 && (dimensions.M ?? 1) > 1,
  "neighbour links": ({ architecture: { levels } }) =>
    levels.some(({ fanout }) => fanout?.neighbourLinks && fanout.x * fanout.y > 1),
};

function coveredBy({ levels }: Sample["mapping"], name: string): number {
  return levels
    .flatMap(({ temporal, spatialX, spatialY }) => [...temporal, ...spatialX, ...spatialY])
    .reduce((product, { dimension, bound }) => (dimension === name ? product * bound : product), 1);
}

function coefficientOf({ problem }: Sample, name: string): number {
  const terms = problem.dataSpaces.flatMap(({ projection }) => projection.flat());
  return Math.max(0, ...terms.filter(({ dimension }) => dimension === name).map(({ coefficient }) => coefficient));
}

describe("the random cases", () => {
  const drawn = fc.sample(samples(), { seed: 1, numRuns: 1000 });
  it.each(Object.keys(features))("have %s, one in twenty at least", (name) => {
    expect(drawn.filter(features[name]!).length).toBeGreaterThanOrEqual(50);
  });
});

describe("exact counts", () => {
  // Without remainders the closed forms are shorter ones.
  it.each([true, false])("are those of the simulator (remainders: %s)", (remainders) => {
    fc.assert(
      fc.property(samples({ remainders }), fc.boolean(), fc.boolean(), (sample, neighbourLinks, elideFirstReads) => {
        const { problem, architecture, mapping } = sample;
        const options = { neighbourLinks, elideFirstReads };
        const { traffic, instances, computeCycles } = simulateMapping(problem, architecture, mapping, options);
        expect(closedForms(sample, options)).toEqual({ traffic, instances, computeCycles });
      }),
      { numRuns: caseCount(300) },
    );
  });
});

describe("the model exact", () => {
  it("refuses tensors that it does not cover, and windows too long to be held place by place", () => {
    const [sample] = fc.sample(samples(), { seed: 1, numRuns: 1 });
    const { problem, architecture } = sample!;
    const inputs = (projection: Sample["problem"]["dataSpaces"][number]["projection"], P = 4): (() => unknown) => {
      const dataSpaces = [{ name: "Inputs", readWrite: false, bitWidth: 8, projection }];
      return () => prepareExact({ ...problem, dimensions: { P, R: 3 }, dataSpaces }, architecture);
    };
    const [p, r] = [
      { dimension: "P", coefficient: 1 },
      { dimension: "R", coefficient: 1 },
    ];
    expect(inputs([[p, r]])).not.toThrow();
    expect(inputs([[p, r], [p]])).toThrow(/does not cover tensor Inputs/);
    expect(inputs([[p, r]], 2 ** 26)).toThrow(/does not cover tensor Inputs/);
    expect(inputs([[p], [r]], 2 ** 26)).not.toThrow();
  });
});

describe("exact cycles", () => {
  // Both bounds are derived in docs/models/exact.md; the tolerance is for sums of fractions.
  it("lie, as the simulator's do, between the bounds", () => {
    fc.assert(
      fc.property(samples(), fc.boolean(), (sample, elideFirstReads) => {
        const { problem, architecture, mapping } = sample;
        const { cycles } = simulateMapping(problem, architecture, mapping, { elideFirstReads });
        const cost = evaluateCost(problem, architecture, mapping, { model: "exact", elideFirstReads });
        if (!cost.ok) throw new Error(cost.reason);
        const { least, most } = cost.exactCycles!;
        expect(cycles).toBeGreaterThanOrEqual(least - 1e-6);
        expect(cycles).toBeLessThanOrEqual(most + 1e-6);
        expect(cost.latencyCycles).toBeGreaterThanOrEqual(least - 1e-6);
        expect(cost.latencyCycles).toBeLessThan(most + 1);
      }),
      { numRuns: caseCount(300) },
    );
  });

  it("are never more than the simulator's without remainders", () => {
    fc.assert(
      fc.property(samples({ remainders: false }), ({ problem, architecture, mapping }) => {
        const { cycles } = simulateMapping(problem, architecture, mapping);
        const cost = evaluateCost(problem, architecture, mapping, { model: "exact" });
        if (!cost.ok) throw new Error(cost.reason);
        expect(cost.latencyCycles).toBeLessThanOrEqual(Math.ceil(cycles - 1e-6));
      }),
      { numRuns: caseCount(300) },
    );
  });
});
