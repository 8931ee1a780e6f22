import { attributeOf } from "../ir/attribute.js";
import type { Dimension, Shape } from "../ir/graph.js";
import {
  commonElementType,
  intAttribute,
  requireRank,
  resolveAxes,
  resolveAxis,
  sameAsFirst,
  typed,
} from "./context.js";
import { commonSize, withAxis } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

/** How many values a slice takes from an axis of this size; positions beyond the axis are clamped as ONNX's Slice says. */
export function sliceLength(size: number, start: number, end: number, step: number): number {
  const last = step > 0 ? size : size - 1;
  const first = step > 0 ? 0 : -1;
  const clamp = (position: number, minimum: number): number =>
    Math.min(Math.max(position < 0 ? position + size : position, minimum), last);
  return Math.max(0, Math.ceil((clamp(end, first) - clamp(start, 0)) / step));
}

const slice: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const shape = context.shape(0);
  const starts = context.entries(1);
  const ends = context.entries(2);
  const count = starts?.length ?? ends?.length ?? shape.length;
  const said = context.has(3) ? context.numbers(3) : Array.from({ length: count }, (_, axis) => axis);
  if (!said) return [typed(elementType, shape.map(context.unknownDimension))];
  const axes = resolveAxes(context, said, shape.length);
  const steps = context.has(4) ? context.numbers(4) : axes.map(() => 1);
  for (const list of [starts, ends, steps]) {
    if (list && list.length !== axes.length) {
      throw context.fail("starts, ends, axes and steps differ in length", {
        expected: `${axes.length}`,
        received: `${list.length}`,
      });
    }
  }
  if (steps?.includes(0)) throw context.fail("a step is 0");
  const sizes = [...shape];
  axes.forEach((axis, index) => {
    sizes[axis] = slicedSize(context, shape[axis]!, {
      start: starts?.[index],
      end: ends?.[index],
      step: steps?.[index],
    });
  });
  return [typed(elementType, sizes)];
};

interface Slicing {
  readonly start: Dimension | undefined;
  readonly end: Dimension | undefined;
  readonly step: number | undefined;
}

const largestStart = 2 ** 31 - 1;

function slicedSize(context: ShapeContext, size: Dimension, { start, end, step }: Slicing): Dimension {
  if (typeof start === "number" && typeof end === "number" && step !== undefined) {
    if (typeof size === "number") return sliceLength(size, start, end, step);
    if (start === 0 && end >= largestStart && step === 1) return size;
  }
  if (start === 0 && step === 1 && end === size) return size;
  return context.unknownDimension();
}

const pad: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const shape = context.shape(0);
  const axes = context.has(3) ? context.numbers(3) : shape.map((_, axis) => axis);
  const pads = context.entries(1);
  if (!axes || !pads) return [typed(elementType, shape.map(context.unknownDimension))];
  if (pads.length !== 2 * axes.length) {
    throw context.fail("pads do not fit", { expected: `${2 * axes.length} values`, received: `${pads.length}` });
  }
  const sizes = [...shape];
  resolveAxes(context, axes, shape.length).forEach((axis, index) => {
    sizes[axis] = paddedSize(context, shape[axis]!, pads[index], pads[axes.length + index]);
  });
  return [typed(elementType, sizes)];
};

function paddedSize(
  context: ShapeContext,
  size: Dimension,
  begin: Dimension | undefined,
  end: Dimension | undefined,
): Dimension {
  if (typeof begin !== "number" || typeof end !== "number") return context.unknownDimension();
  if (typeof size === "string") return begin + end === 0 ? size : context.unknownDimension();
  const result = size + begin + end;
  if (result < 0)
    throw context.fail("more is cropped than is there", { expected: `at most ${size}`, received: `${-begin - end}` });
  return result;
}

const gather: ShapeRule = (context) => {
  const data = context.shape(0);
  const axis = resolveAxis(context, intAttribute(context, "axis", 0), data.length);
  return [typed(context.input(0).elementType, [...data.slice(0, axis), ...context.shape(1), ...data.slice(axis + 1)])];
};

const gatherElements: ShapeRule = (context) => {
  const data = context.shape(0);
  resolveAxis(context, intAttribute(context, "axis", 0), data.length);
  requireRank(context, 1, data.length);
  return [typed(context.input(0).elementType, context.shape(1))];
};

