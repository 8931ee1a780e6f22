import { attributeOf } from "../../ir/attribute.js";
import {
  allocate,
  broadcastDimensions,
  broadcastStrides,
  countOf,
  type Evaluation,
  type EvaluationContext,
  integers,
  type NumericTensor,
  normalAxis,
  pick,
  stridesOf,
} from "./evaluation.js";

type Outputs = readonly NumericTensor[] | undefined;

/** Operators that move values without computing any. */
export const movementEvaluations: Readonly<Record<string, Evaluation>> = {
  Identity: ({ inputs: [x] }) => x && [x],
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
};

function reshaped(x: NumericTensor, dimensions: readonly number[]): Outputs {
  if (countOf(dimensions) !== x.data.length) return undefined;
  return [{ ...x, dimensions: [...dimensions] }];
}

function reshape({ node, inputs: [x, shape] }: EvaluationContext): Outputs {
  if (!x || !shape) return undefined;
  const keepsZero = attributeOf(node, "allowzero", "int", 0) === 1;
  const sizes = integers(shape).map((size, axis) => (size === 0 && !keepsZero ? (x.dimensions[axis] ?? 0) : size));
  const open = sizes.indexOf(-1);
  if (open >= 0) {
    const known = countOf(sizes.filter((_, axis) => axis !== open));
    sizes[open] = known === 0 ? 0 : x.data.length / known;
  }
  return sizes.every((size) => Number.isInteger(size) && size >= 0) ? reshaped(x, sizes) : undefined;
}

function flatten({ node, inputs: [x] }: EvaluationContext): Outputs {
  if (!x) return undefined;
  const axis = attributeOf(node, "axis", "int", 1);
  const at = axis < 0 ? axis + x.dimensions.length : axis;
  return reshaped(x, [countOf(x.dimensions.slice(0, at)), countOf(x.dimensions.slice(at))]);
}

function squeeze({ inputs: [x, axes] }: EvaluationContext): Outputs {
  if (!x) return undefined;
  const rank = x.dimensions.length;
  const removed = axes && new Set(integers(axes).map((axis) => normalAxis(axis, rank)));
  return reshaped(
    x,
    x.dimensions.filter((size, axis) => (removed ? !removed.has(axis) : size !== 1)),
  );
}

function unsqueeze({ inputs: [x, axes] }: EvaluationContext): Outputs {
  if (!x || !axes) return undefined;
  const rank = x.dimensions.length + axes.data.length;
  const added = new Set(integers(axes).map((axis) => normalAxis(axis, rank)));
  if (added.size !== axes.data.length || added.has(undefined)) return undefined;
  const own = [...x.dimensions];
  return reshaped(
    x,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : own.shift()!)),
  );
}

function transpose({ node, inputs: [x], maximumElements }: EvaluationContext): Outputs {
  if (!x || x.data.length > maximumElements) return undefined;
  const order = attributeOf(node, "perm", "ints") ?? x.dimensions.map((_, axis) => x.dimensions.length - 1 - axis);
  if (order.length !== x.dimensions.length || order.some((axis) => x.dimensions[axis] === undefined)) return undefined;
  const strides = stridesOf(x.dimensions);
  return [
    pick(
      x,
      order.map((axis) => x.dimensions[axis]!),
      order.map((axis) => strides[axis]!),
    ),
  ];
}

function expand({ inputs: [x, shape], maximumElements }: EvaluationContext): Outputs {
  if (!x || !shape) return undefined;
  const dimensions = broadcastDimensions([x.dimensions, integers(shape)]);
  if (!dimensions || !(countOf(dimensions) <= maximumElements) || dimensions.some((size) => size < 0)) return undefined;
  return [pick(x, dimensions, broadcastStrides(x.dimensions, dimensions)!)];
}

