import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import { isStatic, tensor } from "../../ir/tensor.js";
import { type ExpansionContext, type OwnOperator, required } from "./own-operator.js";
import { explicitWindow, requireWindow, type Window, windowAttributes, windowExtent } from "./window.js";

/**
 * Gradient of MaxPool: each output's gradient goes to the first position of its window that holds the maximum.
 *
 * Inputs: dY [N, C, …output], X [N, C, …input], Y like dY (the forward result; a lowering may use it or not).
 * Output: dX like X. Attributes, all present: `kernel_shape`, `strides`, `pads`, `dilations`, `ceil_mode` as in
 * MaxPool, without `auto_pad`.
 */
export const maxPoolGradient: OwnOperator = {
  shape: (context) => {
    requireWindow(context, 1);
    return [context.input(1)];
  },
  expand: (context) => {
    const { node, g } = context;
    const outputGradient = required(context, 0);
    const x = required(context, 1);
    const [, indices] = g.node(
      "MaxPool",
      [x],
      { ...windowAttributes(explicitWindow(node)), ceil_mode: attributeOf(node, "ceil_mode", "int", 0) },
      { outputs: 2 },
    );
    const count = g.reshape(g.op("Size", [x]), [1]);
    const zeros = g.op("ConstantOfShape", [count], { value: tensor(x.type.elementType, [1], [0]) });
    const sums = g.op("ScatterElements", [zeros, g.reshape(indices!, [-1]), g.reshape(outputGradient, [-1])], {
      axis: 0,
      reduction: "add",
    });
    return [g.reshape(sums, g.shapeOf(x))];
  },
};

/**
 * Gradient of AveragePool.
 *
 * Inputs: dY [N, C, …output], and X [N, C, …input] only where the attribute `input_shape` is absent (a spatial size
 * that is not known when the graph is built). Output: dX [N, C, …input_shape].
 * Attributes, all present: `kernel_shape`, `strides`, `pads`, `dilations`, `ceil_mode`, `count_include_pad` as in
 * AveragePool, without `auto_pad`; `input_shape`: X's spatial sizes.
 */
export const averagePoolGradient: OwnOperator = {
  shape: (context) => {
    requireWindow(context, 0);
    const { elementType } = context.input(0);
    const spatial = attributeOf(context.node, "input_shape", "ints");
    return [{ elementType, shape: spatial ? [...context.shape(0).slice(0, 2), ...spatial] : context.shape(1) }];
  },
  expand: (context) => {
    const { node, g } = context;
    const window = explicitWindow(node);
    const outputGradient = required(context, 0);
    const spatial = attributeOf(node, "input_shape", "ints");
    const outputSizes = outputGradient.type.shape!.slice(2);
    if (!spatial || !isStatic(outputSizes)) return [averagePoolGradientOfUnknownSize(context, window)];
    const counts = windowCounts(attributeOf(node, "count_include_pad", "int", 0) === 1, window, spatial, outputSizes);
    const shares = g.mul(outputGradient, inverseCounts(context, counts));
    const spread = isExactTiling(window, spatial, outputSizes)
      ? repeatOverWindows(context, shares, window)
      : sumOverWindows(context, shares, window, spatial, outputSizes);
    return [g.reshape(spread, inputShape(context, spatial))];
  },
};

/** How many positions each window averages over, along each axis; their product is the divisor. */
function windowCounts(
  includePad: boolean,
  window: Window,
  sizes: readonly number[],
  outputSizes: readonly number[],
): readonly (readonly number[])[] {
  return outputSizes.map((outputSize, axis) => {
    const begin = includePad ? -window.pads[axis]! : 0;
    const end = sizes[axis]! + (includePad ? window.pads[sizes.length + axis]! : 0);
    return Array.from({ length: outputSize }, (_, output) => {
      const start = output * window.strides[axis]! - window.pads[axis]!;
      let count = 0;
      for (let step = 0; step < window.kernel[axis]!; step++) {
        const position = start + step * window.dilations[axis]!;
        if (position >= begin && position < end) count++;
      }
      return count;
    });
  });
}

/** 1 / count as a number where all windows are alike, else as a constant that broadcasts over [N, C, …output]. */
function inverseCounts({ g, inputs }: ExpansionContext, counts: readonly (readonly number[])[]): Value | number {
  if (counts.every((axis) => axis.every((count) => count === axis[0]))) {
    return 1 / counts.reduce((product, axis) => product * axis[0]!, 1);
  }
  const products = counts.reduce<readonly number[]>(
    (all, axis) => all.flatMap((product) => axis.map((count) => product * count)),
    [1],
  );
  return g.constant(
    tensor(
      inputs[0]!.type.elementType,
      counts.map((axis) => axis.length),
      products.map((count) => 1 / count),
    ),
  );
}

