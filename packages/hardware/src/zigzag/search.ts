import { inputError } from "@dovetail/core";
import type { ZigZagAccelerator } from "./accelerator.js";
import { type Allocator, createAllocator } from "./allocate.js";
import { describeCost, type ZigZagCost } from "./cost.js";
import { createEvaluator, type ZigZagEvaluator } from "./evaluator.js";
import type { ZigZagLayer } from "./layer.js";
import type { SpatialMapping, TemporalLoop, ZigZagMappingEntry } from "./mapping.js";
import { type CompareScores, comparisons, type ZigZagObjective, type ZigZagScore } from "./objective.js";
import { type OrderPattern, orderPattern } from "./order.js";
import { type FreeLoop, primeLoops, visitPermutations } from "./orderings.js";
import { prepareLayer } from "./prepared.js";
import { spatialMappings } from "./spatial.js";
import type { LoopOrder } from "./traffic.js";

export interface ZigZagSearchOptions {
  /** Default: latency, as ZigZag's. */
  readonly objective?: ZigZagObjective | undefined;
  /** Loops to which prime factors are merged before all orders are tried. Default 6, as ZigZag's `lpf_limit`. */
  readonly factorLimit?: number | undefined;
  /** Of these orders, how many are improved by moving single prime factors. 0: none, as ZigZag. Default 12. */
  readonly starts?: number | undefined;
  /** Most orders that are evaluated for one spatial mapping. Default 60,000: all of 8 loops, and their improvement. */
  readonly evaluations?: number | undefined;
}

/** The best mapping that was found. */
export interface MappedZigZagLayer {
  readonly cost: ZigZagCost;
  /** Orders that were allocated and evaluated. */
  readonly evaluations: number;
}

/**
 * Maps a layer: orders of its loops are placed into the memories from the inside (LOMA), and judged by ZigZag's model.
 * First all orders of loops merged to few factors, then the best of these are improved, one prime factor moved at a time,
 * until no move helps. Where the mapping fixes places, only orders that keep to them are tried. There is no chance in
 * it: the same question gives the same answer.
 *
 * @throws DovetailError `zigzag_no_mapping` where no order fits the memories, `zigzag_order` for impossible given loops.
 */
export function mapZigZagLayer(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  entry: ZigZagMappingEntry,
  options: ZigZagSearchOptions = {},
): MappedZigZagLayer {
  const { objective = "latency" } = options;
  const compare = comparisons[objective];
  let best: MappedZigZagLayer | undefined;
  let evaluations = 0;
  for (const spatial of spatialMappings(layer, accelerator, entry)) {
    const found = searchOrders(layer, accelerator, entry, spatial, compare, options);
    evaluations += found.evaluations;
    if (found.cost === undefined) continue;
    if (best === undefined || compare(found.cost, best.cost) < 0) best = { cost: found.cost, evaluations };
  }
  if (best === undefined) {
    throw inputError("zigzag_no_mapping", "no order of the loops fits the memories", {
      path: [layer.name],
      expected: "memories that hold what lies along the array, and an outermost one that holds all",
    });
  }
  return { ...best, evaluations };
}

function searchOrders(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  entry: ZigZagMappingEntry,
  spatial: SpatialMapping,
  compare: CompareScores,
  { factorLimit = 6, starts = 12, evaluations = 60_000 }: ZigZagSearchOptions,
): { readonly cost?: ZigZagCost; readonly evaluations: number } {
  const prepared = prepareLayer(layer, accelerator, entry.links, spatial);
  const trial = createTrial(createEvaluator(prepared), createAllocator(prepared), evaluations);
  const pattern = orderPattern(prepared, entry.order, factorLimit);
  const ranked = rankOrders(trial, pattern, compare, Math.max(1, starts));
  let best = ranked[0];
  if (best === undefined) return { evaluations: trial.evaluations };
  const seen = new Set<string>();
  for (const { loops } of pattern.isFree ? ranked.slice(0, starts) : []) {
    const improved = descend(trial, loops.flatMap(splitLoop), compare, seen);
    if (improved !== undefined && compare(improved.score, best.score) < 0) best = improved;
  }
  return { cost: trial.describe(best.loops), evaluations: trial.evaluations };
}

interface RankedOrder {
  readonly loops: readonly FreeLoop[];
  readonly score: ZigZagScore;
}

