// Sliding windows: what convolution and pooling share.

import { attributeOf } from "../ir/attribute.js";
import type { Dimension, Shape } from "../ir/graph.js";
import { intsAttribute } from "./context.js";
import { windowSizeName } from "./dimension.js";
import type { ShapeContext } from "./rule.js";

/** Attributes of a sliding window, one entry a spatial axis. */
export interface Window {
  readonly kernel: readonly Dimension[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All begins, then all ends; zeros with `autoPad` other than NOTSET. */
  readonly pads: readonly number[];
  readonly autoPad: "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";
  readonly roundUp: boolean;
}

/** Reads and checks the window attributes of a node whose kernel is known. */
export function windowOf(context: ShapeContext, kernel: readonly Dimension[]): Window {
  const axes = kernel.length;
  const autoPad = attributeOf(context.node, "auto_pad", "string", "NOTSET");
  if (autoPad !== "NOTSET" && autoPad !== "VALID" && autoPad !== "SAME_UPPER" && autoPad !== "SAME_LOWER") {
    throw context.fail("unknown auto_pad", {
      expected: "NOTSET, VALID, SAME_UPPER or SAME_LOWER",
      received: autoPad,
    });
  }
  const pads = checkedList(context, "pads", 2 * axes, Number.NEGATIVE_INFINITY);
  return {
    kernel,
    strides: checkedList(context, "strides", axes, 1) ?? kernel.map(() => 1),
    dilations: checkedList(context, "dilations", axes, 1) ?? kernel.map(() => 1),
    pads: (autoPad === "NOTSET" && pads) || Array.from({ length: 2 * axes }, () => 0),
    autoPad,
    roundUp: attributeOf(context.node, "ceil_mode", "int", 0) === 1,
  };
}

function checkedList(
  context: ShapeContext,
  name: string,
  length: number,
  minimum: number,
): readonly number[] | undefined {
  const values = intsAttribute(context, name);
  if (values === undefined) return undefined;
  if (values.length !== length) {
    throw context.fail(`attribute "${name}" has the wrong length`, {
      expected: `${length} values`,
      received: `${values.length}`,
    });
  }
  if (values.some((value) => value < minimum)) {
    throw context.fail(`attribute "${name}" is out of range`, {
      expected: `at least ${minimum}`,
      received: `[${values.join(",")}]`,
    });
  }
  return values;
}

/** Spatial sizes after sliding the window over `spatial`. Throws when the window is larger than the padded input. */
export function windowSizes(context: ShapeContext, spatial: Shape, window: Window): Shape {
  return spatial.map((size, axis) => windowSize(context, size, axis, window));
}

function windowSize(context: ShapeContext, size: Dimension, axis: number, window: Window): Dimension {
  const stride = window.strides[axis]!;
  const same = window.autoPad === "SAME_UPPER" || window.autoPad === "SAME_LOWER";
  if (same) {
    if (typeof size === "number") return Math.ceil(size / stride);
    return stride === 1 ? size : windowSizeName(size, -1, stride);
  }
  const kernel = window.kernel[axis]!;
  if (typeof kernel === "string") return context.unknownDimension();
  const begin = window.pads[axis]!;
  const end = window.pads[window.kernel.length + axis]!;
  const extent = window.dilations[axis]! * (kernel - 1) + 1;
  const offset = begin + end - extent;
  if (typeof size === "string") {
    if (stride === 1 && offset === -1) return size;
    return window.roundUp && stride > 1 ? context.unknownDimension() : windowSizeName(size, offset, stride);
  }
  if (size + offset < 0) {
    throw context.fail(`the window is larger than the padded input on spatial axis ${axis}`, {
      expected: `a window of at most ${size + begin + end}`,
      received: `${extent}`,
    });
  }
  const count = Math.floor((size + offset) / stride) + 1;
  if (!window.roundUp) return count;
  const roundedUp = Math.ceil((size + offset) / stride) + 1;
  // A window that begins in the padding at the end is left out: so ONNX Runtime computes, though onnx infers one more.
  return (roundedUp - 1) * stride >= size + begin ? roundedUp - 1 : roundedUp;
}
