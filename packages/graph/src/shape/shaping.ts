import type { Dimension, Shape, TensorType } from "../ir/graph.js";
import {
  entryCount,
  intAttribute,
  intsAttribute,
  requiredInt,
  requireRank,
  resolveAxes,
  targetEntries,
  typed,
} from "./context.js";
import { broadcastShapes, commonSize, productSize, quotientSize, withAxis } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

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

/** Operators that move, merge, cut, repeat or measure axes. */
export const shapingShapes: ShapeTable = {
  Reshape: reshape,
  Transpose: transpose,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Shape: shapeOf,
  Size: sizeOf,
};