/** The best orders that a pattern allows, best first. */
function rankOrders(trial: Trial, pattern: OrderPattern, compare: CompareScores, count: number): RankedOrder[] {
  const ranked: RankedOrder[] = [];
  visitPermutations(pattern.loops, pattern.accepts, (order) => {
    const score = trial.evaluate(order);
    if (score === undefined) return !trial.isSpent;
    const last = ranked[ranked.length - 1];
    if (ranked.length < count || (last !== undefined && compare(score, last.score) < 0)) {
      const at = ranked.findIndex((other) => compare(score, other.score) < 0);
      ranked.splice(at < 0 ? ranked.length : at, 0, { loops: [...order], score: { ...score } });
      if (ranked.length > count) ranked.pop();
    }
    return !trial.isSpent;
  });
  return ranked;
}

function splitLoop({ dimension, factor }: FreeLoop): FreeLoop[] {
  const sizes = new Int32Array(dimension + 1).fill(1);
  sizes[dimension] = factor;
  return primeLoops(sizes);
}

/** Moves one loop at a time to where it helps most, until none does. Orders that were entered before end the descent. */
function descend(
  trial: Trial,
  start: readonly FreeLoop[],
  compare: CompareScores,
  seen: Set<string>,
): RankedOrder | undefined {
  const score = trial.isSpent ? undefined : trial.evaluate(start);
  if (score === undefined) return undefined;
  let best: RankedOrder = { loops: start, score: { ...score } };
  for (;;) {
    const key = orderKey(best.loops);
    if (seen.has(key)) return best;
    seen.add(key);
    let next: RankedOrder | undefined;
    for (const loops of neighbours(best.loops)) {
      if (trial.isSpent) break;
      const score = trial.evaluate(loops);
      if (score !== undefined && compare(score, (next ?? best).score) < 0) next = { loops, score: { ...score } };
    }
    if (next === undefined) return best;
    best = next;
  }
}

function orderKey(loops: readonly FreeLoop[]): string {
  return loops.map(({ dimension, factor }) => `${dimension}:${factor}`).join(" ");
}

/** Orders with one loop elsewhere, or two loops exchanged. */
function* neighbours(loops: readonly FreeLoop[]): Generator<FreeLoop[]> {
  for (const [from, loop] of loops.entries()) {
    const rest = loops.filter((_, index) => index !== from);
    for (let to = 0; to < loops.length; to++) {
      if (to === from || (to > 0 && isSame(loop, rest[to - 1]!))) continue;
      yield [...rest.slice(0, to), loop, ...rest.slice(to)];
    }
    for (let other = from + 2; other < loops.length; other++) {
      if (isSame(loop, loops[other]!)) continue;
      const exchanged = [...loops];
      exchanged[from] = loops[other]!;
      exchanged[other] = loop;
      yield exchanged;
    }
  }
}

function isSame(left: FreeLoop, right: FreeLoop): boolean {
  return left.dimension === right.dimension && left.factor === right.factor;
}

/** Places orders into memories and evaluates them. */
interface Trial {
  readonly evaluations: number;
  /** As many as there may be. */
  readonly isSpent: boolean;
  /** Undefined where the order does not fit. The object is reused. */
  evaluate(loops: readonly FreeLoop[]): ZigZagScore | undefined;
  describe(loops: readonly FreeLoop[]): ZigZagCost;
}

function createTrial(evaluator: ZigZagEvaluator, allocator: Allocator, most: number): Trial {
  const { prepared, totals } = evaluator;
  const { dimensions } = prepared;
  const loopCount = primeLoops(prepared.temporalSizes).length;
  const order: LoopOrder = { dimensions: new Int32Array(loopCount), factors: new Int32Array(loopCount), length: 0 };
  let evaluations = 0;

  const write = (loops: readonly FreeLoop[]): void => {
    order.length = loops.length;
    for (let at = 0; at < loops.length; at++) {
      order.dimensions[at] = loops[at]!.dimension;
      order.factors[at] = loops[at]!.factor;
    }
  };
  const place = (loops: readonly FreeLoop[]): ZigZagScore | undefined => {
    write(loops);
    return allocator.allocate(order) && evaluator.evaluate(order, allocator.cuts) ? totals : undefined;
  };

  return {
    get evaluations() {
      return evaluations;
    },
    get isSpent() {
      return evaluations >= most;
    },
    evaluate(loops) {
      evaluations++;
      return place(loops);
    },
    describe(loops) {
      place(loops);
      const temporal: TemporalLoop[] = Array.from({ length: order.length }, (_, at) => ({
        dimension: dimensions[order.dimensions[at]!]!,
        factor: order.factors[at]!,
      }));
      const cuts = Object.fromEntries(
        prepared.operands.map(({ name, firstLevel, levels }) => [
          name,
          Array.from(allocator.cuts.subarray(firstLevel, firstLevel + levels)),
        ]),
      );
      return describeCost(evaluator, { loops: temporal, cuts });
    },
  };
}
