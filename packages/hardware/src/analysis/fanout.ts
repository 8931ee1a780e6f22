import type { MappingCode } from "./code.js";
import type { Nest } from "./nest.js";
import type { SpaceTable, Tables } from "./tables.js";

// The children of one instance see the same tile, translated. Children with equal translations ask for the same words
// (a class: one access of the parent serves it, by multicast); partial overlap is not exploited.

/** What the array of children looks like for one data space at one level. Reused between mappings. */
export interface FanoutScratch {
  /** Translation of every child, one number each; X runs fastest. */
  readonly offsets: Float64Array;
  readonly sorted: Float64Array;
  /** Greatest translation per rank, and the weight of the rank in that one number. */
  readonly reach: Float64Array;
  readonly radix: Float64Array;
  /** Translations between neighbours that occur in the array; both signs are meant. */
  readonly steps: Float64Array;
  stepCount: number;
  /** Whether more translations occur than `steps` lists. */
  moreSteps: boolean;
  /** Columns of the physical array. */
  columns: number;
  /** Children in use. */
  count: number;
}

export function createFanoutScratch(tables: Tables): FanoutScratch {
  let children = 1;
  for (let level = 0; level < tables.levelCount; level++) {
    children = Math.max(children, tables.fanoutX[level]! * tables.fanoutY[level]!);
  }
  const ranks = Math.max(1, ...tables.spaces.map((space) => space.rankCount));
  return {
    offsets: new Float64Array(children),
    sorted: new Float64Array(children),
    reach: new Float64Array(ranks),
    radix: new Float64Array(ranks),
    steps: new Float64Array(2 * tables.dimensionCount),
    stepCount: 0,
    moreSteps: false,
    columns: 1,
    count: 1,
  };
}

/** Number of classes: distinct translations among the children in use. */
export function countClasses(
  tables: Tables,
  nest: Nest,
  code: MappingCode,
  space: SpaceTable,
  level: number,
  scratch: FanoutScratch,
): number {
  if (nest.used[level] === 1) return 1;
  if (space.separable) {
    let classes = 1;
    for (let rank = 0; rank < space.rankCount; rank++) {
      const distinct = distinctInRank(tables, nest, code, space, level, rank);
      if (distinct < 0) {
        classes = -1;
        break;
      }
      classes *= distinct;
    }
    if (classes > 0) return classes;
  }
  fillOffsets(tables, nest, code, space, level, scratch);
  scratch.sorted.set(scratch.offsets);
  return countDistinct(scratch.sorted, scratch.count);
}

/** Distinct translations along one rank, or −1 when more than two dimensions are spread along it. */
function distinctInRank(
  tables: Tables,
  nest: Nest,
  code: MappingCode,
  space: SpaceTable,
  level: number,
  rank: number,
): number {
  const { dimensionCount } = tables;
  let firstCount = 1;
  let firstStep = 0;
  let secondCount = 1;
  let secondStep = 0;
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    const coefficient = space.coefficients[rank * dimensionCount + dimension]!;
    if (coefficient === 0) continue;
    const cell = level * dimensionCount + dimension;
    const count = code.spatialX[cell]! * code.spatialY[cell]!;
    if (count === 1) continue;
    const step = coefficient * nest.childSize[cell]!;
    if (firstCount === 1) {
      firstCount = count;
      firstStep = step;
    } else if (secondCount === 1) {
      secondCount = count;
      secondStep = step;
    } else return -1;
  }
  if (secondCount === 1) return firstCount;
  // i·a + j·b repeats along the chains (i + b/g, j − a/g): count the chains' first elements.
  const divisor = greatestCommonDivisor(firstStep, secondStep);
  const repeats = Math.max(0, firstCount - secondStep / divisor) * Math.max(0, secondCount - firstStep / divisor);
  return firstCount * secondCount - repeats;
}

/**
 * Lays the children's translations out, with the steps between neighbours. Children are placed one after another, row by
 * row of the physical array (so that a mapping that uses few columns does not align with them; Timeloop does so too).
 */
