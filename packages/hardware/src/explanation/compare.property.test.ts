import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { caseCount, type Sample, samples } from "../exact/testing/samples.js";
import { type Comparison, compareModels, type Mechanism } from "./compare.js";

function compared({ problem, architecture, mapping }: Sample): Comparison {
  const comparison = compareModels(problem, architecture, mapping);
  if (!comparison.ok) throw new Error(comparison.reason);
  return comparison;
}

describe("the comparison of timeloop and exact", () => {
  // Each mechanism can only be at work where the mapping, the layer or the architecture has what it needs.
  it("puts differences down to what the case has", () => {
    fc.assert(
      fc.property(samples(), (sample) => {
        const { problem, architecture, mapping } = sample;
        const { differences, padded } = compared(sample);
        const found = new Set<Mechanism>(differences.flatMap(({ parts }) => parts.map(({ mechanism }) => mechanism)));
        const ranks = problem.dataSpaces.flatMap(({ projection }) => projection);
        const fanouts = architecture.levels.flatMap(({ fanout }) => (fanout ? [fanout] : []));
        const may: Readonly<Record<Mechanism, boolean>> = {
          extrapolation: ranks.some((rank) => rank.length > 1),
          turns: ranks.some((rank) => rank.length > 1),
          bypass: mapping.levels.some(({ keep }) => keep.length < problem.dataSpaces.length),
          sharedSums: fanouts.some(({ x, y }) => x * y > 1),
          gaps: ranks.some((rank) => rank.some(({ coefficient }) => coefficient > 1)),
          firstSums: true,
          links: fanouts.some(({ neighbourLinks }) => neighbourLinks),
          multicast: fanouts.some(({ multicast = "tiles" }) => multicast !== "tiles"),
          remainders: Object.keys(padded).length > 0,
        };
        for (const mechanism of found) expect(may[mechanism], mechanism).toBe(true);
      }),
      { numRuns: caseCount(40) },
    );
  });

  it("explains each difference in full", () => {
    fc.assert(
      fc.property(samples(), (sample) => {
        for (const { timeloop, exact, parts } of compared(sample).differences) {
          expect(parts.reduce((sum, { words }) => sum + words, 0)).toBe(exact - timeloop);
          expect(exact).not.toBe(timeloop);
        }
      }),
      { numRuns: caseCount(40) },
    );
  });

  it("finds none where both models say the same thing", () => {
    fc.assert(
      fc.property(samples({ remainders: false }), ({ problem, architecture, mapping }) => {
        // Everything is kept everywhere, no tile overlaps another, and no fan-out shares anything.
        const dataSpaces = problem.dataSpaces.map((space) => ({
          ...space,
          projection: space.projection.map(([first]) => [{ ...first!, coefficient: 1 }]),
        }));
        const levels = mapping.levels.map((level) => ({
          ...level,
          keep: dataSpaces.map(({ name }) => name),
        }));
        const alone = architecture.levels.map((level) => ({ ...level, fanout: undefined }));
        const { differences } = compared({
          problem: { ...problem, dataSpaces, dimensions: withoutSpatial(problem.dimensions, mapping) },
          architecture: { ...architecture, levels: alone },
          mapping: { levels: levels.map((level) => ({ ...level, spatialX: [], spatialY: [] })) },
        });
        expect(differences).toEqual([]);
      }),
      { numRuns: caseCount(40) },
    );
  });
});

describe("the comparison with ZigZag", () => {
  it("explains each difference in full, by what the tensor has", () => {
    let compared = 0;
    fc.assert(
      fc.property(samples({ remainders: false }), ({ problem, architecture, mapping }) => {
        const [outermost, ...inner] = mapping.levels;
        const keep = problem.dataSpaces.map(({ name }) => name);
        const result = compareModels(problem, architecture, { levels: [{ ...outermost!, keep }, ...inner] });
        if (!result.ok) throw new Error(result.reason);
        if (!result.zigzag.ok) return;
        compared++;
        expect(result.zigzag.cost.macs).toBe(result.exact.macs);
        for (const { dataSpace, kind, zigzag, exact, parts } of result.zigzag.differences) {
          expect(parts.reduce((sum, { words }) => sum + words, 0)).toBe(exact - zigzag);
          const isResult = dataSpace === "Outputs";
          for (const { mechanism } of parts) {
            if (mechanism === "held") expect([isResult, kind]).toEqual([false, "reads"]);
            if (mechanism === "sentUp" || mechanism === "firstSums") expect(isResult).toBe(true);
          }
        }
      }),
      { numRuns: caseCount(40) },
    );
    expect(compared).toBeGreaterThan(0);
  });
});

function withoutSpatial(
  dimensions: Sample["problem"]["dimensions"],
  { levels }: Sample["mapping"],
): Record<string, number> {
  const sizes = { ...dimensions } as Record<string, number>;
  for (const { spatialX, spatialY } of levels) {
    for (const { dimension, bound } of [...spatialX, ...spatialY]) sizes[dimension] = sizes[dimension]! / bound;
  }
  return sizes;
}
