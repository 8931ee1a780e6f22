import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeMapping } from "../analysis/code.js";
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

describe("exact counts", () => {
  it("are those of the simulator", () => {
    fc.assert(
      fc.property(samples(), fc.boolean(), fc.boolean(), (sample, neighbourLinks, elideFirstReads) => {
        const { problem, architecture, mapping } = sample;
        const options = { neighbourLinks, elideFirstReads };
        const { traffic, instances, computeCycles } = simulateMapping(problem, architecture, mapping, options);
        expect(closedForms(sample, options)).toEqual({ traffic, instances, computeCycles });
      }),
      { numRuns: caseCount(300) },
    );
  });
});
