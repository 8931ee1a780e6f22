import { attributeOf } from "../../ir/attribute.js";
import type { Shape, Value } from "../../ir/graph.js";
import { isStatic } from "../../ir/tensor.js";
import { type Window, windowAttributes, windowExtent, windowOf } from "../own/window.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { rankOf, shapeOf } from "../shapes.js";

/** The kernel's sizes, which must be known. */
function kernelOf(context: GradientContext): readonly number[] {
  const kernel = shapeOf(context.input(1)).slice(2);
  if (!isStatic(kernel)) throw context.fail("the kernel's sizes must be known");
  return kernel as readonly number[];
}

/** The node's window; `auto_pad` is resolved. */
export function knownWindow(context: GradientContext, kernel: readonly number[], spatial: Shape): Window {
  const window = windowOf(context.node, kernel, spatial);
  if (window) return window;
  throw context.fail("auto_pad with a stride needs spatial sizes that are known when the graph is built", {
    hint: "give pads instead of auto_pad",
  });
}

/** `input_shape` where the spatial sizes are known; else the input itself goes along for its shape. */
export function inputSizes(x: Value): { readonly attribute: readonly number[] | undefined; readonly like?: Value } {
  const spatial: Shape = shapeOf(x).slice(2);
  return isStatic(spatial) ? { attribute: spatial } : { attribute: undefined, like: x };
}

/** Sum over the batch and all positions: [N, K, …] → [K]. */
export function channelSums(g: GradientContext["g"], dy: Value): Value {
  return g.reduceSum(
    dy,
    shapeOf(dy).flatMap((_, axis) => (axis === 1 ? [] : [axis])),
  );
}

const convolution: GradientRule = (context) => {
  const { g, needed, node } = context;
  const dy = context.outputGradients[0]!;
  const [x, weight] = [context.input(0), context.input(1)];
  const window = knownWindow(context, kernelOf(context), shapeOf(x).slice(2));
  const attributes = { ...windowAttributes(window), group: attributeOf(node, "group", "int", 1) };
  const sizes = inputSizes(x);
  return [
    needed[0]
      ? g.ownNode("ConvInputGradient", [dy, weight, sizes.like], { ...attributes, input_shape: sizes.attribute })[0]
      : undefined,
    needed[1] ? g.ownNode("ConvWeightGradient", [x, dy], attributes)[0] : undefined,
    needed[2] ? channelSums(g, dy) : undefined,
  ];
};

/** ConvTranspose is the adjoint of a convolution from its output to its input: that convolution is its gradient. */
const transposedConvolution: GradientRule = (context) => {
  const { g, needed, node } = context;
  const dy = context.outputGradients[0]!;
  const [x, weight] = [context.input(0), context.input(1)];
  const window = adjointWindow(context, kernelOf(context));
  const attributes = { ...windowAttributes(window), group: attributeOf(node, "group", "int", 1) };
  return [
    needed[0] ? cutToSizes(g, g.op("Conv", [dy, weight], attributes), x) : undefined,
    needed[1] ? g.ownNode("ConvWeightGradient", [dy, x], attributes)[0] : undefined,
    needed[2] ? channelSums(g, dy) : undefined,
  ];
};

/** The window with the pads that ConvTranspose works out from `output_shape` or `auto_pad`. */
function adjointWindow(context: GradientContext, kernel: readonly number[]): Window {
  const { node } = context;
  const autoPad = attributeOf(node, "auto_pad", "string", "NOTSET");
  const plain = windowOf(
    { ...node, attributes: { ...node.attributes, auto_pad: { kind: "string", value: "NOTSET" } } },
    kernel,
    [],
  )!;
  const given = attributeOf(node, "output_shape", "ints");
  if (autoPad === "VALID" && !given) return { ...plain, pads: plain.pads.map(() => 0) };
  if (autoPad === "NOTSET" && !given) return plain;
  const inputs: Shape = shapeOf(context.input(0)).slice(2);
  const outputs: Shape = shapeOf(context.output(0)).slice(2);
  if (!isStatic(inputs) || !isStatic(outputs)) {
    throw context.fail("output_shape and auto_pad need spatial sizes that are known when the graph is built");
  }
  const extra = attributeOf(
    node,
    "output_padding",
    "ints",
    kernel.map(() => 0),
  );
  const totals = kernel.map((_, axis) =>
    Math.max((inputs[axis]! - 1) * plain.strides[axis]! + windowExtent(plain, axis) + extra[axis]! - outputs[axis]!, 0),
  );
  const begins = totals.map((total) => (autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2)));
  return { ...plain, pads: [...begins, ...totals.map((total, axis) => total - begins[axis]!)] };
}

/** A large `output_padding` makes the adjoint convolution longer than the input was. */
function cutToSizes(g: GradientContext["g"], gradient: Value, x: Value): Value {
  const sizes: Shape = shapeOf(x).slice(2);
  const own = shapeOf(gradient).slice(2);
  if (!isStatic(sizes) || sizes.every((size, axis) => own[axis] === size)) return gradient;
  const axes = Array.from({ length: rankOf(x) - 2 }, (_, axis) => axis + 2);
  return g.slice(
    gradient,
    axes.map(() => 0),
    sizes,
    axes,
  );
}

export const convolutionGradients: GradientTable = { Conv: convolution, ConvTranspose: transposedConvolution };
