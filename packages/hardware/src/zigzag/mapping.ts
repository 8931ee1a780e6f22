import type { MemoryOperand } from "./accelerator.js";
import type { ZigZagLayer } from "./layer.js";

/** A loop of the temporal order; without a factor it takes what is left of its dimension. */
export interface OrderedLoop {
  readonly dimension: string;
  readonly factor?: number | undefined;
}

/** Layer dimensions that lie along a dimension of the array. */
export type Unrolling = readonly { readonly dimension: string; readonly factor: number }[];

/** How layers of one name, or of one kind of operator, are mapped. */
export interface ZigZagMappingEntry {
  /** A layer's name, an operator, or `default`. */
  readonly name: string;
  /** By dimension of the array. A dimension that is missing is filled by the search. */
  readonly spatial: Readonly<Record<string, Unrolling>>;
  /** Layer dimensions that the search may lay along a dimension of the array; all where it is missing. */
  readonly spatialHints: Readonly<Record<string, readonly string[]>>;
  /** Innermost first; `inner` from the inside, `outer` up to the outside, anything may lie between them. */
  readonly order: { readonly inner: readonly OrderedLoop[]; readonly outer: readonly OrderedLoop[] };
  /** Memory operand of each operand of the layer. */
  readonly links: Readonly<Record<string, MemoryOperand>>;
}

/** The entry of a layer: that of its name, else that of its operator, else `default`. */
export function mappingEntryOf(
  entries: readonly ZigZagMappingEntry[],
  layer: ZigZagLayer,
): ZigZagMappingEntry | undefined {
  const named = (name: string): ZigZagMappingEntry | undefined => entries.find((entry) => entry.name === name);
  return named(layer.name) ?? named(layer.operator) ?? named("default");
}

/** A loop in time. */
export interface TemporalLoop {
  readonly dimension: string;
  readonly factor: number;
}

/** One order of loops for all operands, cut for each operand where its memories end: an uneven mapping. */
export interface TemporalMapping {
  /** Innermost first. */
  readonly loops: readonly TemporalLoop[];
  /** By operand: how many of the loops lie at or below each of its memory levels, innermost level first. */
  readonly cuts: Readonly<Record<string, readonly number[]>>;
}

/** What lies along each dimension of the array, in whole units. */
export type SpatialMapping = Readonly<Record<string, Unrolling>>;
