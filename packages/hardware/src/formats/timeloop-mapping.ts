import { inputError } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import {
  ANY_ORDER,
  type Constraints,
  type LevelConstraints,
  type LoopConstraints,
} from "../architecture/constraints.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import {
  type DirectiveContext,
  factorsOf,
  kindOfDirective,
  levelOfDirective,
  permutationOf,
  refuseUnmodelled,
  tensorsOf,
} from "./timeloop-directives.js";
import type { PlacedDirective } from "./timeloop-files.js";

// Directives of a mapping as our mapping, and constraints as our constraints. Both have the same form: a mapping is a
// constraint that leaves one choice.

/** All directives about one level; of two of one kind the later fields count. */
interface LevelDirectives {
  temporal?: PlacedDirective | undefined;
  spatial?: PlacedDirective | undefined;
  readonly dataspace: PlacedDirective[];
}

/** Sorts directives by level. Throws DovetailError with the path of what cannot be taken over. */
function byLevel(
  directives: readonly PlacedDirective[],
  context: DirectiveContext,
): ReadonlyMap<string, LevelDirectives> {
  const levels = new Map<string, LevelDirectives>(context.levels.map((name) => [name, { dataspace: [] }]));
  for (const placed of directives) {
    const kind = kindOfDirective(placed);
    refuseUnmodelled(placed);
    if (kind === "utilization") continue;
    const level = levels.get(levelOfDirective(placed, context))!;
    if (kind === "dataspace") level.dataspace.push(placed);
    else level[kind] = { directive: { ...level[kind]?.directive, ...placed.directive }, path: placed.path };
  }
  return levels;
}

/**
 * Levels whose fan-out passes nothing on between neighbours.
 *
 * @throws DovetailError `timeloop_directive` when only some tensors are concerned: links are all tensors' or none's.
 */
export function levelsWithoutLinks(
  directives: readonly PlacedDirective[],
  context: DirectiveContext,
): ReadonlySet<string> {
  const levels = new Set<string>();
  for (const placed of directives) {
    const tensors = tensorsOf(placed, "no_link_transfer", context);
    if (tensors.length === 0) continue;
    if (new Set(tensors).size < context.tensors.length) {
      throw inputError("timeloop_directive", "links for some data spaces only are not modelled", {
        path: [...placed.path, "no_link_transfer"],
        expected: `none, or all of ${context.tensors.join(", ")}`,
        received: tensors.join(", "),
      });
    }
    levels.add(levelOfDirective(placed, context));
  }
  return levels;
}

/** A constraint that leaves a choice says nothing of a mapping. */
function withoutBounds({ directive, path }: PlacedDirective): PlacedDirective {
  const { factors } = directive;
  const bounded = (Array.isArray(factors) ? factors.join(" ") : (factors ?? "")).match(/[<>]/) !== null;
  return { directive: bounded ? { ...directive, factors: undefined } : directive, path };
}

/**
 * The mapping that directives describe, and what constraints say of levels that they leave out. A level holds every tensor that no directive lets pass; a dimension without a
 * factor has none here; permutations are innermost first, and dimensions that they leave out stand outside.
 */
export function mappingOfDirectives(
  constraints: readonly PlacedDirective[],
  directives: readonly PlacedDirective[],
  architecture: Architecture,
  context: DirectiveContext,
  withTrivialLoops: boolean,
): Mapping {
  const levels = byLevel([...constraints.map(withoutBounds), ...directives], context);
  return {
    levels: architecture.levels.map(({ name, storage }) => {
      const { temporal, spatial, dataspace } = levels.get(name)!;
      const wanted = ({ bound }: Loop): boolean => withTrivialLoops || bound > 1;
      const loops = temporal === undefined ? [] : loopsOf(temporal, context);
      const spread = spatial === undefined ? [] : loopsOf(spatial, context);
      const split = spatial?.directive.split ?? spread.length;
      const { keep, bypass } = keeping(dataspace, context);
      const held = context.tensors.filter((tensor) => keep.has(tensor) || !bypass.has(tensor));
      return {
        level: name,
        keep: storage === undefined ? [] : held,
        temporal: loops.filter(wanted).reverse(),
        spatialY: spread.slice(split).filter(wanted).reverse(),
        spatialX: spread.slice(0, split).filter(wanted).reverse(),
      };
    }),
  };
}

/** Loops of a directive, innermost first, one a dimension. */
function loopsOf(placed: PlacedDirective, context: DirectiveContext): Loop[] {
  const factors = factorsOf(placed, context);
  return wholeOrder(permutationOf(placed, context), context).map((dimension) => ({
    dimension,
    bound: factors[dimension] ?? 1,
  }));
}

function wholeOrder(permutation: readonly string[], { dimensions }: DirectiveContext): string[] {
  return [...permutation, ...Object.keys(dimensions).filter((name) => !permutation.includes(name))];
}

