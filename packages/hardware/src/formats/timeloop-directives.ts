import { inputError } from "@dovetail/core";
import type { PlacedDirective } from "./timeloop-files.js";
import type { Directive } from "./timeloop-sections.js";

// What a directive says, whether it is part of a mapping or a constraint: factors and permutations as texts or lists.

export interface DirectiveContext {
  readonly dimensions: Readonly<Record<string, number>>;
  readonly tensors: readonly string[];
  /** Levels, outermost first. */
  readonly levels: readonly string[];
  /** Containers by the level of their fan-out. */
  readonly aliases: ReadonlyMap<string, string>;
}

export type DirectiveKind = "temporal" | "spatial" | "dataspace" | "utilization";

/** The kind of a directive. Throws `timeloop_directive` for one that is not modelled. */
export function kindOfDirective({ directive, path }: PlacedDirective): DirectiveKind {
  switch (directive.type) {
    case "temporal":
    case "spatial":
    case "utilization":
      return directive.type;
    case "dataspace":
    case "datatype":
    case "bypass":
      return "dataspace";
    default:
      throw inputError("timeloop_directive", "a directive of this type is not modelled", {
        path: [...path, "type"],
        expected: "one of temporal, spatial, dataspace, datatype, bypass, utilization",
        received: directive.type ?? "nothing",
      });
  }
}

/** The level that a directive is about; a number counts from the innermost. */
export function levelOfDirective({ directive, path }: PlacedDirective, context: DirectiveContext): string {
  const { target } = directive;
  const { levels, aliases } = context;
  if (typeof target === "number" && levels[levels.length - 1 - target] !== undefined) {
    return levels[levels.length - 1 - target]!;
  }
  const name = directive.type === "spatial" ? (aliases.get(String(target)) ?? String(target)) : String(target);
  if (levels.includes(name)) return name;
  throw inputError("timeloop_directive", "the directive is about a level that is not there", {
    path: [...path, "target"],
    expected: `one of ${levels.join(", ")}`,
    received: String(target ?? "nothing"),
  });
}

/** Bounds by dimension; a bound of 0 is what the dimension has as a whole. */
export function factorsOf(
  { directive, path }: PlacedDirective,
  { dimensions }: DirectiveContext,
): Readonly<Record<string, number>> {
  const field = directive.factors_only === undefined || directive.factors_only === null ? "factors" : "factors_only";
  const given = directive[field];
  const listed = given === undefined || given === null ? [] : Array.isArray(given) ? given : splitFactors(given);
  const factors: Record<string, number> = {};
  for (const text of listed) {
    const match = /^\s*([A-Za-z_]\w*?)\s*(?:=\s*(\d+)|(\d+))\s*(?:,\s*(\d+)\s*)?$/.exec(text);
    const bound = Number(match?.[2] ?? match?.[3]);
    const residual = match?.[4] === undefined ? bound : Number(match[4]);
    if (match === null || residual !== bound || !Number.isSafeInteger(bound)) throw badFactor(text, [...path, field]);
    const name = match[1]!;
    if (!Object.hasOwn(dimensions, name)) throw unknownDimension(name, dimensions, [...path, field]);
    factors[name] = bound === 0 ? dimensions[name]! : bound;
  }
  return field === "factors" ? factors : { ...onesOf(dimensions), ...factors };
}

function onesOf(dimensions: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.keys(dimensions).map((name) => [name, 1]));
}

/** `R=3 P=16`, `R=3,P=16` or `R3 P16`; what follows a # is a remark. */
function splitFactors(text: string): string[] {
  return text
    .replace(/#.*$/s, "")
    .replace(/\s*(<=|>=|=|<|>)\s*/g, "$1")
    .split(/[\s,]+/)
    .filter((part) => part !== "");
}

function badFactor(text: string, path: readonly (string | number)[]): Error {
  const bounded = /[<>]/.test(text);
  return inputError(
    "timeloop_factor",
    bounded ? "a bound on a factor is not modelled, only a factor" : "a factor that cannot be read",
    { path, expected: "factors such as P=16, without remainders", received: text },
  );
}

function unknownDimension(
  name: string,
  dimensions: Readonly<Record<string, number>>,
  path: readonly (string | number)[],
): Error {
  return inputError("timeloop_dimension", "the problem has no such dimension", {
    path,
    expected: `one of ${Object.keys(dimensions).join(", ")}`,
    received: name,
  });
}

/** Dimensions innermost first: a list, or a text with separators or, for names of one letter, without. */
export function permutationOf(
  { directive, path }: PlacedDirective,
  { dimensions }: DirectiveContext,
): readonly string[] {
  const given = directive.permutation;
  if (given === undefined || given === null) return [];
  const parts = Array.isArray(given) ? given : given.split(/[\s,]+/).filter((part) => part !== "");
  const known = parts.every((part) => Object.hasOwn(dimensions, part));
  const names = known || Array.isArray(given) ? parts : parts.flatMap((part) => [...part]);
  const stranger = names.find((name) => !Object.hasOwn(dimensions, name));
  if (stranger !== undefined) throw unknownDimension(stranger, dimensions, [...path, "permutation"]);
  if (new Set(names).size === names.length) return names;
  throw inputError("timeloop_permutation", "a dimension appears twice in the permutation", {
    path: [...path, "permutation"],
    received: names.join(" "),
  });
}

/** The tensors of a list; `*` stands for all. */
export function tensorsOf(
  { directive, path }: PlacedDirective,
  field: keyof Directive & ("keep" | "keep_only" | "bypass" | "no_link_transfer" | "no_iteration_over_dataspaces"),
  { tensors }: DirectiveContext,
): readonly string[] {
  const names = directive[field] ?? [];
  if (names.includes("*")) return tensors;
  const stranger = names.find((name) => !tensors.includes(name));
  if (stranger === undefined) return names;
  throw inputError("timeloop_tensor", "the problem has no such data space", {
    path: [...path, field],
    expected: `one of ${tensors.join(", ")}`,
    received: stranger,
  });
}

/** Fields that change how reuse is counted, tensor by tensor. */
const reuseFields = [
  "no_reuse",
  "no_multicast_no_reduction",
  "no_temporal_reuse",
  "rmw_first_update",
  "no_coalesce",
] as const;

const otherFields = [
  "must_iterate_over_dataspaces",
  "maximize_dims",
  "default_max_factor",
  "default_min_factor",
] as const;

/** Throws `timeloop_directive` when a directive asks for what the model does not count or the mapspace cannot hold. */
export function refuseUnmodelled({ directive, path }: PlacedDirective): void {
  for (const field of [...reuseFields, ...otherFields]) {
    const value = directive[field];
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
    throw inputError("timeloop_directive", `${field} is not modelled`, {
      path: [...path, field],
      received: JSON.stringify(value),
    });
  }
  if ((directive.remainders ?? 1) <= 1) return;
  throw inputError("timeloop_directive", "mappings with remainders are not read", { path: [...path, "remainders"] });
}
