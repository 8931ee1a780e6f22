import { attributeOf } from "../../ir/attribute.js";
import type { Shape, Value } from "../../ir/graph.js";
import { isStatic } from "../../ir/tensor.js";
import { type ExpansionContext, type OwnOperator, required } from "./own-operator.js";
import { explicitWindow, requireWindow, type Window, windowExtent } from "./window.js";

/**
 * Gradient of Conv to its input.
 *
 * Inputs: dY [N, K, …output], W [K, C/group, …kernel], and X [N, C, …] only where the attribute
 * `input_shape` is absent (a spatial size that is not known when the graph is built).
 * Output: dX [N, C, …input_shape].
 * Attributes, all present: `kernel_shape`, `strides`, `pads`, `dilations`, `group` as in Conv, without `auto_pad`;
 * `input_shape`: X's spatial sizes.
 */
export const convInputGradient: OwnOperator = {
  shape: (context) => {
    requireWindow(context, 0);
    const { elementType } = context.input(0);
    const spatial = attributeOf(context.node, "input_shape", "ints");
    if (!spatial) return [{ elementType, shape: context.shape(2) }];
    const group = attributeOf(context.node, "group", "int", 1);
    const channels = context.shape(1)[1];
    return [
      {
        elementType,
        shape: [
          context.shape(0)[0]!,
          typeof channels === "number" ? channels * group : context.unknownDimension(),
          ...spatial,
        ],
      },
    ];
  },
  expand: (context) => {
    const { node, g } = context;
    const window = explicitWindow(node);
    const spatial = attributeOf(node, "input_shape", "ints");
    const outputGradient = required(context, 0);
    const outputSizes: Shape | undefined = outputGradient.type.shape?.slice(2);
    const attributes = {
      kernel_shape: window.kernel,
      strides: window.strides,
      dilations: window.dilations,
      group: attributeOf(node, "group", "int", 1),
    };
    if (spatial && isStatic(outputSizes)) {
      // The positions that Conv's rounding down left unread get a zero gradient.
      const unread = spatial.map(
        (size, axis) =>
          size +
          window.pads[axis]! +
          window.pads[spatial.length + axis]! -
          ((outputSizes[axis]! - 1) * window.strides[axis]! + windowExtent(window, axis)),
      );
      return [
        g.op("ConvTranspose", [outputGradient, required(context, 1)], {
          ...attributes,
          pads: window.pads,
          output_padding: unread,
        }),
      ];
    }
    return [convInputGradientOfUnknownSize(context, window, attributes)];
  },
};

/** Computes as many positions as there may be and cuts them to the input's size. */
function convInputGradientOfUnknownSize(
  context: ExpansionContext,
  window: Window,
  attributes: Readonly<Record<string, number | readonly number[]>>,
): Value {
  const { node, g } = context;
  const rank = window.kernel.length;
  const largest = g.op("ConvTranspose", [required(context, 0), required(context, 1)], {
    ...attributes,
    pads: window.pads.map((pad, index) => (index < rank ? pad : 0)),
    output_padding: window.strides.map((stride) => stride - 1),
  });
  const spatial = attributeOf(node, "input_shape", "ints");
  const sizes = spatial ? g.int64s(spatial) : g.op("Shape", [required(context, 2)], { start: 2 });
  const axes = window.kernel.map((_, axis) => axis + 2);
  return g.op("Slice", [largest, g.int64s(axes.map(() => 0)), sizes, g.int64s(axes)]);
}

/**
 * Gradient of Conv to its weight.
 *
 * Inputs: X [N, C, …input], dY [N, K, …output]. Output: dW [K, C/group, …kernel_shape].
 * Attributes, all present: `kernel_shape`, `strides`, `pads`, `dilations`, `group` as in Conv, without `auto_pad`.
 */
