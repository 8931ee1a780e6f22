import { type ElementType, elementTypes } from "../ir/element-type.js";
import type { Dimension, Node, TensorType } from "../ir/graph.js";
import type { KnownEntries } from "./entries.js";

/** What an evaluation rule sees. */
export interface EvaluationContext {
  readonly node: Node;
  type(index: number): TensorType | undefined;
  entries(index: number): KnownEntries | undefined;
}

/** The first output's entries, or undefined when they do not follow from what is known. */
export type EvaluationRule = (context: EvaluationContext) => KnownEntries | undefined;

/** A number, a size known by name, or unknown. */
export type Entry = Dimension | undefined;

/** A known number as the element type holds it. */
export function rounded(entry: Entry, elementType: ElementType): Entry {
  if (typeof entry !== "number") return entry;
  if (elementType === "bool") return entry === 0 ? 0 : 1;
  if (elementType === "float32") return Math.fround(entry);
  return elementTypes[elementType].isFloat ? entry : Math.trunc(entry);
}

/** The entries when all of them are numbers. */
export function numbersOf(value: KnownEntries | undefined): readonly number[] | undefined {
  return value?.entries.every((entry) => typeof entry === "number") ? (value.entries as number[]) : undefined;
}
