import type { Node } from "../../ir/graph.js";
import { attribute, changed, type UpgradeContext, type UpgradeRule } from "./rule.js";

/**
 * Softmax, LogSoftmax and Hardmax before 13 work on the input flattened to two dimensions at `axis` (default 1); since
 * then along one axis. Where the axis is the last one both are the same, else the flattening is written out.
 */
export const flattenedSoftmax: UpgradeRule = (context) => {
  const { node } = context;
  const axis = attribute(context, "axis", "int") ?? 1;
  const rank = context.typeOf(node.inputs[0] ?? "")?.shape?.length;
  const last: Record<string, { kind: "int"; value: number }> = { axis: { kind: "int", value: -1 } };
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) return [changed(node, { attributes: last })];
  return writtenOut(context, axis);
};

function writtenOut(context: UpgradeContext, axis: number): readonly Node[] {
  const { node } = context;
  const input = node.inputs[0] ?? "";
  const step = (operator: string, inputs: readonly string[], output: string, axisValue?: number): Node => ({
    name: output,
    domain: "",
    operator,
    inputs,
    outputs: [output],
    attributes: axisValue === undefined ? {} : { axis: { kind: "int", value: axisValue } },
  });
  const shape = context.fresh("shape");
  const flat = context.fresh("flat");
  const result = context.fresh("flat_result");
  return [
    step("Shape", [input], shape),
    step("Flatten", [input], flat, axis),
    step(node.operator, [flat], result, -1),
    {
      name: node.name,
      domain: "",
      operator: "Reshape",
      inputs: [result, shape],
      outputs: node.outputs,
      attributes: {},
    },
  ];
}
