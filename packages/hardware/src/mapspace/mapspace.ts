import { compileLimits, type Limits, type MappingRejection } from "../analysis/check.js";
import { compileTables, type Tables } from "../analysis/tables.js";
import type { Architecture } from "../architecture/architecture.js";
import type { LevelConstraints, LoopConstraints } from "../architecture/constraints.js";
import { ANY_ORDER } from "../architecture/constraints.js";
import type { Problem } from "../workload/problem.js";
import { KINDS, SPATIAL_X, SPATIAL_Y, TEMPORAL } from "./candidate.js";
import { primeFactors } from "./primes.js";

/**
 * The mappings that a problem has on an architecture under its constraints: every way to deal the prime factors of the
 * dimensions over the slots (kind and level) where they may stand, every order of loops, and what each memory keeps.
 * The bounds of a dimension multiply to its size exactly.
 */
export interface Mapspace {
  readonly tables: Tables;
  readonly limits: Limits;
  readonly slotCount: number;
  /** `[slot]`: most children; infinite where loops run in time. */
  readonly fanout: Float64Array;
  /** [slot][dimension]: 1 where the bound may change. */
  readonly free: Uint8Array;
  /** [slot][dimension]: bounds that the constraints fix; 1 elsewhere. */
  readonly fixedBounds: Int32Array;
  /** [slot][dimension]: place in the slot's order, outermost first; dimensions of equal rank stand in any order. */
  readonly orderRank: Uint8Array;
  /** Slots in which the order of loops may matter: two or more dimensions, in time or along neighbour links. */
  readonly orderedSlots: Uint8Array;
  /** `[dimension]`: slots where it may stand, outermost first. */
  readonly slotsOf: readonly Uint8Array[];
  /** `[dimension]`: prime factors of what the fixed bounds leave of its size. */
  readonly primesOf: readonly Int32Array[];
  /** Dimensions that can be split in more than one way. */
  readonly movable: Uint8Array;
  /** [level][data space]: 1 where the memory keeps the tensor unless that is free. */
  readonly keep: Uint8Array;
  /** Cells of `keep` that are free. */
  readonly freeKeeps: Uint8Array;
  /** [data space][dimension]: 1 where the dimension addresses the tensor. */
  readonly relevant: Uint8Array;
  /** Why there is no mapping at all, where that is plain from the constraints. */
  readonly obstacle?: MappingRejection | undefined;
}

/**
 * Compiles a mapspace. A memory may run loops in time; a mere fan-out may where a constraint names them. The outermost
 * level keeps every tensor unless told to let it pass; elsewhere a tensor in neither list is free to be kept or not.
 */
