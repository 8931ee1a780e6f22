// What several families of shape rules ask of a node.

import { attributeOf } from "../ir/attribute.js";
import type { ElementType } from "../ir/element-type.js";
import type { Dimension, Shape, TensorType } from "../ir/graph.js";
import { broadcastShapes, commonSize } from "./dimension.js";
import type { ShapeContext, ShapeRule } from "./rule.js";

/** Output has the first input's type. */
export const sameAsFirst: ShapeRule = (context) => [context.input(0)];

export function intAttribute(context: ShapeContext, name: string, byDefault: number): number {
  return attributeOf(context.node, name, "int", byDefault);
}

export function requiredInt(context: ShapeContext, name: string): number {
  const value = attributeOf(context.node, name, "int");
  if (value === undefined) throw context.fail(`attribute "${name}" is missing`);
  return value;
}

export function intsAttribute(context: ShapeContext, name: string): readonly number[] | undefined {
  return attributeOf(context.node, name, "ints");
}

/** An axis counted from the front; throws when it is no whole number in [−rank, rank). */
export function resolveAxis(context: ShapeContext, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw context.fail("axis out of range", { expected: `an axis in [${-rank}, ${rank - 1}]`, received: `${axis}` });
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front; throws when one lies outside or comes twice. */
export function resolveAxes(context: ShapeContext, axes: readonly number[], rank: number): readonly number[] {
  const resolved = axes.map((axis) => resolveAxis(context, axis, rank));
  if (new Set(resolved).size !== resolved.length) {
    throw context.fail("an axis is given twice", { received: `[${axes.join(",")}]` });
  }
  return resolved;
}

/** Throws unless the input has this rank (or one of them). */
export function requireRank(context: ShapeContext, index: number, ...ranks: readonly number[]): Shape {
  const shape = context.shape(index);
  if (!ranks.includes(shape.length)) {
    throw context.fail(`input ${index} has the wrong rank`, {
      expected: ranks.join(" or "),
      received: `${shape.length}`,
    });
  }
  return shape;
}

/** Throws unless the input, where present and of known shape, is a vector of this size. */
export function requireVector(context: ShapeContext, index: number, size: Dimension, what: string): void {
  const shape = context.inputs[index]?.shape;
  if (!shape) return;
  if (shape.length !== 1 || commonSize(shape[0]!, size) === undefined) {
    throw context.fail(`${what} does not fit`, { expected: `[${size}]`, received: `[${shape.join(",")}]` });
  }
}

/** Throws unless all inputs that are present have the same element type, which is returned. */
export function commonElementType(context: ShapeContext, indices: readonly number[]): ElementType {
  const elementType = context.input(indices[0]!).elementType;
  for (const index of indices) {
    const own = context.inputs[index]?.elementType;
    if (own !== undefined && own !== elementType) {
      throw context.fail(`input ${index} has another element type than input ${indices[0]}`, {
        expected: elementType,
        received: own,
      });
    }
  }
  return elementType;
}

/** The inputs' shapes broadcast; undefined when the rank of one is not known. Throws when they do not fit. */
export function broadcastInputs(context: ShapeContext, indices: readonly number[]): Shape | undefined {
  const shapes = indices.map((index) => context.input(index).shape);
  if (shapes.includes(undefined)) return undefined;
  const shape = broadcastShapes(shapes as Shape[], context.unknownDimension);
  if (!shape) throw context.fail("the shapes do not broadcast");
  return shape;
}

/** Throws unless the input, where present and of known shape, broadcasts to `target` without enlarging it. */
export function requireBroadcastTo(context: ShapeContext, index: number, target: Shape, what: string): void {
  const shape = context.inputs[index]?.shape;
  if (!shape) return;
  const fits =
    shape.length <= target.length &&
    shape.every((size, axis) => {
      const wanted = target[target.length - shape.length + axis]!;
      return size === 1 || commonSize(size, wanted) !== undefined;
    });
  if (!fits) {
    throw context.fail(`${what} does not broadcast`, {
      expected: `[${target.join(",")}]`,
      received: `[${shape.join(",")}]`,
    });
  }
}

export function typed(elementType: ElementType, shape: Shape | undefined): TensorType {
  return { elementType, shape };
}

/** The indices of all inputs that the node has. */
export function presentInputs(context: ShapeContext): readonly number[] {
  return context.node.inputs.flatMap((name, index) => (name === "" ? [] : [index]));
}

// No tensor has more axes; keeps a nonsensical file from asking for a shape of a billion sizes.
const rankLimit = 64;

/** Number of entries of a rank-1 input, when known: the rank of a shape that is given by it. */
export function entryCount(context: ShapeContext, index: number): number | undefined {
  const size = context.inputs[index]?.shape?.[0];
  if (typeof size === "string" || size === undefined) return undefined;
  if (size > rankLimit)
    throw context.fail("a shape has too many axes", { expected: `at most ${rankLimit}`, received: `${size}` });
  return size;
}

/** The target that an input gives, or unknown sizes of the right rank, or undefined when not even that is known. */
export function targetEntries(context: ShapeContext, index: number): readonly (Dimension | undefined)[] | undefined {
  const entries = context.entries(index);
  if (entries) return entries;
  const count = entryCount(context, index);
  return count === undefined ? undefined : Array.from({ length: count }, () => undefined);
}
