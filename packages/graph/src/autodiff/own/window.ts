// Geometry of sliding windows (convolution and pooling).

import { attributeOf } from "../../ir/attribute.js";
import type { Dimension, Node, Shape } from "../../ir/graph.js";
import type { ShapeContext } from "../../shape/rule.js";

/** A sliding window with everything spelt out: one entry per spatial axis, `pads` all begins and then all ends. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

/** The window of one of Dovetail's own operators, whose attributes are all present. */
export function explicitWindow(node: Node): Window {
  return {
    kernel: attributeOf(node, "kernel_shape", "ints", []),
    strides: attributeOf(node, "strides", "ints", []),
    pads: attributeOf(node, "pads", "ints", []),
    dilations: attributeOf(node, "dilations", "ints", []),
  };
}

/** Throws unless a node of an own operator spells its window out for every spatial axis of the input at `index`. */
export function requireWindow(context: ShapeContext, index: number): void {
  const axes = Math.max(context.shape(index).length - 2, 0);
  const { kernel, strides, pads, dilations } = explicitWindow(context.node);
  const spatial = attributeOf(context.node, "input_shape", "ints", kernel);
  const isWhole = [kernel, strides, dilations, spatial].every((list) => list.length === axes);
  if (isWhole && pads.length === 2 * axes) return;
  throw context.fail("the window is not spelt out", {
    expected: `kernel_shape, strides and dilations of ${axes} entries, pads of ${2 * axes}`,
  });
}

/** Distance from the first to one past the last position that the window covers. */
export function windowExtent(window: Window, axis: number): number {
  return (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
}

/**
 * The window of a node of Conv, pooling or one of their gradients. `auto_pad` is resolved with the input's
 * spatial sizes as in ONNX's specification (SAME: output = ⌈input / stride⌉, the odd pad goes to the end for
 * SAME_UPPER). Returns undefined where that needs a size that is not known.
 */
export function windowOf(node: Node, kernelShape: readonly number[], spatial: Shape): Window | undefined {
  const kernel = attributeOf(node, "kernel_shape", "ints", kernelShape);
  const rank = kernel.length;
  const ones = new Array<number>(rank).fill(1);
  const explicit: Window = {
    kernel,
    strides: attributeOf(node, "strides", "ints", ones),
    pads: attributeOf(node, "pads", "ints", new Array<number>(2 * rank).fill(0)),
    dilations: attributeOf(node, "dilations", "ints", ones),
  };
  const autoPad = attributeOf(node, "auto_pad", "string", "NOTSET");
  if (autoPad === "NOTSET" || autoPad === "") return explicit;
  const pads = new Array<number>(2 * rank).fill(0);
  if (autoPad === "VALID") return { ...explicit, pads };
  for (let axis = 0; axis < rank; axis++) {
    const total = samePadding(spatial[axis], windowExtent(explicit, axis), explicit.strides[axis]!);
    if (total === undefined) return undefined;
    const smaller = Math.floor(total / 2);
    pads[axis] = autoPad === "SAME_UPPER" ? smaller : total - smaller;
    pads[rank + axis] = total - pads[axis]!;
  }
  return { ...explicit, pads };
}

function samePadding(size: Dimension | undefined, extent: number, stride: number): number | undefined {
  // With stride 1 the padding does not depend on the size.
  if (typeof size !== "number") return stride === 1 ? extent - 1 : undefined;
  return Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0);
}

/** The attributes of a window, as Dovetail's own operators carry them. */
export function windowAttributes(window: Window): Record<string, readonly number[]> {
  return {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: window.pads,
    dilations: window.dilations,
  };
}
