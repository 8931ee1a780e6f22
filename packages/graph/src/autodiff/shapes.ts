// Bringing a gradient to the shape of the value that it belongs to, with sizes that may be known at run time only.

import { internalError } from "@dovetail/core";
import type { GraphBuilder } from "../builder/builder.js";
import type { Dimension, Shape, Value } from "../ir/graph.js";
import { isStatic, tensor } from "../ir/tensor.js";

/** The shape of a value. Throws where not even the rank is known. */
export function shapeOf(value: Value): Shape {
  if (!value.type.shape) throw internalError("unknown_rank", `the rank of "${value.name}" is not known`);
  return value.type.shape;
}

export function rankOf(value: Value): number {
  return shapeOf(value).length;
}

/** The shape of a value as an int64 vector: a constant where it is known. */
export function shapeVector(g: GraphBuilder, value: Value): Value {
  const shape = shapeOf(value);
  return isStatic(shape) ? g.int64s(shape) : g.shapeOf(value);
}

/** A tensor like `value` in which every entry is `fill`. */
export function filledLike(g: GraphBuilder, value: Value, fill: number): Value {
  const filled = g.op("ConstantOfShape", [shapeVector(g, value)], {
    value: tensor(value.type.elementType, [1], [fill]),
  });
  return g.refineShape(filled, shapeOf(value));
}

export function zerosLike(g: GraphBuilder, value: Value): Value {
  return filledLike(g, value, 0);
}

/** The same entries in the shape of `like`. */
export function reshapeLike(g: GraphBuilder, value: Value, like: Value): Value {
  const shape = shapeOf(like);
  if (sameShape(shapeOf(value), shape)) return value;
  const unknown = shape.filter((size) => typeof size !== "number").length;
  // One unknown size is worked out by Reshape itself, unless a zero leaves it open.
  const target =
    unknown <= 1 && !shape.includes(0)
      ? g.int64s(shape.map((size) => (typeof size === "number" ? size : -1)))
      : shapeVector(g, like);
  return g.refineShape(g.reshape(value, target), shape);
}

/** Broadcasts a value, whose rank is that of `like`, to the shape of `like`. */
export function expandLike(g: GraphBuilder, value: Value, like: Value): Value {
  const from = shapeOf(value);
  const shape = shapeOf(like);
  if (sameShape(from, shape)) return value;
  // Expand broadcasts both ways: a 1 keeps what is there already.
  const target = shape.map((size, axis) => (from.length === shape.length && from[axis] === size ? 1 : size));
  const vector = isStatic(target) ? g.int64s(target) : g.shapeOf(like);
  return g.refineShape(g.expand(value, vector), shape);
}

/**
 * Sums a gradient over the axes along which `like` was broadcast, so that it gets the shape of `like`.
 * Where equality of two sizes is known at run time only, so are the axes.
 */
export function reduceToShape(g: GraphBuilder, gradient: Value, like: Value): Value {
  const from = shapeOf(gradient);
  const to = shapeOf(like);
  if (sameShape(from, to)) return gradient;
  const lead = from.length - to.length;
  if (lead < 0) return reduceToShape(g, expandLike(g, gradient, like), like);
  if (to.some((size, axis) => isUndecided(size, from[lead + axis]!))) return reduceAtRunTime(g, gradient, like, lead);
  const broadcast = to.flatMap((size, axis) => (size === 1 && from[lead + axis] !== 1 ? [lead + axis] : []));
  const leading = Array.from({ length: lead }, (_, axis) => axis);
  const axes = [...leading, ...broadcast];
  if (axes.length === 0) return g.refineShape(gradient, to);
  const summed = g.reduceSum(gradient, axes, { keepDims: broadcast.length > 0 });
  return reshapeLike(g, summed, like);
}

/** A size known at run time only against another one: it may turn out to be 1, broadcast, or equal. */
function isUndecided(size: Dimension, other: Dimension): boolean {
  return typeof size === "string" && other !== size && other !== 1;
}

function reduceAtRunTime(g: GraphBuilder, gradient: Value, like: Value, lead: number): Value {
  const own = shapeVector(g, like);
  const aligned = lead === 0 ? own : g.concat([g.int64s(new Array<number>(lead).fill(1)), own], 0);
  const differs = g.not(g.op("Equal", [aligned, shapeVector(g, gradient)]));
  const axes = g.reshape(g.op("NonZero", [differs]), [-1]);
  const summed = g.op("ReduceSum", [gradient, axes], { keepdims: 1, noop_with_empty_axes: 1 });
  return g.refineShape(g.reshape(summed, own), shapeOf(like));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** An axis counted from the front. */
export function frontAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Number of entries along some axes: a plain number where it is known, else a scalar of the value's type. */
export function countAlong(g: GraphBuilder, value: Value, axes: readonly number[]): number | Value {
  const sizes: Shape = axes.map((axis) => shapeOf(value)[axis]!);
  if (isStatic(sizes)) return sizes.reduce((product, size) => product * size, 1);
  const product = g.op("ReduceProd", [g.gather(g.shapeOf(value), g.int64s(axes))], { keepdims: 0 });
  return g.cast(product, value.type.elementType);
}
