import type { Attribute, Dimension, Node, Shape, Tensor, TensorType } from "../ir/graph.js";

/** What a shape rule sees. */
export interface ShapeContext {
  readonly node: Node;
  /** Types of the inputs; undefined where absent or unknown. */
  readonly inputs: readonly (TensorType | undefined)[];
  /** Version of the operator's domain. */
  readonly opset: number;
  /** The value of an input when it is a constant (or can be computed from shapes), else undefined. */
  constant(index: number): Tensor | undefined;
  /**
   * The entries of a small numeric input, flat, when it is a constant or computed from shapes: sizes known by name
   * are names, entries that are not known are undefined. Undefined when nothing is known.
   */
  entries(index: number): readonly (Dimension | undefined)[] | undefined;
  /** `entries` when all of them are numbers, else undefined. */
  numbers(index: number): readonly number[] | undefined;
  /** True when the node has this input. */
  has(index: number): boolean;
  /** The type of an input; throws a clear error when it is absent or unknown. */
  input(index: number): TensorType;
  /** The shape of an input; throws a clear error when it is unknown. */
  shape(index: number): Shape;
  /** Types of a subgraph's outputs (If, Loop). */
  subgraph(attribute: Extract<Attribute, { kind: "graph" }>): readonly TensorType[];
  /** A name for a size that cannot be expressed. */
  unknownDimension(): string;
  /** An error that names the node, its operator and all input shapes. */
  fail(message: string, details?: { expected?: string; received?: string; hint?: string }): Error;
}

/** Types of a node's outputs. */
export type ShapeRule = (context: ShapeContext) => readonly TensorType[];

/** Shape rules by operator; operators of other domains are written `domain.Name`. */
export type ShapeTable = Readonly<Record<string, ShapeRule>>;
