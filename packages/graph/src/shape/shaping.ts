import { attributeOf } from "../ir/attribute.js";
import type { Dimension, Shape, TensorType } from "../ir/graph.js";
import {
  commonElementType,
  intAttribute,
  intsAttribute,
  presentInputs,
  requiredInt,
  requireRank,
  resolveAxes,
  resolveAxis,
  typed,
} from "./context.js";
import { broadcastShapes, commonSize, productSize, quotientSize, withAxis } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

/** Number of entries of a rank-1 input, when known: the rank of a shape that is given by it. */
export function entryCount(context: ShapeContext, index: number): number | undefined {
  const size = context.inputs[index]?.shape?.[0];
  return typeof size === "number" ? size : undefined;
}

/** The target that an input gives, or unknown sizes of the right rank, or undefined when not even that is known. */
export function targetEntries(context: ShapeContext, index: number): readonly (Dimension | undefined)[] | undefined {
  const entries = context.entries(index);
  if (entries) return entries;
  const count = entryCount(context, index);
  return count === undefined ? undefined : Array.from({ length: count }, () => undefined);
}

const reshape: ShapeRule = (context) => {
  const { elementType, shape } = context.input(0);
  const target = targetEntries(context, 1);
  if (!target) return [typed(elementType, undefined)];
  const keepsZero = intAttribute(context, "allowzero", 0) === 1;
  const inferredAt = target.indexOf(-1);
  if (target.lastIndexOf(-1) !== inferredAt)
    throw context.fail("more than one size is -1", { received: `[${target.join(",")}]` });
  const sizes = target.map((size, axis): Dimension => {
    if (size === undefined || size === -1) return context.unknownDimension();
    if (typeof size === "number" && size < 0)
      throw context.fail("a target size is negative", { received: `[${target.join(",")}]` });
    if (size !== 0 || keepsZero) return size;
    if (!shape) return context.unknownDimension();
    if (axis >= shape.length)
      throw context.fail(`target size 0 on axis ${axis} has nothing to copy`, { received: `[${target.join(",")}]` });
    return shape[axis]!;
  });
  if (!shape || target.includes(undefined)) return [typed(elementType, sizes)];
  return [typed(elementType, fillReshape(context, shape, sizes, inferredAt))];
};

function fillReshape(context: ShapeContext, shape: Shape, sizes: Shape, inferredAt: number): Shape {
  const rest = sizes.filter((_, axis) => axis !== inferredAt);
  const total = productSize(shape);
  const known = productSize(rest);
  const countsFail = (): Error =>
    context.fail(
      `cannot reshape [${shape.join(",")}] to [${sizes.map((size, axis) => (axis === inferredAt ? -1 : size)).join(",")}]`,
      {
        expected: `${total} values`,
        received: inferredAt < 0 ? `${known}` : `a multiple of ${known}`,
      },
    );
  if (inferredAt < 0) {
    if (commonSize(total, known) === undefined) throw countsFail();
    return sizes;
  }
  const inferred = quotientSize(shape, rest);
  if (inferred === undefined && typeof total === "number" && typeof known === "number") throw countsFail();
  return inferred === undefined ? sizes : withAxis(sizes, inferredAt, inferred);
}

const transpose: ShapeRule = (context) => {
  const { elementType, shape } = context.input(0);
  const permutation = intsAttribute(context, "perm");
  if (!shape)
    return [
      typed(
        elementType,
        permutation?.map(() => context.unknownDimension()),
      ),
    ];
  if (!permutation) return [typed(elementType, [...shape].reverse())];
  if (
    permutation.length !== shape.length ||
    [...permutation].sort((a, b) => a - b).some((axis, index) => axis !== index)
  ) {
    throw context.fail("not a permutation of the axes", {
      expected: `a permutation of 0…${shape.length - 1}`,
      received: `[${permutation.join(",")}]`,
    });
  }
  return [
    typed(
      elementType,
      permutation.map((axis) => shape[axis]!),
    ),
  ];
};

