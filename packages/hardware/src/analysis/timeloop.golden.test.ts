import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { architectureSchema } from "../architecture/architecture.js";
import { evaluateCost } from "../cost/explain.js";
import { checkDocument } from "../documents/document.js";
import { mappingSchema } from "../mapping/mapping.js";
import { problemSchema } from "../workload/problem.js";
import { prepareAnalysis } from "./analysis.js";
import { encodeMapping } from "./code.js";

// Facts from Timeloop, selected by oracles/select-timeloop-cases.py: random mappings that were run through commit
// 4cf6d4c, and published reference outputs with their energies.

type Counts = Record<string, number>;

interface Case {
  readonly id: string;
  readonly problem: unknown;
  readonly architecture: unknown;
  readonly mapping: unknown;
  readonly expected: {
    readonly computes: number;
    readonly units: number;
    readonly cycles: number;
    readonly computeEnergyPj?: number;
    readonly levels: Record<string, Record<string, Counts>>;
  };
}

const cases = JSON.parse(readFileSync(new URL("timeloop.golden.json", import.meta.url), "utf8")) as Case[];

describe.each(cases)("Timeloop, $id", (entry) => {
  const problem = checkDocument(problemSchema, entry.problem);
  const architecture = checkDocument(architectureSchema, entry.architecture);
  const mapping = checkDocument(mappingSchema, entry.mapping);
  const analysis = prepareAnalysis(problem, architecture);
  const { counts, tables } = analysis;
  expect(analysis.run(encodeMapping(tables, mapping))).toBe(true);
  const operands = Object.entries(entry.expected.levels).flatMap(([level, spaces]) =>
    Object.entries(spaces).map(([space, expected]) => ({ level, space, expected })),
  );

  it.each(operands)("counts $space at $level", ({ level, space, expected }) => {
    const levelIndex = architecture.levels.findIndex((candidate) => candidate.name === level);
    const cell = levelIndex * tables.spaces.length + tables.spaces.findIndex(({ name }) => name === space);
    const { energyPj: _, ...words } = expected;
    expect({
      tile: counts.tile[cell],
      partition: counts.partition[cell],
      instances: counts.instances[levelIndex],
      reads: counts.reads[cell],
      fills: counts.fills[cell],
      updates: counts.updates[cell],
      temporalReductions: counts.temporalReductions[cell],
    }).toEqual(words);
  });

  it("computes", () => {
    const { computes, units } = entry.expected;
    expect({ computes: counts.computes, units: counts.units }).toEqual({ computes, units });
  });

  it("costs", () => {
    const cost = evaluateCost(problem, architecture, mapping, { model: "timeloop" });
    if (!cost.ok) throw new Error(cost.reason);
    expect(cost.latencyCycles).toBe(entry.expected.cycles);
    if (entry.expected.computeEnergyPj === undefined) return;
    expect(Math.abs(cost.compute.energyPj - entry.expected.computeEnergyPj)).toBeLessThan(0.0051);
    for (const { level, space, expected } of operands) {
      const found = cost.levels
        .find((candidate) => candidate.level === level)
        ?.dataSpaces.find((candidate) => candidate.dataSpace === space);
      expect(Math.abs(found!.energyPj - expected.energyPj!)).toBeLessThan(0.0051);
    }
  });
});
