import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Architecture } from "../architecture/architecture.js";
import type { CostOptions } from "../cost/cost.js";
import { prepareCost } from "../cost/evaluator.js";
import { type Candidate, createCandidate } from "../mapspace/candidate.js";
import { eachMapping } from "../mapspace/enumerate.js";
import { createMapspace, type Mapspace } from "../mapspace/mapspace.js";
import { createRepairScratch } from "../mapspace/repair.js";
import { sampleMapping } from "../mapspace/sample.js";
import { dropUnitDimensions } from "../mapspace/unit-dimensions.js";
import type { Problem } from "../workload/problem.js";
import { type Bounder, createBounder } from "./bounder.js";
import { createOrderSearch } from "./orders.js";
import { createSetting } from "./setting.js";
import { architectures, layers, linkedRows, options, windows } from "./testing/arbitraries.js";

const cases = fc.oneof(
  fc.record({ problem: layers, architecture: architectures, model: options, seed: fc.nat() }),
  fc.record({ problem: windows, architecture: linkedRows, model: options, seed: fc.nat() }),
);

interface Dealt {
  readonly space: Mapspace;
  readonly bounder: Bounder;
  readonly candidate: Candidate;
  /** [dimension]. */
  readonly chains: readonly number[];
}

/** A bounder for the fan-outs and keeping of a mapping drawn at random that fits, and the chains of its dimensions. */
function deal(problem: Problem, architecture: Architecture, model: CostOptions, seed: number): Dealt | undefined {
  const space = createMapspace(dropUnitDimensions(problem), architecture);
  if (space.obstacle !== undefined) return undefined;
  const { levelCount, dimensionCount } = space.tables;
  const candidate = createCandidate(space.tables);
  const random = createRandomStream(seed);
  if (!sampleMapping(space, random, candidate, createRepairScratch(space))) return undefined;
  const spread = Array.from({ length: dimensionCount }, (_, dimension) =>
    Array.from({ length: levelCount }, (_, level) => {
      const cell = level * dimensionCount + dimension;
      return candidate.spatialX[cell]! * candidate.spatialY[cell]!;
    }),
  );
  const setting = createSetting(space, architecture, model);
  const order = random.shuffle(Array.from({ length: dimensionCount }, (_, dimension) => dimension));
  const bounder = createBounder(setting, { spread, keep: candidate.keep.slice() }, order);
  const chains = bounder.chains.map(({ count, bounds }, dimension) => {
    const row = Array.from(
      { length: levelCount },
      (_, level) => candidate.temporal[level * dimensionCount + dimension],
    );
    return Array.from({ length: count }, (_, chain) => chain).findIndex((chain) =>
      row.every((bound, level) => bounds[chain * levelCount + level] === bound),
    );
  });
  return { space, bounder, candidate, chains };
}

/** Dimension of a level's innermost loop; −1 without loops. */
function innermostLoop({ tables }: Mapspace, { temporal, temporalOrder }: Candidate, level: number): number {
  const start = level * tables.dimensionCount;
  for (let place = tables.dimensionCount - 1; place >= 0; place--) {
    const dimension = temporalOrder[start + place]!;
    if (temporal[start + dimension]! > 1) return dimension;
  }
  return -1;
}

