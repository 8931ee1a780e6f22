// Values of small tensors as far as they follow from shapes and constants.

import { type ElementType, elementTypes } from "../ir/element-type.js";
import type { Dimension, Tensor } from "../ir/graph.js";
import { elementCount, tensor } from "../ir/tensor.js";

/** A small tensor some of whose entries are known: numbers, sizes known by name, or undefined. */
export interface KnownEntries {
  readonly elementType: ElementType;
  readonly dimensions: readonly number[];
  readonly entries: readonly (Dimension | undefined)[];
}

/** Tensors with more entries are not evaluated. */
export const entryLimit = 1024;

/** The entries of a constant; undefined when it is large, has no data, or holds no plain numbers. */
export function entriesOfTensor(constant: Tensor): KnownEntries | undefined {
  const { elementType, dimensions, data } = constant;
  if (!data || elementCount(dimensions) > entryLimit || Array.isArray(data)) return undefined;
  if (!isPlain(elementType)) return undefined;
  return { elementType, dimensions, entries: Array.from(data as ArrayLike<number | bigint>, Number) };
}

/** The constant with these entries, or undefined when one of them is not a number. */
export function tensorOfEntries(known: KnownEntries): Tensor | undefined {
  if (!known.entries.every((entry) => typeof entry === "number") || !isPlain(known.elementType)) return undefined;
  return tensor(known.elementType, known.dimensions, known.entries as number[]);
}

/** True for types whose typed array holds the values themselves. */
export function isPlain(elementType: ElementType): boolean {
  return elementTypes[elementType].bits >= 8 && elementType !== "float16" && elementType !== "bfloat16";
}
