import type { Attribute, Tensor } from "../../ir/graph.js";
import { scalar } from "../../ir/tensor.js";
import { attribute, changed, type UpgradeRule } from "./rule.js";

/** Dropout (12): the attribute `ratio` became the second input; without a third one the node is in inference mode. */
export const dropoutRatio: UpgradeRule = (context) => {
  const ratio = attribute(context, "ratio", "float");
  if (ratio === undefined) return [context.node];
  const input = context.constant("ratio", scalar(ratio));
  return [changed(context.node, { inputs: [context.node.inputs[0] ?? "", input], without: ["ratio"] })];
};

/**
 * BatchNormalization (14): training has a flag. Before, more than one output meant training, and there were two more,
 * of the batch's own statistics.
 */
export const batchNormalizationMode: UpgradeRule = (context) => {
  const { node } = context;
  const extra = node.outputs.slice(1);
  if (!extra.some((name) => name !== "" && context.isUsed(name))) {
    return [{ ...node, outputs: node.outputs.slice(0, 1) }];
  }
  if (node.outputs.slice(3).some((name) => name !== "" && context.isUsed(name))) {
    throw context.fail('the outputs "saved_mean" and "saved_var" were removed in operator set 14');
  }
  const training: Attribute = { kind: "int", value: 1 };
  return [{ ...changed(node, { attributes: { training_mode: training } }), outputs: node.outputs.slice(0, 3) }];
};

/** Resize (13): `roi` and `scales` are left out where they were empty tensors before. */
export const resizeInputs: UpgradeRule = (context) => {
  const { node } = context;
  if (attribute(context, "coordinate_transformation_mode", "string") === "tf_half_pixel_for_nn") {
    throw context.fail('the mode "tf_half_pixel_for_nn" was removed in operator set 13');
  }
  const isEmpty = (name: string): boolean => context.constantOf(name)?.dimensions.includes(0) ?? false;
  const inputs = node.inputs.map((name, index) => ((index === 1 || index === 2) && isEmpty(name) ? "" : name));
  while (inputs.at(-1) === "") inputs.pop();
  return [{ ...node, inputs }];
};

/** RoiAlign (16): the default of `coordinate_transformation_mode` changed to "half_pixel". */
export const roiAlignMode: UpgradeRule = (context) => [
  changed(context.node, {
    attributes: { coordinate_transformation_mode: { kind: "string", value: "output_half_pixel" } },
  }),
];

/** Constant: its value in whatever attribute it was given (12), as a tensor. */
export const constantValue: UpgradeRule = (context) => {
  const value = constantTensor(context.node.attributes);
  return [value ? { ...context.node, attributes: { value: { kind: "tensor", value } } } : context.node];
};

function constantTensor(attributes: Readonly<Record<string, Attribute>>): Tensor | undefined {
  const [given, ...others] = Object.values(attributes);
  if (!given || others.length > 0) return undefined;
  switch (given.kind) {
    case "int":
      return { elementType: "int64", dimensions: [], data: BigInt64Array.of(BigInt(given.value)) };
    case "ints":
      return { elementType: "int64", dimensions: [given.value.length], data: BigInt64Array.from(given.value, BigInt) };
    case "float":
      return { elementType: "float32", dimensions: [], data: Float32Array.of(given.value) };
    case "floats":
      return { elementType: "float32", dimensions: [given.value.length], data: Float32Array.from(given.value) };
    case "string":
      return { elementType: "string", dimensions: [], data: [given.value] };
    case "strings":
      return { elementType: "string", dimensions: [given.value.length], data: [...given.value] };
    default:
      return undefined;
  }
}
