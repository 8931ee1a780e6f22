import type { Plan } from "../mapspace/construct.js";
import type { Mapspace } from "../mapspace/mapspace.js";
import type { SpatialSplits } from "../mapspace/spatial.js";

// Plans to try: a first one, and along which axes it may be varied.

/** Splits with less than this part of the most units in use are not tried. */
const LEAST_UNITS = 0.5;

/** One thing about a plan that may be chosen in `count` ways. */
export interface Axis {
  readonly count: number;
  choose(plan: Plan, choice: number): Plan;
}

/** The plan to begin with: the most units, everything filled, weight-stationary (or whichever tensor comes first). */
export function firstPlan(space: Mapspace): Plan {
  const { levelCount } = space.tables;
  return {
    split: 0,
    fill: fillOrder(space, 0, true),
    filled: new Array<boolean>(levelCount).fill(true),
    stationary: new Array<number>(levelCount).fill(0),
    keep: spreadTensors(space),
  };
}

/** The axes in the order in which they matter. */
export function planAxes(space: Mapspace, splits: SpatialSplits): Axis[] {
  const { spaces, dimensionCount, levelCount } = space.tables;
  const most = splits.splits[0]!.units;
  const flavours = flavourAxis(space);
  const splitAxis: Axis = {
    count: splits.splits.filter(({ units }) => units >= LEAST_UNITS * most).length,
    choose: (plan, split) => ({ ...plan, split }),
  };
  const levels = Array.from({ length: levelCount }, (_, level) => level);
  const stationaries = levels
    .filter((level) => space.slotsOf.filter((slots) => slots.includes(level)).length > 1)
    .map((level) => ({
      count: spaces.length,
      choose: (plan: Plan, tensor: number): Plan => ({ ...plan, stationary: plan.stationary.with(level, tensor) }),
    }));
  const fills: Axis = {
    count: Math.max(0, dimensionCount - 1),
    choose: (plan, place) => ({ ...plan, fill: swapped(plan.fill, place) }),
  };
  return [flavours, ...keepAxes(space), splitAxis, flavours, ...stationaries, fills];
}

/**
 * For every tensor: the dimensions that address it fill the memories first, so that its tiles are large, or last, so that
 * they are used often; and its tiles stay put at all levels. With the outermost bounded memory filled or just passed.
 */
function flavourAxis(space: Mapspace): Axis {
  const { spaces, levelCount } = space.tables;
  const buffer = space.limits.capacity.findIndex((capacity) => capacity < Number.POSITIVE_INFINITY);
  const flavours = [true, false].flatMap((full) =>
    [true, false].flatMap((first) =>
      spaces.map((_, tensor) => ({
        fill: fillOrder(space, tensor, first),
        filled: Array.from({ length: levelCount }, (_, level) => full || level !== buffer),
        stationary: new Array<number>(levelCount).fill(tensor),
      })),
    ),
  );
  return { count: flavours.length, choose: (plan, flavour) => ({ ...plan, ...flavours[flavour]! }) };
}

/** Dimensions that address a tensor first (or last), otherwise in the problem's order. */
function fillOrder({ tables, relevant }: Mapspace, tensor: number, first: boolean): number[] {
  const dimensions = tables.dimensionNames.map((_, dimension) => dimension);
  const leads = (dimension: number): boolean => (relevant[tensor * tables.dimensionCount + dimension] === 1) === first;
  return [...dimensions.filter(leads), ...dimensions.filter((dimension) => !leads(dimension))];
}

function swapped(fill: readonly number[], place: number): number[] {
  const order = [...fill];
  order[place] = fill[place + 1]!;
  order[place + 1] = fill[place]!;
  return order;
}

/** Levels without a fan-out between them, as one processing element's memories, that may hold a tensor or not. */
function freeChains(space: Mapspace, tensor: number): number[][] {
  const { levelCount, spaces, fanoutX, fanoutY } = space.tables;
  const chains: number[][] = [];
  let chain: number[] = [];
  for (let level = 0; level < levelCount; level++) {
    if (space.freeKeeps.includes(level * spaces.length + tensor)) chain.push(level);
    if (fanoutX[level]! * fanoutY[level]! > 1 || level === levelCount - 1) {
      if (chain.length > 0) chains.push(chain);
      chain = [];
    }
  }
  return chains;
}

/** Each tensor in one memory of each chain, different tensors in different ones as far as they go. */
function spreadTensors(space: Mapspace): Uint8Array {
  const keep = space.keep.slice();
  const { spaces } = space.tables;
  spaces.forEach((_, tensor) => {
    for (const chain of freeChains(space, tensor)) {
      chain.forEach((level, at) => {
        keep[level * spaces.length + tensor] = at === tensor % chain.length ? 1 : 0;
      });
    }
  });
  return keep;
}

/** For every tensor and chain: in which memory of the chain it lies, if in any. */
function keepAxes(space: Mapspace): Axis[] {
  const { spaces } = space.tables;
  return spaces.flatMap((_, tensor) =>
    freeChains(space, tensor).map((chain) => ({
      count: chain.length + 1,
      choose: (plan: Plan, choice: number): Plan => {
        const keep = plan.keep.slice();
        chain.forEach((level, at) => {
          keep[level * spaces.length + tensor] = at === choice ? 1 : 0;
        });
        return { ...plan, keep };
      },
    })),
  );
}
