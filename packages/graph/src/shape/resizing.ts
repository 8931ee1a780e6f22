import { attributeOf } from "../ir/attribute.js";
import type { Dimension, Shape } from "../ir/graph.js";
import { intAttribute, intsAttribute, requireRank, resolveAxes, resolveAxis, typed } from "./context.js";
import { productSize, quotientSize, withAxis } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";
import { windowOf } from "./window.js";

const resize: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const shape = context.shape(0);
  const said = intsAttribute(context, "axes");
  const axes = said ? resolveAxes(context, said, shape.length) : shape.map((_, axis) => axis);
  const sizes = [...shape];
  const resized = context.has(3) ? toSizes(context, shape, axes) : byScales(context, shape, axes);
  axes.forEach((axis, index) => {
    sizes[axis] = resized[index]!;
  });
  return [typed(elementType, sizes)];
};

function byScales(context: ShapeContext, shape: Shape, axes: readonly number[]): Shape {
  if (!context.has(2)) throw context.fail("neither scales nor sizes are given");
  const scales = listFor(context, 2, axes, "scales");
  const cropped = attributeOf(context.node, "coordinate_transformation_mode", "string") === "tf_crop_and_resize";
  const region = cropped ? context.numbers(1) : undefined;
  return axes.map((axis, index) => {
    const size = shape[axis]!;
    const scale = scales?.[index];
    if (scale === 1 && !cropped) return size;
    if (typeof size === "string" || typeof scale !== "number" || (cropped && !region))
      return context.unknownDimension();
    const share = region ? region[axes.length + index]! - region[index]! : 1;
    return Math.floor(size * share * Math.fround(scale));
  });
}

function toSizes(context: ShapeContext, shape: Shape, axes: readonly number[]): Shape {
  const targets = listFor(context, 3, axes, "sizes");
  const policy = attributeOf(context.node, "keep_aspect_ratio_policy", "string", "stretch");
  if (policy === "stretch") return axes.map((_, index) => targets?.[index] ?? context.unknownDimension());
  const ratios = axes.map((axis, index) => {
    const size = shape[axis]!;
    const target = targets?.[index];
    return typeof size === "number" && typeof target === "number" ? target / size : undefined;
  });
  if (ratios.includes(undefined)) return axes.map(context.unknownDimension);
  const scale = (policy === "not_larger" ? Math.min : Math.max)(...(ratios as number[]));
  return axes.map((axis) => Math.floor(scale * (shape[axis] as number) + 0.5));
}

function listFor(
  context: ShapeContext,
  index: number,
  axes: readonly number[],
  what: string,
): readonly (Dimension | undefined)[] | undefined {
  const list = context.entries(index);
  if (list && list.length !== axes.length) {
    throw context.fail(`${what} and axes differ in length`, { expected: `${axes.length}`, received: `${list.length}` });
  }
  return list;
}

const gridSample: ShapeRule = (context) => {
  const data = context.shape(0);
  const grid = requireRank(context, 1, data.length);
  return [typed(context.input(0).elementType, [data[0]!, data[1]!, ...grid.slice(1, -1)])];
};

const roiAlign: ShapeRule = (context) => {
  const data = requireRank(context, 0, 4);
  const regions = requireRank(context, 1, 2);
  const height = intAttribute(context, "output_height", 1);
  const width = intAttribute(context, "output_width", 1);
  return [typed(context.input(0).elementType, [regions[0]!, data[1]!, height, width])];
};

const centerCropPad: ShapeRule = (context) => {
  const shape = context.shape(0);
  const said = intsAttribute(context, "axes");
  const axes = said ? resolveAxes(context, said, shape.length) : shape.map((_, axis) => axis);
  const targets = listFor(context, 1, axes, "sizes");
  let result = shape;
  axes.forEach((axis, index) => {
    result = withAxis(result, axis, targets?.[index] ?? context.unknownDimension());
  });
  return [typed(context.input(0).elementType, result)];
};

const columnsToImage: ShapeRule = (context) => {
  const data = requireRank(context, 0, 3);
  const image = context.entries(1);
  const block = context.numbers(2);
  if (!image || !block) throw context.fail("the image's and the block's shape must be constants");
  // Read for its checks: the image's size is said, strides and pads must merely be well formed.
  windowOf(context, block);
  const channels = quotientSize([data[1]!], [productSize(block)]);
  if (channels === undefined) {
    throw context.fail("the block does not divide the channels", {
      expected: `a multiple of ${productSize(block)}`,
      received: `${data[1]}`,
    });
  }
  const sizes = image.map((size) => size ?? context.unknownDimension());
  return [typed(context.input(0).elementType, [data[0]!, channels, ...sizes])];
};

const fourier: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = resolveAxis(context, intAttribute(context, "axis", 1), shape.length);
  const length = context.has(1) ? context.entries(1)?.[0] : shape[axis];
  const oneSided = intAttribute(context, "onesided", 0) === 1;
  const half = typeof length === "number" ? Math.floor(length / 2) + 1 : context.unknownDimension();
  const size = oneSided ? half : (length ?? context.unknownDimension());
  return [typed(context.input(0).elementType, withAxis([...shape.slice(0, -1), 2], axis, size))];
};

const shortTimeFourier: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const signal = context.shape(0);
  const step = context.entries(1)?.[0];
  const length = (context.has(3) ? context.entries(3)?.[0] : undefined) ?? context.inputs[2]?.shape?.[0];
  const oneSided = intAttribute(context, "onesided", 1) === 1;
  if (typeof length !== "number") {
    return [typed(elementType, [signal[0]!, context.unknownDimension(), context.unknownDimension(), 2])];
  }
  const samples = signal[1];
  const isKnown = typeof step === "number" && typeof samples === "number";
  const frames = isKnown ? Math.floor((samples - length) / step) + 1 : context.unknownDimension();
  return [typed(elementType, [signal[0]!, frames, oneSided ? Math.floor(length / 2) + 1 : length, 2])];
};

const melWeights: ShapeRule = (context) => {
  const bins = context.entries(0)?.[0] ?? context.unknownDimension();
  const length = context.entries(1)?.[0];
  const spectrum = typeof length === "number" ? Math.floor(length / 2) + 1 : context.unknownDimension();
  return [typed("float32", [spectrum, bins])];
};

/** Operators that sample images and signals anew. */
export const resizingShapes: ShapeTable = {
  Resize: resize,
  GridSample: gridSample,
  RoiAlign: roiAlign,
  CenterCropPad: centerCropPad,
  Col2Im: columnsToImage,
  DFT: fourier,
  STFT: shortTimeFourier,
  MelWeightMatrix: melWeights,
};
