import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Architecture, readArchitecture } from "../architecture/architecture.js";
import type { CostModel, CostOptions } from "../cost/cost.js";
import { mapLayerExhaustively } from "../mapper/exhaustive.js";
import type { Objective } from "../mapper/objective.js";
import type { MapperOptions } from "../mapper/trial.js";
import { createCandidate } from "../mapspace/candidate.js";
import { eachMapping } from "../mapspace/enumerate.js";
import { createMapspace } from "../mapspace/mapspace.js";
import { dropUnitDimensions } from "../mapspace/unit-dimensions.js";
import { convolutionProblem } from "../workload/layers.js";
import type { Problem } from "../workload/problem.js";
import { mapLayerExactly } from "./map-exactly.js";
import { architectures, layers, linkedRows, options, windows } from "./testing/arbitraries.js";

// The referee tries every mapping with the plain cost model.

/** Most mappings that the referee tries. */
const SMALL = Number(process.env.DOVETAIL_SMALL_MAPSPACE ?? 3000);

/** Number of mappings in a mapspace, or more than `SMALL`. */
function countMappings(problem: Problem, architecture: Architecture): number {
  const space = createMapspace(dropUnitDimensions(problem), architecture);
  let count = 0;
  eachMapping(space, createCandidate(space.tables), () => ++count <= SMALL);
  return count;
}

const runs = Number(process.env.DOVETAIL_PROPERTY_RUNS ?? 200);

interface Tally {
  compared: number;
  fitted: number;
}

/** Holds the exact mapper against the referee wherever the mapspace is small. */
function compare(
  tally: Tally,
  problem: Problem,
  architecture: Architecture,
  model: Pick<MapperOptions, "objective"> & CostOptions,
  seed: number,
): void {
  const mappings = countMappings(problem, architecture);
  fc.pre(mappings > 1 && mappings <= SMALL);
  tally.compared++;
  const settings = { ...model, random: createRandomStream(seed) };
  const referee = mapLayerExhaustively(problem, architecture, {
    ...settings,
    model: "timeloop",
    evaluations: SMALL + 1,
  });
  const exact = mapLayerExactly(problem, architecture, { ...settings, evaluations: seed % 2 === 0 ? 0 : 20 });
  expect(exact.proven).toBe(true);
  expect(exact.ok).toBe(referee.ok);
  if (!exact.ok || !referee.ok) return;
  const least = referee.trace.at(-1)!.value;
  tally.fitted++;
  const digits = 9 - Math.ceil(Math.log10(least));
  expect(exact.trace.at(-1)!.value).toBeCloseTo(least, digits);
  expect(exact.lowerBound).toBeCloseTo(least, digits);
}

describe("the exact mapper", () => {
  it("finds the optimum that trying every mapping finds, with and without a first mapping", () => {
    const tally = { compared: 0, fitted: 0 };
    fc.assert(
      fc.property(layers, architectures, options, fc.nat(), (problem, architecture, model, seed) => {
        compare(tally, problem, architecture, model, seed);
      }),
      { numRuns: runs },
    );
    expect(tally.compared).toBe(runs);
    expect(tally.fitted).toBeGreaterThan(runs / 2);
  }, 600_000);

  it("finds it where neighbour links decide", () => {
    const tally = { compared: 0, fitted: 0 };
    const models = fc.record({
      model: fc.constant<CostModel>("timeloop"),
      objective: fc.constantFrom<Objective>("edp", "energy"),
      leakage: fc.constant(false),
    });
    fc.assert(
      fc.property(windows, linkedRows, models, fc.nat(), (problem, architecture, model, seed) => {
        compare(tally, problem, architecture, model, seed);
      }),
      { numRuns: runs },
    );
    expect(tally.fitted).toBeGreaterThan(runs / 2);
  }, 600_000);

  it("finds it where links of one level serve units below a memory that a tensor passes by", () => {
    const problem = convolutionProblem({
      inputChannels: 2,
      outputChannels: 1,
      outputHeight: 2,
      outputWidth: 6,
      kernelHeight: 1,
      kernelWidth: 3,
      strideWidth: 2,
    });
    const architecture = readArchitecture(
      JSON.stringify({
        name: "row",
        levels: [
          { name: "DRAM", storage: { widthBits: 8, readPj: 1, writePj: 1 } },
          {
            name: "buffer",
            storage: { widthBits: 8, readPj: 40, writePj: 2 },
            fanout: { x: 8, y: 2, neighbourLinks: true },
          },
          { name: "spad", storage: { entries: 4, widthBits: 8, readPj: 1, writePj: 1 } },
        ],
        compute: { energyPj: 1 },
        constraints: {
          levels: [
            { level: "DRAM", temporal: { dimensions: ["M", "Q"] } },
            { level: "buffer", keep: ["Weights", "Inputs", "Outputs"] },
            {
              level: "spad",
              keep: ["Weights"],
              bypass: ["Inputs", "Outputs"],
              temporal: { dimensions: ["C", "R", "S"] },
            },
          ],
        },
      }),
    );
    const options = { model: "timeloop", objective: "energy", random: createRandomStream(0) } as const;
    const exact = mapLayerExactly(problem, architecture, { ...options, evaluations: 0 });
    const referee = mapLayerExhaustively(problem, architecture, { ...options, evaluations: 1_000_000 });
    expect(exact).toMatchObject({ ok: true, proven: true });
    expect(exact.ok && referee.ok && exact.cost.energyPj).toBeCloseTo(referee.ok ? referee.cost.energyPj : 0, 6);
  });
});