const flatten: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = intAttribute(context, "axis", 1);
  if (axis < -shape.length || axis > shape.length) {
    throw context.fail("axis out of range", {
      expected: `an axis in [${-shape.length}, ${shape.length}]`,
      received: `${axis}`,
    });
  }
  const cut = axis < 0 ? axis + shape.length : axis;
  return [typed(context.input(0).elementType, [productSize(shape.slice(0, cut)), productSize(shape.slice(cut))])];
};

const squeeze: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const shape = context.shape(0);
  if (!context.has(1)) {
    // Without axes all sizes of 1 go, and a size known by name only may be one.
    if (shape.some((size) => typeof size === "string")) return [typed(elementType, undefined)];
    return [
      typed(
        elementType,
        shape.filter((size) => size !== 1),
      ),
    ];
  }
  const axes = context.numbers(1);
  if (!axes) {
    const count = entryCount(context, 1);
    const rank = count === undefined ? undefined : shape.length - count;
    return [
      typed(elementType, rank === undefined ? undefined : Array.from({ length: rank }, context.unknownDimension)),
    ];
  }
  const removed = resolveAxes(context, axes, shape.length);
  for (const axis of removed) {
    if (commonSize(shape[axis]!, 1) === undefined) {
      throw context.fail(`cannot squeeze axis ${axis}`, { expected: "size 1", received: `${shape[axis]}` });
    }
  }
  return [
    typed(
      elementType,
      shape.filter((_, axis) => !removed.includes(axis)),
    ),
  ];
};

const unsqueeze: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const shape = context.shape(0);
  const axes = context.numbers(1);
  if (!axes) {
    const count = entryCount(context, 1);
    const rank = count === undefined ? undefined : shape.length + count;
    return [
      typed(elementType, rank === undefined ? undefined : Array.from({ length: rank }, context.unknownDimension)),
    ];
  }
  const rank = shape.length + axes.length;
  const added = resolveAxes(context, axes, rank);
  let next = 0;
  return [
    typed(
      elementType,
      Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : shape[next++]!)),
    ),
  ];
};

const concat: ShapeRule = (context) => {
  const indices = presentInputs(context);
  if (indices.length === 0) throw context.fail("at least one input is needed");
  const elementType = commonElementType(context, indices);
  const first = context.shape(indices[0]!);
  const axis = resolveAxis(context, requiredInt(context, "axis"), first.length);
  let shape = first;
  for (const index of indices.slice(1)) shape = concatenated(context, shape, index, axis);
  const sizes = indices.map((index) => context.shape(index)[axis]!);
  return [typed(elementType, withAxis(shape, axis, sumSize(context, sizes)))];
};

function concatenated(context: ShapeContext, shape: Shape, index: number, axis: number): Shape {
  const next = context.shape(index);
  if (next.length !== shape.length)
    throw context.fail(`input ${index} has another rank`, { expected: `${shape.length}`, received: `${next.length}` });
  return shape.map((size, at) => {
    if (at === axis) return size;
    const common = commonSize(size, next[at]!);
    if (common === undefined)
      throw context.fail(`input ${index} differs on axis ${at}`, { expected: `${size}`, received: `${next[at]}` });
    return common;
  });
}

function sumSize(context: ShapeContext, sizes: readonly Dimension[]): Dimension {
  const counted = sizes.filter((size) => size !== 0);
  if (counted.length === 1) return counted[0]!;
  return counted.every((size) => typeof size === "number")
    ? counted.reduce((total, size) => total + size, 0)
    : context.unknownDimension();
}

const split: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  const shape = context.shape(0);
  const axis = resolveAxis(context, intAttribute(context, "axis", 0), shape.length);
  const count = context.node.outputs.length;
  const size = shape[axis]!;
  const parts = context.has(1) ? saidParts(context, size, count) : evenParts(context, size, count);
  return parts.map((part): TensorType => typed(elementType, withAxis(shape, axis, part)));
};

function saidParts(context: ShapeContext, size: Dimension, count: number): readonly Dimension[] {
  const parts = context.entries(1) ?? Array.from({ length: count }, () => undefined);
  if (parts.length !== count)
    throw context.fail("parts and outputs differ in number", {
      expected: `${count} parts`,
      received: `${parts.length}`,
    });
  if (typeof size === "number" && parts.every((part) => typeof part === "number")) {
    const total = parts.reduce((sum, part) => sum + part, 0);
    if (total !== size || parts.some((part) => part < 0)) {
      throw context.fail("the parts do not add up", { expected: `${size}`, received: `[${parts.join(",")}]` });
    }
  }
  return parts.map((part) => part ?? context.unknownDimension());
}

