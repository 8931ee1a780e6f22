// Convolution and its gradients on blocked images.

import { attributeOf, explicitWindow, type Node, type Window, windowExtent, windowOf } from "@dovetail/graph";
import { backwardFilter, type FilterKind, type FilterShape, filterKind, forwardFilter } from "../filters.js";
import type { ImageShape } from "../forms.js";
import type { LoweringContext, LoweringRule } from "../rule.js";
import { paddedVector } from "../vectors.js";

function filterShapeOf({ graph }: LoweringContext, weight: string): FilterShape | undefined {
  const type = graph.types.get(weight);
  const [outputs, inputs, height, width] = type?.shape ?? [];
  if (type?.elementType !== "float32" || type.shape?.length !== 4) return undefined;
  if (typeof outputs !== "number" || typeof inputs !== "number") return undefined;
  if (typeof height !== "number" || typeof width !== "number") return undefined;
  return { outputs, inputs, height, width };
}

const groupOf = (node: Node): number => attributeOf(node, "group", "int", 1);

const windowAttributes = (window: Window, group: number) => ({
  kernel_shape: window.kernel,
  strides: window.strides,
  pads: window.pads,
  dilations: window.dilations,
  group,
});

/** Groups as the kernel counts them: a depthwise convolution's are its filled-up channels. */
const kernelGroup = (kind: FilterKind, group: number, channels: number): number =>
  kind === "depthwise" ? channels : group;

const convolution: LoweringRule = (context) => {
  const { node, forms } = context;
  const [x, weight, bias = ""] = node.inputs as [string, string, string?];
  const shape = filterShapeOf(context, weight);
  const image = context.graph.types.get(x)?.shape;
  const window = shape && image?.length === 4 && windowOf(node, [shape.height, shape.width], image.slice(2));
  const output = forms.imageShape(node.outputs[0]!);
  if (!shape || !window || !output) return false;
  const kind = filterKind(shape, groupOf(node), forms);
  if (!kind || (kind !== "plainInput" && !forms.imageShape(x))) return false;
  const filter = forwardFilter(context, weight, shape, kind);
  forms.setOpen(node.outputs[0]!, {
    inputs: [
      kind === "plainInput" ? forms.plain(x) : forms.blocked(x),
      filter,
      bias === "" ? "" : paddedVector(context, bias, output),
    ],
    attributes: windowAttributes(window, kernelGroup(kind, groupOf(node), output.paddedChannels)),
  });
  return true;
};

/** Pads so that a window of stride 1 gives `size` outputs, of which the first has `begin` padding; undefined if negative. */
function padsFor(size: number, input: number, extent: number, begin: number): readonly [number, number] | undefined {
  const end = size - 1 + extent - input - begin;
  return begin < 0 || end < 0 ? undefined : [begin, end];
}

const descending = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => count - 1 - index);

/** The gradient's kernel: `kind` for the exchanged weight, and the gradient in the order that it takes. */
function gradientOperand(
  { node, forms }: LoweringContext,
  shape: FilterShape,
  outputGradient: string,
): { readonly kind: FilterKind; readonly operand: string } | undefined {
  const group = groupOf(node);
  const isDepthwise = group > 1 && shape.inputs === 1 && shape.outputs === group;
  if (group > 1 && !isDepthwise) return undefined;
  const kind = isDepthwise
    ? filterKind(shape, group, forms)
    : filterKind({ ...shape, outputs: shape.inputs, inputs: shape.outputs }, 1, forms);
  if (!kind || (kind !== "plainInput" && !forms.imageShape(outputGradient))) return undefined;
  return { kind, operand: kind === "plainInput" ? forms.plain(outputGradient) : forms.blocked(outputGradient) };
}

const inputGradient: LoweringRule = (context) => {
  const { node, forms, graph } = context;
  const [outputGradient, weight] = node.inputs as [string, string];
  const window = explicitWindow(node);
  const shape = filterShapeOf(context, weight);
  const input = forms.imageShape(node.outputs[0]!);
  const gradientSizes = graph.types.get(outputGradient)?.shape?.slice(2) as number[] | undefined;
  if (!shape || !input || !gradientSizes) return false;
  const strided = window.strides.some((stride) => stride !== 1);
  return strided
    ? stridedInputGradient(context, window, shape, input, gradientSizes)
    : denseInputGradient(context, window, shape, input, gradientSizes);
};