export function createMapspace(problem: Problem, architecture: Architecture): Mapspace {
  const tables = compileTables(problem, architecture);
  const { levelCount, dimensionCount, dimensionNames, spaces } = tables;
  const slotCount = KINDS * levelCount;
  const fanout = new Float64Array(slotCount).fill(Number.POSITIVE_INFINITY);
  const free = new Uint8Array(slotCount * dimensionCount);
  const fixedBounds = new Int32Array(slotCount * dimensionCount).fill(1);
  const orderRank = new Uint8Array(slotCount * dimensionCount);
  for (let slot = 0; slot < slotCount; slot++) {
    const level = slot % levelCount;
    const kind = (slot - level) / levelCount;
    if (kind !== TEMPORAL) fanout[slot] = (kind === SPATIAL_X ? tables.fanoutX : tables.fanoutY)[level]!;
    const constraint = loopConstraint(architecture, level, kind);
    const open = kind === TEMPORAL ? tables.hasStorage[level] === 1 : fanout[slot]! > 1;
    dimensionNames.forEach((name, dimension) => {
      const cell = slot * dimensionCount + dimension;
      const fixed = constraint.factors?.[name];
      orderRank[cell] = rankInOrder(constraint.permutation, name);
      if (tables.sizes[dimension] === 1) return;
      if (fixed !== undefined) fixedBounds[cell] = fixed;
      else free[cell] = (constraint.dimensions?.includes(name) ?? open) && fanout[slot]! > 1 ? 1 : 0;
    });
  }
  const rests = dimensionNames.map((_, dimension) => tables.sizes[dimension]! / fixedProduct(dimension));
  const primesOf = rests.map((rest) => Int32Array.from(Number.isInteger(rest) ? primeFactors(rest) : []));
  const slotsOf = dimensionNames.map((_, dimension) => {
    const slots = Array.from({ length: slotCount }, (_, slot) => slot);
    const standing = slots.filter((slot) => free[slot * dimensionCount + dimension] === 1);
    return Uint8Array.from(standing.sort((a, b) => nesting(a, levelCount) - nesting(b, levelCount)));
  });

  function fixedProduct(dimension: number): number {
    let product = 1;
    for (let slot = 0; slot < slotCount; slot++) product *= fixedBounds[slot * dimensionCount + dimension]!;
    return product;
  }

  const stuck = rests.findIndex(
    (rest, dimension) => !Number.isInteger(rest) || (rest > 1 && slotsOf[dimension]!.length === 0),
  );
  const { keep, freeKeeps } = compileKeeping(tables);
  return {
    tables,
    limits: compileLimits(tables),
    slotCount,
    fanout,
    free,
    fixedBounds,
    orderRank,
    orderedSlots: Uint8Array.from({ length: slotCount }, (_, slot) => slot).filter(
      (slot) =>
        (slot < levelCount || tables.neighbourLinks[slot % levelCount] === 1) &&
        slotsOf.filter((slots) => slots.includes(slot)).length > 1,
    ),
    slotsOf,
    primesOf,
    movable: Uint8Array.from(
      dimensionNames.flatMap((_, dimension) =>
        primesOf[dimension]!.length > 0 && slotsOf[dimension]!.length > 1 ? [dimension] : [],
      ),
    ),
    keep,
    freeKeeps,
    relevant: Uint8Array.from(
      spaces.flatMap((space) => dimensionNames.map((_, index) => (space.termDimension.includes(index) ? 1 : 0))),
    ),
    ...(stuck >= 0 && {
      obstacle: {
        ok: false,
        reason: "factors",
        dimension: dimensionNames[stuck]!,
        needed: fixedProduct(stuck),
        available: tables.sizes[stuck]!,
      },
    }),
  };
}

function levelConstraint(architecture: Architecture, level: number): Partial<LevelConstraints> {
  const { name } = architecture.levels[level]!;
  return architecture.constraints?.levels?.find((entry) => entry.level === name) ?? {};
}

function loopConstraint(architecture: Architecture, level: number, kind: number): LoopConstraints {
  const constraint = levelConstraint(architecture, level);
  if (kind === TEMPORAL) return constraint.temporal ?? {};
  return (kind === SPATIAL_X ? constraint.spatialX : constraint.spatialY) ?? {};
}

/** Dimensions that a permutation does not name stand where its `*` does, outermost when it has none. */
function rankInOrder(permutation: readonly string[] | undefined, dimension: string): number {
  if (permutation === undefined) return 0;
  const named = permutation.indexOf(dimension);
  return (named < 0 ? permutation.indexOf(ANY_ORDER) : named) + 1;
}

/** Orders slots from the outermost loop to the innermost: time, then Y, then X of each level. */
function nesting(slot: number, levelCount: number): number {
  const level = slot % levelCount;
  const kind = (slot - level) / levelCount;
  return KINDS * level + (kind === TEMPORAL ? 0 : kind === SPATIAL_Y ? 1 : 2);
}

function compileKeeping(tables: Tables): { keep: Uint8Array; freeKeeps: Uint8Array } {
  const keep = new Uint8Array(tables.levelCount * tables.spaces.length);
  const freeKeeps: number[] = [];
  for (let level = 0; level < tables.levelCount; level++) {
    if (tables.hasStorage[level] !== 1) continue;
    const constraint = levelConstraint(tables.architecture, level);
    tables.spaces.forEach(({ name }, space) => {
      const cell = level * tables.spaces.length + space;
      if (constraint.bypass?.includes(name)) return;
      keep[cell] = 1;
      if (level > 0 && !constraint.keep?.includes(name)) freeKeeps.push(cell);
    });
  }
  return { keep, freeKeeps: Uint8Array.from(freeKeeps) };
}
