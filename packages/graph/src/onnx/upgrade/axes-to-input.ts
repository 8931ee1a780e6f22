import { int64Vector } from "../../ir/tensor.js";
import { attribute, changed, type UpgradeContext, type UpgradeRule } from "./rule.js";

/** Squeeze and Unsqueeze (13), ReduceSum (13), the other reductions (18): the attribute `axes` became the second input. */
export const axesToInput: UpgradeRule = (context) => moveToInput(context, "axes");

/**
 * Split (13): the attribute `split` became the second input. In 18 a Split into equal parts says how many with
 * `num_outputs`.
 */
export const splitSizes: UpgradeRule = (context) => {
  const [node] = moveToInput(context, "split");
  if (!node || node.inputs[1]) return node ? [node] : [];
  return [changed(node, { attributes: { num_outputs: { kind: "int", value: node.outputs.length } } })];
};

function moveToInput(context: UpgradeContext, name: string): ReturnType<UpgradeRule> {
  const values = attribute(context, name, "ints");
  if (values === undefined) return [context.node];
  if (context.node.inputs[1]) throw context.fail(`both an attribute "${name}" and a second input`);
  const input = context.constant(name, int64Vector(values));
  return [changed(context.node, { inputs: [context.node.inputs[0] ?? "", input], without: [name] })];
}