export function fillOffsets(
  tables: Tables,
  nest: Nest,
  code: MappingCode,
  space: SpaceTable,
  level: number,
  scratch: FanoutScratch,
): void {
  const { dimensionCount } = tables;
  const { offsets, reach, radix, steps } = scratch;
  const start = level * dimensionCount;
  let weight = 1;
  for (let rank = 0; rank < space.rankCount; rank++) {
    let most = 0;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      const cell = start + dimension;
      most += space.coefficients[rank * dimensionCount + dimension]! * (nest.unionSize[cell]! - nest.childSize[cell]!);
    }
    reach[rank] = most;
    radix[rank] = weight;
    weight *= 2 * most + 1;
  }
  offsets[0] = 0;
  let count = 1;
  const columns = Math.max(tables.fanoutX[level]!, nest.usedX[level]!);
  const aligned = columns === nest.usedX[level]!;
  scratch.stepCount = 0;
  let wrap = 0;
  for (let axis = 0; axis < 2; axis++) {
    const bounds = axis === 0 ? code.spatialX : code.spatialY;
    const order = axis === 0 ? code.orderX : code.orderY;
    // In an aligned array a row ends where Y advances, and the neighbour below differs in Y alone.
    if (aligned) wrap = 0;
    for (let position = dimensionCount - 1; position >= 0; position--) {
      const dimension = order[start + position]!;
      const bound = bounds[start + dimension]!;
      if (bound === 1) continue;
      const stride = nest.childSize[start + dimension]! * (axis === 0 ? 1 : code.spatialX[start + dimension]!);
      let move = 0;
      for (let rank = 0; rank < space.rankCount; rank++) {
        move += space.coefficients[rank * dimensionCount + dimension]! * stride * radix[rank]!;
      }
      for (let index = 1; index < bound; index++) {
        for (let child = 0; child < count; child++) offsets[index * count + child] = offsets[child]! + index * move;
      }
      count *= bound;
      steps[scratch.stepCount++] = move - wrap;
      wrap += (bound - 1) * move;
    }
  }
  scratch.columns = columns;
  scratch.count = count;
  scratch.moreSteps = !aligned && count > columns;
}

/**
 * Which children find what they need now in a neighbour that had it one step ago, the tile having moved by `move`.
 * Returns the number served; `unservedClasses` tells the classes among the others. 0 when nobody is served.
 */
export function countServed(scratch: FanoutScratch, rankCount: number, move: Float64Array): number {
  const { offsets, reach, radix, steps, stepCount, columns, count } = scratch;
  let target = 0;
  for (let rank = 0; rank < rankCount; rank++) {
    if (Math.abs(move[rank]!) > reach[rank]!) return 0;
    target += move[rank]! * radix[rank]!;
  }
  let possible = scratch.moreSteps;
  for (let step = 0; step < stepCount; step++) possible ||= steps[step] === target || steps[step] === -target;
  if (!possible) return 0;
  let unserved = 0;
  for (let child = 0; child < count; child++) {
    const wanted = offsets[child]! + target;
    const column = child % columns;
    const served =
      (column > 0 && offsets[child - 1] === wanted) ||
      (column < columns - 1 && child + 1 < count && offsets[child + 1] === wanted) ||
      (child >= columns && offsets[child - columns] === wanted) ||
      (child + columns < count && offsets[child + columns] === wanted);
    if (!served) scratch.sorted[unserved++] = offsets[child]!;
  }
  return count - unserved;
}

/** Distinct numbers among the first `count`; sorts them in place. */
export function countDistinct(numbers: Float64Array, count: number): number {
  if (count === 0) return 0;
  numbers.subarray(0, count).sort();
  let distinct = 1;
  for (let index = 1; index < count; index++) if (numbers[index] !== numbers[index - 1]) distinct++;
  return distinct;
}

export function greatestCommonDivisor(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y !== 0) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return x;
}