export const convWeightGradient: OwnOperator = {
  shape: (context) => {
    requireWindow(context, 0);
    const { elementType } = context.input(0);
    const group = attributeOf(context.node, "group", "int", 1);
    const channels = context.shape(0)[1]!;
    const kernel = attributeOf(context.node, "kernel_shape", "ints", []);
    if (typeof channels !== "number") throw context.fail("the number of channels of X must be known");
    if (channels % group !== 0) throw context.fail(`group ${group} does not divide the channels of X`);
    return [{ elementType, shape: [context.shape(1)[1]!, channels / group, ...kernel] }];
  },
  /**
   * dW[k,c] = Σₙ X[n,c] ⋆ dY[n,k]: a convolution whose batch and channels are exchanged, and stride with dilation.
   * Groups are groups there too: X [N, g·c, …] becomes [c, g·N, …], dY becomes the filters [g·k, N, …].
   */
  expand: (context) => {
    const { node, g } = context;
    const group = attributeOf(node, "group", "int", 1);
    const window = explicitWindow(node);
    const rank = window.kernel.length;
    const outputGradient = required(context, 1);
    const { input, padsEnd } = fitInput(context, window);
    const spatialAxes = window.kernel.map((_, axis) => axis + 2);
    const exchanged = g.conv(
      exchangeBatchAndChannels(g, input, group),
      g.transpose(outputGradient, [1, 0, ...spatialAxes]),
      undefined,
      {
        strides: window.dilations,
        dilations: window.strides,
        pads: [...window.pads.slice(0, rank), ...padsEnd],
        group,
      },
    );
    const sizes = exchanged.type.shape?.slice(2);
    const exact = sizes?.every((size, axis) => size === window.kernel[axis]) ?? false;
    const cut = exact
      ? exchanged
      : g.slice(
          exchanged,
          spatialAxes.map(() => 0),
          window.kernel,
          spatialAxes,
        );
    return [g.transpose(cut, [1, 0, ...spatialAxes])];
  },
};

/** Cuts or pads the input's end so that the exchanged convolution gives the kernel's size exactly, where sizes are known. */
function fitInput(context: ExpansionContext, window: Window): { input: Value; padsEnd: readonly number[] } {
  const input = required(context, 0);
  const rank = window.kernel.length;
  const inputSizes: Shape | undefined = input.type.shape?.slice(2);
  const outputSizes: Shape | undefined = required(context, 1).type.shape?.slice(2);
  if (!isStatic(inputSizes) || !isStatic(outputSizes)) return { input, padsEnd: window.pads.slice(rank) };
  const padsEnd = inputSizes.map(
    (size, axis) =>
      (outputSizes[axis]! - 1) * window.strides[axis]! + windowExtent(window, axis) - window.pads[axis]! - size,
  );
  // An axis of which only padding is read is left whole: cut, nothing would remain of it.
  const cut = padsEnd.flatMap((pad, axis) => (pad < 0 && inputSizes[axis]! + pad > 0 ? [axis] : []));
  if (cut.length === 0) return { input, padsEnd: padsEnd.map((pad) => Math.max(pad, 0)) };
  const sliced = context.g.slice(
    input,
    cut.map(() => 0),
    cut.map((axis) => inputSizes[axis]! + padsEnd[axis]!),
    cut.map((axis) => axis + 2),
  );
  return { input: sliced, padsEnd: padsEnd.map((pad) => Math.max(pad, 0)) };
}

/** [N, g·c, …] → [c, g·N, …]. */
function exchangeBatchAndChannels(g: ExpansionContext["g"], x: Value, group: number): Value {
  const shape = x.type.shape!;
  const spatialAxes = shape.slice(2).map((_, axis) => axis + 2);
  if (group === 1) return g.transpose(x, [1, 0, ...spatialAxes]);
  const perGroup = (shape[1] as number) / group;
  const spatial = shape.slice(2);
  if (isStatic(spatial)) {
    const grouped = g.transpose(g.reshape(x, [-1, group, perGroup, ...spatial]), [
      2,
      1,
      0,
      ...spatialAxes.map((axis) => axis + 1),
    ]);
    return g.reshape(grouped, [perGroup, typeof shape[0] === "number" ? group * shape[0] : -1, ...spatial]);
  }
  const sizes = g.op("Shape", [x], { start: 2 });
  const split = g.op("Reshape", [x, g.concat([g.int64s([-1, group, perGroup]), sizes], 0)]);
  const grouped = g.transpose(split, [2, 1, 0, ...spatialAxes.map((axis) => axis + 1)]);
  return g.op("Reshape", [grouped, g.concat([g.int64s([perGroup, -1]), sizes], 0)]);
}
