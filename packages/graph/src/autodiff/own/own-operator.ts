import type { GraphBuilder } from "../../builder/builder.js";
import type { Node, Value } from "../../ir/graph.js";
import type { ShapeRule } from "../../shape/rule.js";

/** What an expansion sees. */
export interface ExpansionContext {
  readonly node: Node;
  /** Inputs of the node; undefined where an optional one is absent. */
  readonly inputs: readonly (Value | undefined)[];
  /** Where the expansion adds its nodes. */
  readonly g: GraphBuilder;
}

/** An operator of Dovetail's own domain: its outputs' types, and the same computation in standard operators (opset 18). */
export interface OwnOperator {
  readonly shape: ShapeRule;
  /** One value for each output of the node. */
  readonly expand: (context: ExpansionContext) => readonly Value[];
}

/** An input that is always there. */
export function required(context: ExpansionContext, index: number): Value {
  return context.inputs[index]!;
}
