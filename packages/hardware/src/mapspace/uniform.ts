import type { RandomStream } from "@dovetail/core";
import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { divisors } from "./primes.js";
import { slotProduct } from "./repair.js";
import { sortByRank } from "./sample.js";
import { layTiles, levelNeed } from "./tiles.js";

// The mapspace as a set of points: a point is a bound for every dimension and slot, an order of all dimensions for every
// slot whose order is open (loops of bound 1 have a place too, as in Timeloop's index space), and what the memories keep.
// Points that exceed a fan-out are counted out beforehand; those that overflow a memory, or use less of it or of the units
// than the constraints ask for, are drawn and thrown away.

export interface UniformSampler {
  /** Points whose fan-outs hold, orders and keeping apart: ways to deal all dimensions. Infinite beyond 2^1024. */
  readonly dealings: number;
  /**
   * Writes a point into the candidate, all that fit being equally likely; false when none fitted in `attempts` draws.
   * Allocates nothing.
   */
  draw(random: RandomStream, candidate: Candidate): boolean;
}

/** How a dimension may be dealt over the fan-outs, with the ways to deal the rest over time. */
interface Choice {
  /** [spatial slot]. */
  readonly bounds: readonly number[];
  /** Row-major [way][temporal slot]. */
  readonly ways: Int32Array;
  readonly count: number;
}

const DEFAULT_ATTEMPTS = 100_000;

/** Prepares draws; costs about as much as the fan-outs have ways to be filled. */
export function createUniformSampler(space: Mapspace, attempts = DEFAULT_ATTEMPTS): UniformSampler {
  const { tables, limits, slotCount, fanout, fixedBounds, orderedSlots } = space;
  const { levelCount, dimensionCount } = tables;
  const spatial = Array.from({ length: slotCount - levelCount }, (_, index) => levelCount + index).filter(
    (slot) => fanout[slot]! > 1,
  );
  const choices = tables.dimensionNames.map((_, dimension) => listChoices(space, spatial, dimension));
  const temporal = tables.dimensionNames.map((_, dimension) => space.slotsOf[dimension]!.filter((s) => s < levelCount));
  // States: products over the spatial slots so far, numbered as they appear; tables by dimension and state.
  const layers = buildLayers(space, spatial, choices);
  const tile = new Float64Array(levelCount * dimensionCount);
  const bounded = Array.from({ length: levelCount }, (_, level) => level).filter(
    (level) => limits.capacity[level]! < Number.POSITIVE_INFINITY,
  );

  function drawBounds(random: RandomStream, candidate: Candidate): void {
    candidate.bounds.set(fixedBounds);
    let state = 0;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      const { cumulative, next, first } = layers[dimension]!;
      let cell = first[state]!;
      const target = random.uniform() * cumulative[first[state + 1]! - 1]!;
      while (cumulative[cell]! <= target) cell++;
      const { bounds, ways, count } = choices[dimension]![layers[dimension]!.choice[cell]!]!;
      for (let at = 0; at < spatial.length; at++)
        candidate.bounds[spatial[at]! * dimensionCount + dimension]! *= bounds[at]!;
      const slots = temporal[dimension]!;
      const row = (count === 1 ? 0 : random.integer(count)) * slots.length;
      for (let at = 0; at < slots.length; at++)
        candidate.bounds[slots[at]! * dimensionCount + dimension] = ways[row + at]!;
      state = next[cell]!;
    }
  }

  function fits(candidate: Candidate): boolean {
    layTiles(space, candidate, tile);
    for (let index = 0; index < bounded.length; index++) {
      const level = bounded[index]!;
      const needed = levelNeed(space, candidate, level, tile);
      if (needed > limits.capacity[level]! || needed < limits.minimum[level]!) return false;
    }
    let units = 1;
    for (let at = 0; at < spatial.length; at++) units *= slotProduct(space, candidate, spatial[at]!);
    return units >= limits.minUnits;
  }

  function drawOrders(random: RandomStream, candidate: Candidate): void {
    for (let index = 0; index < orderedSlots.length; index++) {
      const start = orderedSlots[index]! * dimensionCount;
      for (let place = dimensionCount - 1; place > 0; place--) {
        const other = start + random.integer(place + 1);
        const kept = candidate.orders[start + place]!;
        candidate.orders[start + place] = candidate.orders[other]!;
        candidate.orders[other] = kept;
      }
      sortByRank(space, candidate, orderedSlots[index]!);
    }
  }

  const total = layers[0] === undefined ? 1 : (layers[0].cumulative[layers[0].first[1]! - 1] ?? 0);
  const possible = space.obstacle === undefined && total > 0;
  return {
    dealings: possible ? total : 0,
    draw(random, candidate) {
      if (!possible) return false;
      candidate.keep.set(space.keep);
      for (let attempt = 0; attempt < attempts; attempt++) {
        drawBounds(random, candidate);
        for (let index = 0; index < space.freeKeeps.length; index++) {
          candidate.keep[space.freeKeeps[index]!] = random.integer(2);
        }
        if (!fits(candidate)) continue;
        drawOrders(random, candidate);
        return true;
      }
      return false;
    },
  };
}