function concat({ node, inputs, maximumElements }: EvaluationContext): Outputs {
  const parts = inputs.filter((input) => input !== undefined);
  const first = parts[0];
  if (!first || parts.length < inputs.length) return undefined;
  const axis = normalAxis(attributeOf(node, "axis", "int", 0), first.dimensions.length);
  if (axis === undefined) return undefined;
  const dimensions = [...first.dimensions];
  dimensions[axis] = parts.reduce((sum, part) => sum + (part.dimensions[axis] ?? 0), 0);
  if (countOf(dimensions) > maximumElements) return undefined;
  const fits = parts.every(
    (part) =>
      part.elementType === first.elementType &&
      part.dimensions.length === dimensions.length &&
      part.dimensions.every((size, at) => at === axis || size === dimensions[at]),
  );
  if (!fits) return undefined;
  const data = allocate(first.elementType, countOf(dimensions));
  const outer = countOf(dimensions.slice(0, axis));
  let offset = 0;
  for (let row = 0; row < outer; row++) {
    for (const part of parts) {
      const length = part.data.length / outer;
      for (let index = 0; index < length; index++) data[offset++] = part.data[row * length + index]!;
    }
  }
  return [{ elementType: first.elementType, dimensions, data }];
}

function slice({ inputs: [x, starts, ends, axes, steps], maximumElements }: EvaluationContext): Outputs {
  if (!x || !starts || !ends) return undefined;
  const rank = x.dimensions.length;
  const dimensions = [...x.dimensions];
  const strides = stridesOf(x.dimensions);
  const from = integers(starts);
  const to = integers(ends);
  const along = axes ? integers(axes) : from.map((_, index) => index);
  const by = steps ? integers(steps) : from.map(() => 1);
  let offset = 0;
  for (let index = 0; index < from.length; index++) {
    const axis = normalAxis(along[index] ?? rank, rank);
    const step = by[index];
    if (axis === undefined || !step) return undefined;
    const size = x.dimensions[axis]!;
    const [start, end] = sliceBounds(from[index]!, to[index] ?? 0, size, step);
    dimensions[axis] = Math.max(0, Math.ceil((end - start) / step));
    offset += start * stridesOf(x.dimensions)[axis]!;
    strides[axis] = strides[axis]! * step;
  }
  if (countOf(dimensions) > maximumElements) return undefined;
  return [pick(x, dimensions, strides, offset)];
}

/** Start and end after ONNX's clamping; the end of a backward slice may be −1. */
function sliceBounds(from: number, to: number, size: number, step: number): [number, number] {
  const start = from < 0 ? from + size : from;
  const end = to < 0 ? to + size : to;
  const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
  if (step > 0) return [clamp(start, 0, size), clamp(end, 0, size)];
  return [clamp(start, 0, size - 1), clamp(end, -1, size - 1)];
}

function split({ node, inputs: [x, sizes], maximumElements }: EvaluationContext): Outputs {
  if (!x || x.data.length > maximumElements) return undefined;
  const axis = normalAxis(attributeOf(node, "axis", "int", 0), x.dimensions.length);
  if (axis === undefined) return undefined;
  const length = x.dimensions[axis]!;
  const count = node.outputs.length;
  const part = Math.ceil(length / count);
  const parts = sizes
    ? integers(sizes)
    : node.outputs.map((_, index) => (index < count - 1 ? part : length - part * (count - 1)));
  if (parts.length !== count || parts.some((size) => size < 0) || parts.reduce((a, b) => a + b, 0) !== length) {
    return undefined;
  }
  const strides = stridesOf(x.dimensions);
  let start = 0;
  return parts.map((size) => {
    const dimensions = x.dimensions.with(axis, size);
    const result = pick(x, dimensions, strides, start * strides[axis]!);
    start += size;
    return result;
  });
}

function gather({ node, inputs: [x, indices], maximumElements }: EvaluationContext): Outputs {
  if (!x || !indices) return undefined;
  const axis = normalAxis(attributeOf(node, "axis", "int", 0), x.dimensions.length);
  if (axis === undefined) return undefined;
  const size = x.dimensions[axis]!;
  const positions = integers(indices).map((index) => normalAxis(index, size));
  const dimensions = [...x.dimensions.slice(0, axis), ...indices.dimensions, ...x.dimensions.slice(axis + 1)];
  if (positions.includes(undefined) || countOf(dimensions) > maximumElements) return undefined;
  const inner = stridesOf(x.dimensions)[axis]!;
  const data = allocate(x.elementType, countOf(dimensions));
  const outer = countOf(x.dimensions.slice(0, axis));
  let offset = 0;
  for (let row = 0; row < outer; row++) {
    for (const position of positions) {
      const source = (row * size + position!) * inner;
      for (let index = 0; index < inner; index++) data[offset++] = x.data[source + index]!;
    }
  }
  return [{ elementType: x.elementType, dimensions, data }];
}
