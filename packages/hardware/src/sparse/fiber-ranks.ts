import type { SpaceTable } from "../analysis/tables.js";
import { type Extents, volume } from "./density-model.js";
import type { Movement } from "./movement.js";
import { extentsOf, isRelevant, type SparseNest } from "./nest.js";
import type { TensorFormat } from "./schema.js";

// Which loops a rank of a compressed tensor stands for. A fiber tree has a rank for every loop over the tensor between
// a level and the next inner level that keeps it, or for several loops flattened into one; a level whose child holds
// tiles of its own begins with the child's ranks, since tiles are cut before they are compressed.
// Timeloop's `DefineCompressionFormatModels`, `ApplyRanksOuterToInner` and `ApplyRanksInnerToOuter`.

/** A loop over a tensor, with the tile that it and all inside it cover. */
interface TensorLoop {
  readonly dimension: number;
  readonly bound: number;
  readonly tile: Extents;
}

interface Ranks {
  /** Innermost first. */
  readonly loops: { readonly dimension: number; readonly bound: number }[][];
  readonly tiles: Extents[];
}

/** Why a tensor's formats do not go with a mapping: `ranks` are too few, or `format`s of two levels differ. */
export interface FormatProblem {
  readonly level: number;
  readonly what: "ranks" | "format";
}

/** Gives every level of one tensor its ranks, in place; what does not go is returned. */
export function defineRanks(
  nest: SparseNest,
  space: SpaceTable,
  movements: readonly Movement[],
): FormatProblem | undefined {
  for (const [level, movement] of movements.entries()) {
    if (movement.shape === 0) continue;
    const child = movement.child === undefined ? undefined : movements[movement.child]!;
    const innermost = movement.child === undefined ? 0 : movement.child + 1;
    const pretiled = movement.compressed && child !== undefined && child.shape > 1;
    if (pretiled && !agreesWith(movement, child)) return { level, what: "format" };
    const loops = tensorLoops(nest, space, innermost, level, !pretiled);
    const first = pretiled ? child.fiberShapes.length : 0;
    const rules = rulesOf(nest.tables.dimensionNames, movement.format);
    const scalar = Array.from({ length: space.rankCount }, () => 1);
    const assign = movement.format?.rankOrder === "innerToOuter" ? ranksInnerToOuter : ranksOuterToInner;
    const ranks = assign(loops, first, rules, scalar);
    if (ranks === undefined) return { level, what: "ranks" };
    movement.rankLoops = pretiled ? [...child.rankLoops, ...ranks.loops] : ranks.loops;
    movement.subtiles = pretiled ? [...child.subtiles, ...ranks.tiles] : [scalar, ...ranks.tiles];
    movement.fiberShapes = movement.rankLoops.map((rank) => fiberShape(nest, space, rank));
  }
  return undefined;
}

/** The inner ranks of a level whose child is compressed must be those of the child. */
function agreesWith(movement: Movement, child: Movement): boolean {
  const own = [...(movement.format?.ranks ?? [])].reverse();
  const inner = [...(child.format?.ranks ?? [])].reverse();
  if (Math.max(1, inner.length) > own.length) return false;
  return !child.compressed || inner.every(({ format }, rank) => format === own[rank]!.format);
}

/**
 * The loops over a tensor at the levels from `innermost` to `level`, innermost first. With `whole`, the innermost loop
 * of every dimension also covers what the levels below iterate over.
 */
function tensorLoops(
  nest: SparseNest,
  space: SpaceTable,
  innermost: number,
  level: number,
  whole: boolean,
): TensorLoop[] {
  const below = new Float64Array(nest.tables.dimensionCount).fill(1);
  if (whole) {
    for (const loops of nest.levels.slice(0, innermost)) {
      for (const { dimension, bound } of loops) below[dimension] = below[dimension]! * bound;
    }
  }
  return nest.levels.slice(innermost, level + 1).flatMap((loops) =>
    loops.flatMap(({ dimension, bound, box }) => {
      if (!isRelevant(space, dimension)) return [];
      const scaled = bound * below[dimension]!;
      below[dimension] = 1;
      return [{ dimension, bound: scaled, tile: extentsOf(space, box) }];
    }),
  );
}