function evenParts(context: ShapeContext, size: Dimension, count: number): readonly Dimension[] {
  const said = attributeOf(context.node, "num_outputs", "int", count);
  if (said !== count)
    throw context.fail("num_outputs and outputs differ", { expected: `${said} outputs`, received: `${count}` });
  if (typeof size === "string") {
    return Array.from({ length: count }, () => (count === 1 ? size : context.unknownDimension()));
  }
  const part = Math.ceil(size / count);
  const last = size - part * (count - 1);
  if (last < 0) throw context.fail(`cannot split size ${size} into ${count} parts`);
  return Array.from({ length: count }, (_, index) => (index === count - 1 ? last : part));
}

const expand: ShapeRule = (context) => {
  const { elementType, shape } = context.input(0);
  const target = targetEntries(context, 1);
  if (!target || !shape) return [typed(elementType, undefined)];
  const sizes = target.map((size) => size ?? context.unknownDimension());
  const result = broadcastShapes([shape, sizes], context.unknownDimension);
  if (!result) throw context.fail("the shapes do not broadcast", { received: `target [${sizes.join(",")}]` });
  return [typed(elementType, result)];
};

const tile: ShapeRule = (context) => {
  const shape = context.shape(0);
  const repeats = context.entries(1);
  if (repeats && repeats.length !== shape.length) {
    throw context.fail("repeats and input do not fit", {
      expected: `${shape.length} repeats`,
      received: `${repeats.length}`,
    });
  }
  const sizes = shape.map((size, axis) => {
    const repeat = repeats?.[axis];
    return repeat === undefined ? context.unknownDimension() : productSize([size, repeat]);
  });
  return [typed(context.input(0).elementType, sizes)];
};

const depthToSpace: ShapeRule = (context) =>
  blocks(context, (shape, block) => [
    shape[0]!,
    quotient(context, shape[1]!, block * block, "channels"),
    productSize([shape[2]!, block]),
    productSize([shape[3]!, block]),
  ]);

const spaceToDepth: ShapeRule = (context) =>
  blocks(context, (shape, block) => [
    shape[0]!,
    productSize([shape[1]!, block * block]),
    quotient(context, shape[2]!, block, "height"),
    quotient(context, shape[3]!, block, "width"),
  ]);

function blocks(context: ShapeContext, shapeOf: (shape: Shape, block: number) => Shape): readonly TensorType[] {
  const shape = requireRank(context, 0, 4);
  const block = requiredInt(context, "blocksize");
  if (block < 1)
    throw context.fail('attribute "blocksize" is out of range', { expected: "at least 1", received: `${block}` });
  return [typed(context.input(0).elementType, shapeOf(shape, block))];
}

function quotient(context: ShapeContext, size: Dimension, divisor: number, what: string): Dimension {
  const result = quotientSize([size], [divisor]);
  if (result === undefined && typeof size === "number") {
    throw context.fail(`the block does not divide the ${what}`, {
      expected: `a multiple of ${divisor}`,
      received: `${size}`,
    });
  }
  return result ?? context.unknownDimension();
}

const shapeOf: ShapeRule = (context) => {
  const shape = context.input(0).shape;
  if (!shape) return [typed("int64", [context.unknownDimension()])];
  const clamp = (axis: number): number => Math.min(Math.max(axis < 0 ? axis + shape.length : axis, 0), shape.length);
  const start = clamp(intAttribute(context, "start", 0));
  const end = clamp(intAttribute(context, "end", shape.length));
  return [typed("int64", [Math.max(0, end - start)])];
};

const sizeOf: ShapeRule = () => [typed("int64", [])];

/** Operators that move, merge, split, repeat or measure axes. */
export const shapingShapes: ShapeTable = {
  Reshape: reshape,
  Transpose: transpose,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Split: split,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Shape: shapeOf,
  Size: sizeOf,
};
