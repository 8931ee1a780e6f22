import { inputError } from "@dovetail/core";
import type { GraphBuilder } from "../builder/builder.js";
import type { Node, Tensor, Value } from "../ir/graph.js";
import type { GradientContext } from "./rule.js";

/** The key of a node's operator in tables of rules. */
export function operatorKey(node: Node): string {
  return node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
}

export function gradientContext(
  g: GraphBuilder,
  node: Node,
  outputGradient: (name: string) => Value | undefined,
  dependent: ReadonlySet<string>,
): Omit<GradientContext, "through"> {
  const named = (name: string): Value | undefined => (name === "" ? undefined : g.value(name));
  const inputs = node.inputs.map(named);
  const outputs = node.outputs.map(named);
  const fail: GradientContext["fail"] = (message, details = {}) =>
    inputError("gradient", `node "${node.name}" (${operatorKey(node)}): ${message}`, details);
  const present = (value: Value | undefined, what: string): Value => {
    if (!value) throw fail(`${what} is absent`);
    return value;
  };
  return {
    node,
    inputs,
    outputs,
    outputGradients: node.outputs.map(outputGradient),
    needed: node.inputs.map((name) => dependent.has(name)),
    g,
    input: (index) => present(inputs[index], `input ${index}`),
    output: (index) => present(outputs[index], `output ${index}`),
    constant: (index): Tensor | undefined => {
      const name = node.inputs[index];
      return name ? g.constantOf(name) : undefined;
    },
    fail,
  };
}