/** The outermost rank goes to the outermost loop that is not trivial; undefined when loops are left over. */
function ranksOuterToInner(
  loops: readonly TensorLoop[],
  first: number,
  rules: readonly RankRule[],
  scalar: Extents,
): Ranks | undefined {
  const ranks: Ranks = { loops: [], tiles: [] };
  const innermostTile = loops[0]?.tile ?? scalar;
  let rank = rules.length;
  let at = loops.length - 1;
  while (rank > first && at >= 0) {
    while (at >= 0 && loops[at]!.bound <= 1) at--;
    if (at < 0) break;
    rank--;
    const group = groupFor(rules[rank]!, loops[at]!.dimension);
    if (group === "unmapped") {
      ranks.loops.push([]);
      ranks.tiles.push(innermostTile);
      continue;
    }
    const flattened = [loops[at]!];
    const { tile } = loops[at]!;
    at--;
    while (group !== "single" && at >= 0 && absorbs(group, loops[at]!)) {
      if (loops[at]!.bound > 1) flattened.push(loops[at]!);
      at--;
    }
    ranks.loops.unshift(flattened);
    ranks.tiles.unshift(tile);
  }
  for (; rank > first; rank--) {
    ranks.loops.unshift([]);
    ranks.tiles.unshift(innermostTile);
  }
  return loops.slice(0, at + 1).some(({ bound }) => bound > 1) ? undefined : ranks;
}

/** The innermost rank goes to the innermost loop that is not trivial; undefined when loops are left over. */
function ranksInnerToOuter(
  loops: readonly TensorLoop[],
  first: number,
  rules: readonly RankRule[],
  scalar: Extents,
): Ranks | undefined {
  const ranks: Ranks = { loops: [], tiles: [] };
  const last = rules.length - 1;
  let rank = first - 1;
  let at = 0;
  while (rank < last && at < loops.length) {
    while (at < loops.length && loops[at]!.bound <= 1) at++;
    if (at === loops.length) break;
    rank++;
    const group = groupFor(rules[rank]!, loops[at]!.dimension);
    if (group === "unmapped") {
      ranks.loops.push([]);
      ranks.tiles.push(scalar);
      continue;
    }
    const flattened = [loops[at]!];
    const { tile } = loops[at]!;
    at++;
    while (group !== "single" && at < loops.length && absorbs(group, loops[at]!)) {
      if (loops[at]!.bound > 1) flattened.push(loops[at]!);
      at++;
    }
    ranks.loops.push(flattened);
    ranks.tiles.push(tile);
  }
  for (; rank < last; rank++) {
    ranks.loops.push([]);
    ranks.tiles.push(loops[0]?.tile ?? scalar);
  }
  return loops.slice(at).some(({ bound }) => bound > 1) ? undefined : ranks;
}

/** What a rank may flatten: everything (a tensor without a format), one loop only, or the loops of one of its groups. */
type RankRule = "all" | "single" | readonly ReadonlySet<number>[];

/** The rule of every rank, innermost first. */
function rulesOf(names: readonly string[], format: TensorFormat | undefined): RankRule[] {
  if (format === undefined) return ["all"];
  const rules = format.ranks.map(({ flatten = [] }): RankRule => {
    if (flatten.length === 0) return "single";
    return flatten.map((group) => new Set(group.map((name) => names.indexOf(name))));
  });
  return rules.reverse();
}

/** What the rank may take besides this loop; `unmapped` when not even the loop. */
function groupFor(rule: RankRule, dimension: number): "all" | "single" | "unmapped" | ReadonlySet<number> {
  if (typeof rule === "string") return rule;
  return rule.find((group) => group.has(dimension)) ?? "unmapped";
}

function absorbs(group: "all" | ReadonlySet<number>, loop: TensorLoop): boolean {
  return group === "all" || loop.bound <= 1 || group.has(loop.dimension);
}

function fiberShape(
  nest: SparseNest,
  space: SpaceTable,
  rank: readonly { readonly dimension: number; readonly bound: number }[],
): number {
  const box = new Float64Array(nest.tables.dimensionCount).fill(1);
  for (const { dimension, bound } of rank) box[dimension] = box[dimension]! * bound;
  return volume(extentsOf(space, box));
}