function isExactTiling(window: Window, sizes: readonly number[], outputSizes: readonly number[]): boolean {
  return sizes.every(
    (size, axis) =>
      window.dilations[axis] === 1 &&
      window.strides[axis] === window.kernel[axis] &&
      window.pads[axis] === 0 &&
      outputSizes[axis]! * window.strides[axis]! === size,
  );
}

/** [N, C, h, w] → [N·C, h, kh, w, kw]. */
function repeatOverWindows({ g }: ExpansionContext, shares: Value, window: Window): Value {
  const outputSizes = shares.type.shape!.slice(2) as number[];
  const spaced = g.reshape(shares, [-1, ...outputSizes.flatMap((size) => [size, 1])]);
  return g.expand(spaced, g.int64s([1, ...window.kernel.flatMap((size) => [1, size])]));
}

/** A transposed convolution of every channel by itself with a kernel of ones. */
function sumOverWindows(
  { g }: ExpansionContext,
  shares: Value,
  window: Window,
  sizes: readonly number[],
  outputSizes: readonly number[],
): Value {
  const rank = sizes.length;
  const pads = [...window.pads];
  const unread = sizes.map((size, axis) => {
    const read = (outputSizes[axis]! - 1) * window.strides[axis]! + windowExtent(window, axis);
    const rest = size + window.pads[axis]! + window.pads[rank + axis]! - read;
    // With ceil_mode the last window may reach beyond the padding.
    if (rest < 0) pads[rank + axis]! -= rest;
    return Math.max(rest, 0);
  });
  return g.op("ConvTranspose", [g.reshape(shares, [-1, 1, ...outputSizes]), onesKernel(g, shares, window)], {
    ...windowAttributes({ ...window, pads }),
    output_padding: unread,
  });
}

function onesKernel(g: ExpansionContext["g"], like: Value, window: Window): Value {
  const count = window.kernel.reduce((product, size) => product * size, 1);
  return g.constant(tensor(like.type.elementType, [1, 1, ...window.kernel], new Array<number>(count).fill(1)));
}

/** [N, C, …spatial] for Reshape: at most one size is left to be worked out. */
function inputShape({ g, inputs }: ExpansionContext, spatial: readonly number[]): Value {
  const [batch, channels] = inputs[0]!.type.shape!;
  if (typeof channels === "number") return g.int64s([typeof batch === "number" ? batch : -1, channels, ...spatial]);
  return g.concat([g.op("Shape", [inputs[0]], { end: 2 }), g.int64s(spatial)], 0);
}

/** The same for sizes that are known at run time only: the counts are a convolution of ones. */
function averagePoolGradientOfUnknownSize(context: ExpansionContext, window: Window): Value {
  const { node, g } = context;
  const outputGradient = required(context, 0);
  const { elementType } = outputGradient.type;
  const rank = window.kernel.length;
  const axes = window.kernel.map((_, axis) => axis + 2);
  const zeros = g.int64s(axes.map(() => 0));
  const spatial = attributeOf(node, "input_shape", "ints");
  const sizes = spatial ? g.int64s(spatial) : g.op("Shape", [context.inputs[1]], { start: 2 });
  const outputShape = g.shapeOf(outputGradient);
  const outputSizes = g.op("Shape", [outputGradient], { start: 2 });
  const ones = g.op("ConstantOfShape", [g.concat([g.int64s([1, 1]), sizes], 0)], {
    value: tensor(elementType, [1], [1]),
  });
  const includePad = attributeOf(node, "count_include_pad", "int", 0) === 1;
  const beyond = window.pads.map((pad, index) =>
    index < rank ? (includePad ? 0 : pad) : (includePad ? 0 : pad) + window.strides[index - rank]! - 1,
  );
  const padded = includePad
    ? g.op("Pad", [
        ones,
        g.int64s([0, 0, ...window.pads.slice(0, rank), 0, 0, ...window.pads.slice(rank)]),
        g.scalar(1, elementType),
      ])
    : ones;
  const kernel = onesKernel(g, outputGradient, window);
  const counts = g.op("Slice", [
    g.op("Conv", [padded, kernel], { ...windowAttributes({ ...window, pads: beyond }) }),
    zeros,
    outputSizes,
    g.int64s(axes),
  ]);
  const shares = g.div(outputGradient, counts);
  const alone = g.reshape(shares, g.concat([g.int64s([-1, 1]), outputSizes], 0));
  const sums = g.op("ConvTranspose", [alone, kernel], {
    ...windowAttributes({ ...window, pads: window.pads.map((pad, index) => (index < rank ? pad : 0)) }),
    output_padding: window.strides.map((stride) => stride - 1),
  });
  const cut = g.op("Slice", [sums, zeros, sizes, g.int64s(axes)]);
  return g.reshape(cut, g.concat([g.op("Slice", [outputShape, g.int64s([0]), g.int64s([2])]), sizes], 0));
}
