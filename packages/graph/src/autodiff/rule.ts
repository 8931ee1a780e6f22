import type { GraphBuilder } from "../builder/builder.js";
import type { Node, Tensor, Value } from "../ir/graph.js";

/** What a gradient rule sees. */
export interface GradientContext {
  readonly node: Node;
  /** Inputs of the node; undefined where an optional one is absent. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  /** Gradient of the loss with respect to each output; undefined means zero. At least one is there. */
  readonly outputGradients: readonly (Value | undefined)[];
  /** Which inputs need a gradient: the others may be left undefined in the result. */
  readonly needed: readonly boolean[];
  /** Where the rule adds its nodes. */
  readonly g: GraphBuilder;
  /** An input; throws a clear error when it is absent. */
  input(index: number): Value;
  /** An output; throws a clear error when it is absent. */
  output(index: number): Value;
  /** The value of an input when it is a constant, else undefined. */
  constant(index: number): Tensor | undefined;
  /**
   * Gradients to all inputs by way of the same computation in operators that have rules: `forward` adds it to the graph
   * and returns its outputs. For operators whose gradient is not worth a formula of its own.
   */
  through(
    forward: (inputs: readonly (Value | undefined)[]) => readonly (Value | undefined)[],
  ): readonly (Value | undefined)[];
  /** An error that names the node and its operator. */
  fail(message: string, details?: { expected?: string; received?: string; hint?: string }): Error;
}

/** Gradient of the loss with respect to each input; undefined (or left out at the end) means zero, or not needed. */
export type GradientRule = (context: GradientContext) => readonly (Value | undefined)[];

/** Gradient rules by operator; operators of Dovetail's own domain are written `ai.dovetail.Name`. */
export type GradientTable = Readonly<Record<string, GradientRule>>;

/** Differentiates a region as one operation: from `outputs` to `inputs` by `backward`, whatever nodes lie between. */
export interface CustomGradient {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly backward: (
    outputGradients: readonly (Value | undefined)[],
    context: { readonly g: GraphBuilder; readonly inputs: readonly Value[]; readonly outputs: readonly Value[] },
  ) => readonly (Value | undefined)[];
}
