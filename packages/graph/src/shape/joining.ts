import { attributeOf } from "../ir/attribute.js";
import type { Dimension, Shape, TensorType } from "../ir/graph.js";
import { commonElementType, intAttribute, presentInputs, requiredInt, resolveAxis, typed } from "./context.js";
import { commonSize, withAxis } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

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

/** Operators that put tensors together and cut them apart along an axis. */
export const joiningShapes: ShapeTable = { Concat: concat, Split: split };