const gatherNd: ShapeRule = (context) => {
  const data = context.shape(0);
  const indices = context.shape(1);
  const batch = intAttribute(context, "batch_dims", 0);
  const depth = indices.at(-1);
  if (depth === undefined) throw context.fail("the indices need a rank of at least 1");
  if (typeof depth === "string") return [typed(context.input(0).elementType, undefined)];
  if (batch + depth > data.length) {
    throw context.fail("the indices are too deep", {
      expected: `at most ${data.length - batch}`,
      received: `${depth}`,
    });
  }
  return [typed(context.input(0).elementType, [...indices.slice(0, -1), ...data.slice(batch + depth)])];
};

const scatterElements: ShapeRule = (context) => {
  const data = context.shape(0);
  resolveAxis(context, intAttribute(context, "axis", 0), data.length);
  requireRank(context, 1, data.length);
  requireEqual(context, 2, context.shape(1), "the updates");
  return [typed(commonElementType(context, [0, 2]), data)];
};

const scatterNd: ShapeRule = (context) => {
  const data = context.shape(0);
  const indices = context.shape(1);
  const depth = indices.at(-1);
  if (typeof depth === "number")
    requireEqual(context, 2, [...indices.slice(0, -1), ...data.slice(depth)], "the updates");
  return [typed(commonElementType(context, [0, 2]), data)];
};

function requireEqual(context: ShapeContext, index: number, expected: Shape, what: string): void {
  const shape = context.shape(index);
  if (shape.length !== expected.length || shape.some((size, axis) => commonSize(size, expected[axis]!) === undefined)) {
    throw context.fail(`${what} do not fit`, { expected: `[${expected.join(",")}]`, received: `[${shape.join(",")}]` });
  }
}

const oneHot: ShapeRule = (context) => {
  const indices = context.shape(0);
  const axis = resolveAxis(context, intAttribute(context, "axis", -1), indices.length + 1);
  const depth = context.entries(1)?.[0] ?? context.unknownDimension();
  return [typed(context.input(2).elementType, [...indices.slice(0, axis), depth, ...indices.slice(axis)])];
};

const topK: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = resolveAxis(context, intAttribute(context, "axis", -1), shape.length);
  const count = context.entries(1)?.[0] ?? context.unknownDimension();
  const size = shape[axis]!;
  if (typeof count === "number" && typeof size === "number" && (count > size || count < 0)) {
    throw context.fail("k is out of range", { expected: `0 to ${size}`, received: `${count}` });
  }
  const result = withAxis(shape, axis, count);
  return [typed(context.input(0).elementType, result), typed("int64", result)];
};

const nonZero: ShapeRule = (context) => [typed("int64", [context.shape(0).length, context.unknownDimension()])];

const compress: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const axis = attributeOf(context.node, "axis", "int");
  if (axis === undefined) return [typed(elementType, [context.unknownDimension()])];
  const shape = context.shape(0);
  return [typed(elementType, withAxis(shape, resolveAxis(context, axis, shape.length), context.unknownDimension()))];
};

const unique: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const count = context.unknownDimension();
  const axis = attributeOf(context.node, "axis", "int");
  const shape =
    axis === undefined
      ? [count]
      : withAxis(context.shape(0), resolveAxis(context, axis, context.shape(0).length), count);
  const all = context.unknownDimension();
  return [typed(elementType, shape), typed("int64", [count]), typed("int64", [all]), typed("int64", [count])];
};

const nonMaximumSuppression: ShapeRule = (context) => [typed("int64", [context.unknownDimension(), 3])];

const trilu: ShapeRule = (context) => {
  if (context.shape(0).length < 2) throw context.fail("the input needs a rank of at least 2");
  return [context.input(0)];
};

/** Operators that pick, place or cut values by position. */
export const indexingShapes: ShapeTable = {
  Slice: slice,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  OneHot: oneHot,
  TopK: topK,
  NonZero: nonZero,
  Compress: compress,
  Unique: unique,
  NonMaxSuppression: nonMaximumSuppression,
  Trilu: trilu,
  ReverseSequence: sameAsFirst,
};