function keeping(
  placed: readonly PlacedDirective[],
  context: DirectiveContext,
): { readonly keep: ReadonlySet<string>; readonly bypass: ReadonlySet<string> } {
  const keep = new Set<string>();
  const bypass = new Set<string>();
  for (const directive of placed) {
    const only = tensorsOf(directive, "keep_only", context);
    const kept = [...tensorsOf(directive, "keep", context), ...only];
    const passed = tensorsOf(directive, "bypass", context);
    const others = only.length === 0 ? [] : context.tensors.filter((tensor) => !only.includes(tensor));
    for (const tensor of [...passed, ...others]) {
      bypass.add(tensor);
      keep.delete(tensor);
    }
    for (const tensor of kept) {
      keep.add(tensor);
      bypass.delete(tensor);
    }
  }
  return { keep, bypass };
}

/** The constraints that directives describe, added to those that the architecture has. */
export function constraintsOfDirectives(
  directives: readonly PlacedDirective[],
  architecture: Architecture,
  context: DirectiveContext,
  relevant: (tensor: string, dimension: string) => boolean,
): Constraints {
  const levels = byLevel(directives, context);
  const shares = directives.flatMap(({ directive }) =>
    directive.type === "utilization" && typeof directive.min === "number" ? [directive.min] : [],
  );
  const known = new Map((architecture.constraints?.levels ?? []).map((entry) => [entry.level, entry]));
  const entries = architecture.levels.map((level): LevelConstraints => {
    const { temporal, spatial, dataspace } = levels.get(level.name)!;
    const { keep, bypass } = keeping(dataspace, context);
    const holds = level.storage !== undefined;
    return {
      level: level.name,
      ...known.get(level.name),
      ...(holds && keep.size > 0 && { keep: [...keep] }),
      ...(holds && bypass.size > 0 && { bypass: [...bypass] }),
      ...(!holds && { temporal: { dimensions: [] } }),
      ...(holds && temporal && { temporal: loopConstraints(temporal, context, relevant) }),
      ...(spatial && spatialConstraints(spatial, context, relevant)),
    };
  });
  return {
    levels: entries,
    ...(shares.length > 0 && { minComputeUtilization: Math.max(...shares) }),
  };
}

type Relevant = (tensor: string, dimension: string) => boolean;

function loopConstraints(placed: PlacedDirective, context: DirectiveContext, relevant: Relevant): LoopConstraints {
  const factors = constrainedFactors(placed, context, relevant);
  const inner = permutationOf(placed, context);
  const rest = inner.length < Object.keys(context.dimensions).length ? [ANY_ORDER] : [];
  return {
    ...(Object.keys(factors).length > 0 && { factors }),
    ...(inner.length > 0 && { permutation: [...rest, ...[...inner].reverse()] }),
  };
}

/** Dimensions of a tensor that must not be iterated over have the factor 1. */
function constrainedFactors(
  placed: PlacedDirective,
  context: DirectiveContext,
  relevant: Relevant,
): Readonly<Record<string, number>> {
  const tensors = tensorsOf(placed, "no_iteration_over_dataspaces", context);
  const still = Object.keys(context.dimensions).filter((dimension) =>
    tensors.some((tensor) => relevant(tensor, dimension)),
  );
  return { ...factorsOf(placed, context), ...Object.fromEntries(still.map((dimension) => [dimension, 1])) };
}

/**
 * The first `split` dimensions of the permutation lie along X, the others along Y. Without a split a dimension may lie
 * along either, and one with a fixed factor is put along X.
 */
function spatialConstraints(
  placed: PlacedDirective,
  context: DirectiveContext,
  relevant: Relevant,
): Pick<LevelConstraints, "spatialX" | "spatialY"> {
  const factors = constrainedFactors(placed, context, relevant);
  const order = wholeOrder(permutationOf(placed, context), context);
  const { split } = placed.directive;
  const alongX = split === undefined || split === null ? undefined : order.slice(0, split);
  const only = (dimensions: readonly string[]): Record<string, number> =>
    Object.fromEntries(Object.entries(factors).filter(([name]) => dimensions.includes(name)));
  if (alongX !== undefined) {
    const alongY = order.filter((name) => !alongX.includes(name));
    return {
      spatialX: { dimensions: alongX, factors: only(alongX) },
      spatialY: { dimensions: alongY, factors: only(alongY) },
    };
  }
  const ones = Object.keys(factors).filter((name) => factors[name] === 1);
  const fixed = Object.keys(factors).filter((name) => factors[name]! > 1);
  const absent = Object.fromEntries([...ones, ...fixed].map((name) => [name, 1]));
  return {
    ...(Object.keys(factors).length > 0 && { spatialX: { factors }, spatialY: { factors: absent } }),
  };
}