function listChoices(space: Mapspace, spatial: readonly number[], dimension: number): Choice[] {
  const { tables, free, primesOf, slotsOf, fanout } = space;
  const { dimensionCount, levelCount } = tables;
  const slots = [...slotsOf[dimension]!].filter((slot) => slot < levelCount);
  const choices: Choice[] = [];
  const spread = (at: number, left: number, bounds: readonly number[]): void => {
    if (at === spatial.length) {
      const ways = listWays(slots.length, left);
      if (ways.length > 0) choices.push({ bounds, ways: Int32Array.from(ways.flat()), count: ways.length });
      return;
    }
    const open = free[spatial[at]! * dimensionCount + dimension] === 1;
    for (const bound of open ? divisors(left) : [1]) {
      if (bound <= fanout[spatial[at]!]!) spread(at + 1, left / bound, [...bounds, bound]);
    }
  };
  spread(
    0,
    primesOf[dimension]!.reduce((product, prime) => product * prime, 1),
    [],
  );
  return choices;
}

/** Ways to write a number as a product of `count` bounds. */
function listWays(count: number, left: number): number[][] {
  if (count === 0) return left === 1 ? [[]] : [];
  if (count === 1) return [[left]];
  return divisors(left).flatMap((bound) => listWays(count - 1, left / bound).map((rest) => [bound, ...rest]));
}

/** What may be chosen for one dimension, by state: rows `first[state]` up to `first[state + 1]`. */
interface Layer {
  readonly first: Int32Array;
  /** Dealings up to and with a choice, over this and all later dimensions. */
  readonly cumulative: Float64Array;
  readonly choice: Int32Array;
  /** State of the next dimension. */
  readonly next: Int32Array;
}

function buildLayers(space: Mapspace, spatial: readonly number[], choices: readonly (readonly Choice[])[]): Layer[] {
  const { tables, fanout, fixedBounds } = space;
  const { dimensionCount } = tables;
  const start = spatial.map((slot) =>
    fixedBounds.subarray(slot * dimensionCount, (slot + 1) * dimensionCount).reduce((product, b) => product * b, 1),
  );
  // Forwards: which states each dimension may meet.
  const states: number[][][] = [[start]];
  const moves: { choice: number; next: number }[][][] = [];
  choices.forEach((list, dimension) => {
    const known = new Map<string, number>();
    const following: number[][] = [];
    moves.push(
      states[dimension]!.map((state) =>
        list.flatMap(({ bounds }, choice) => {
          const products = state.map((product, at) => product * bounds[at]!);
          if (products.some((product, at) => product > fanout[spatial[at]!]!)) return [];
          const key = products.join();
          let next = known.get(key);
          if (next === undefined) {
            next = following.length;
            known.set(key, next);
            following.push(products);
          }
          return [{ choice, next }];
        }),
      ),
    );
    states.push(following);
  });
  // Backwards: how many dealings each state leaves.
  let dealings = new Float64Array(states[choices.length]!.length).fill(1);
  const layers: Layer[] = new Array(choices.length);
  for (let dimension = choices.length - 1; dimension >= 0; dimension--) {
    const rows = moves[dimension]!;
    const first = new Int32Array(rows.length + 1);
    rows.forEach((row, state) => {
      first[state + 1] = first[state]! + row.length;
    });
    const flat = rows.flat();
    const cumulative = new Float64Array(flat.length);
    const here = new Float64Array(rows.length);
    rows.forEach((row, state) => {
      row.forEach(({ choice, next }, at) => {
        here[state]! += choices[dimension]![choice]!.count * dealings[next]!;
        cumulative[first[state]! + at] = here[state]!;
      });
    });
    layers[dimension] = {
      first,
      cumulative,
      choice: Int32Array.from(flat, ({ choice }) => choice),
      next: Int32Array.from(flat, ({ next }) => next),
    };
    dealings = here;
  }
  return layers;
}