/** Stride 1: the convolution of the output's gradient with the reversed taps. */
function denseInputGradient(
  context: LoweringContext,
  window: Window,
  shape: FilterShape,
  input: ImageShape,
  gradientSizes: readonly number[],
): boolean {
  const { node, forms } = context;
  const [outputGradient, weight] = node.inputs as [string, string];
  const pads = [input.height, input.width].map((size, axis) => {
    const extent = windowExtent(window, axis);
    return padsFor(size, gradientSizes[axis]!, extent, extent - 1 - window.pads[axis]!);
  });
  const [vertical, horizontal] = pads;
  if (!vertical || !horizontal) return false;
  const operand = gradientOperand(context, shape, outputGradient);
  if (!operand) return false;
  const { kind } = operand;
  const taps = { rows: descending(shape.height), columns: descending(shape.width) };
  const reversed: Window = { ...window, pads: [vertical[0], horizontal[0], vertical[1], horizontal[1]] };
  forms.setOpen(node.outputs[0]!, {
    inputs: [operand.operand, backwardFilter(context, weight, shape, kind, taps), ""],
    attributes: windowAttributes(reversed, kernelGroup(kind, 1, input.paddedChannels)),
  });
  return true;
}

/** Along one axis: the taps that reach the pixels of one remainder, and the padding of their convolution. */
interface AxisPlane {
  readonly taps: readonly number[];
  readonly pads: readonly [number, number];
}

/**
 * Pixel j = s·i + r of the input is read by tap t where t ≡ r + p (mod s), at output i + (r + p − t) / s. Returns
 * undefined where that would need negative padding.
 */
function axisPlane(
  remainder: number,
  window: Window,
  axis: number,
  size: number,
  gradientSize: number,
): AxisPlane | undefined {
  const stride = window.strides[axis]!;
  const first = (remainder + window.pads[axis]!) % stride;
  const taps: number[] = [];
  for (let tap = first; tap < window.kernel[axis]!; tap += stride) taps.unshift(tap);
  if (taps.length === 0) return { taps, pads: [0, 0] };
  const shift = (remainder + window.pads[axis]! - first) / stride;
  const pads = padsFor(size / stride, gradientSize, taps.length, taps.length - 1 - shift);
  return pads && { taps, pads };
}

/** Stride s: one small convolution for the pixels of each remainder, instead of one over a gradient with zeros inserted. */
function stridedInputGradient(
  context: LoweringContext,
  window: Window,
  shape: FilterShape,
  input: ImageShape,
  gradientSizes: readonly number[],
): boolean {
  const { node, emitter, forms } = context;
  const [outputGradient, weight] = node.inputs as [string, string];
  const stride = window.strides[0]!;
  const sizes = [input.height, input.width];
  if (window.strides[1] !== stride || window.dilations.some((dilation) => dilation !== 1)) return false;
  if (sizes.some((size) => size % stride !== 0)) return false;
  const remainders = Array.from({ length: stride }, (_, remainder) => remainder);
  const axes = sizes.map((size, axis) =>
    remainders.map((remainder) => axisPlane(remainder, window, axis, size, gradientSizes[axis]!)),
  ) as [(AxisPlane | undefined)[], (AxisPlane | undefined)[]];
  if (axes.flat().includes(undefined)) return false;
  const operand = gradientOperand(context, shape, outputGradient);
  if (!operand) return false;
  const { kind } = operand;
  const planes = axes[0].flatMap((vertical) =>
    axes[1].map((horizontal) => {
      const [rows, columns] = [vertical!.taps, horizontal!.taps];
      if (rows.length * columns.length === 0) return undefined;
      return emitter.blockedOp(
        "Conv",
        [operand.operand, backwardFilter(context, weight, shape, kind, { rows, columns })],
        {
          kernel_shape: [rows.length, columns.length],
          pads: [vertical!.pads[0], horizontal!.pads[0], vertical!.pads[1], horizontal!.pads[1]],
          group: kernelGroup(kind, 1, input.paddedChannels),
        },
      );
    }),
  );
  forms.setPlanes(node.outputs[0]!, { stride, planes });
  return true;
}

export const convolutionRules = {
  Conv: convolution,
  "ai.dovetail.ConvInputGradient": inputGradient,
} as const;