describe("the bounds of partial mappings", () => {
  it("never exceed what a mapping costs, at any depth and with any innermost loops", () => {
    let compared = 0;
    fc.assert(
      fc.property(cases, ({ problem, architecture, model, seed }) => {
        const dealt = deal(problem, architecture, model, seed);
        if (dealt === undefined) return;
        const { space, bounder, candidate, chains } = dealt;
        const cost = prepareCost(space.tables.problem, architecture, model).evaluate(candidate);
        if (!cost.valid) return;
        compared++;
        const limit = cost.energyPj * (1 + 1e-12);
        const check = (depth: number): void => {
          bounder.bound(depth);
          expect(bounder.least.latencyCycles).toBeLessThanOrEqual(cost.latencyCycles);
          let energyPj = bounder.least.energyPj;
          expect(energyPj).toBeLessThanOrEqual(limit);
          for (let level = 0; level < space.tables.levelCount; level++) {
            const dimension = innermostLoop(space, candidate, level);
            if (dimension >= 0) energyPj += bounder.innermostPj[level * space.tables.dimensionCount + dimension]!;
          }
          if (depth === bounder.order.length) expect(energyPj).toBeLessThanOrEqual(limit);
        };
        check(0);
        bounder.order.forEach((dimension, depth) => {
          expect(bounder.deal(depth, chains[dimension]!)).toBe(true);
          check(depth + 1);
        });
      }),
      { numRuns: 1500 },
    );
    expect(compared).toBeGreaterThan(700);
  }, 120_000);

  it("grow as more is dealt, and come back when it is taken back", () => {
    fc.assert(
      fc.property(cases, ({ problem, architecture, model, seed }) => {
        const dealt = deal(problem, architecture, model, seed);
        if (dealt === undefined) return;
        const { bounder, chains } = dealt;
        const bounds: number[] = [];
        const note = (depth: number): void => {
          bounder.bound(depth);
          bounds.push(bounder.least.energyPj, bounder.least.latencyCycles);
        };
        note(0);
        bounder.order.forEach((dimension, depth) => {
          bounder.deal(depth, chains[dimension]!);
          note(depth + 1);
          // Bounds of tiny layers may lie below zero: elision is subtracted as if it were whole.
          expect(bounds.at(-2)! - bounds.at(-4)!).toBeGreaterThanOrEqual(-1e-12 * Math.abs(bounds.at(-4)!));
          expect(bounds.at(-1)! - bounds.at(-3)!).toBeGreaterThanOrEqual(-1e-12 * bounds.at(-3)!);
        });
        for (let depth = bounder.order.length - 1; depth >= 0; depth--) {
          bounder.takeBack(depth);
          // Tiles of what is not dealt are the least again: whatever can be dealt at all fits once more.
          expect(bounder.deal(depth, chains[bounder.order[depth]!]!)).toBe(true);
          bounder.takeBack(depth);
          bounder.bound(depth);
          expect([bounder.least.energyPj, bounder.least.latencyCycles]).toEqual(bounds.slice(2 * depth, 2 * depth + 2));
        }
      }),
      { numRuns: 300 },
    );
  }, 120_000);
});

describe("the orders that may matter", () => {
  it("hold a best order of all", () => {
    let compared = 0;
    let most = 0;
    fc.assert(
      fc.property(cases, ({ problem, architecture, model, seed }) => {
        const dealt = deal(problem, architecture, model, seed);
        if (dealt === undefined) return;
        const { space, bounder, candidate, chains } = dealt;
        const evaluator = prepareCost(space.tables.problem, architecture, model);
        if (!evaluator.evaluate(candidate).valid) return;
        const every = bestOfAllOrders(space, candidate, () => evaluator.evaluate(candidate).energyPj);
        if (every === undefined) return;
        bounder.order.forEach((dimension, depth) => {
          bounder.deal(depth, chains[dimension]!);
        });
        bounder.bound(bounder.order.length);
        let best = Number.POSITIVE_INFINITY;
        let visits = 0;
        const setting = createSetting(space, architecture, model);
        createOrderSearch(setting, bounder).each(
          candidate,
          () => true,
          () => {
            visits++;
            best = Math.min(best, evaluator.evaluate(candidate).energyPj);
          },
        );
        expect(best).toBe(every.best);
        expect(visits).toBeLessThanOrEqual(every.orders);
        compared++;
        most = Math.max(most, every.orders / visits);
      }),
      { numRuns: 1500 },
    );
    expect(compared).toBeGreaterThan(500);
    expect(most).toBeGreaterThan(20);
  }, 240_000);
});

/** Least energy over every order of a mapping's loops; undefined where there are too many to try. */
function bestOfAllOrders(
  space: Mapspace,
  candidate: Candidate,
  energyPj: () => number,
): { best: number; orders: number } | undefined {
  // A mapspace of one point but for its orders.
  const fixed: Mapspace = {
    ...space,
    fixedBounds: candidate.bounds.slice(),
    slotsOf: space.slotsOf.map(() => new Uint8Array(0)),
    primesOf: space.primesOf.map(() => new Int32Array(0)),
    keep: candidate.keep.slice(),
    freeKeeps: new Uint8Array(0),
  };
  let best = Number.POSITIVE_INFINITY;
  let orders = 0;
  eachMapping(fixed, candidate, () => {
    if (++orders > 3000) return false;
    best = Math.min(best, energyPj());
    return true;
  });
  return orders > 3000 ? undefined : { best, orders };
}
