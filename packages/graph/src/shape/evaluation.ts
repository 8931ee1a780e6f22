import { attributeOf } from "../ir/attribute.js";
import { type ElementType, elementTypeOfOnnxCode, elementTypes } from "../ir/element-type.js";
import type { Dimension, Node, TensorType } from "../ir/graph.js";
import { elementCount, isStatic } from "../ir/tensor.js";
import { broadcastShapes, productSize, quotientSize } from "./dimension.js";
import { entriesOfTensor, entryLimit, isPlain, type KnownEntries } from "./entries.js";
import { sliceLength } from "./indexing.js";

/** What an evaluation rule sees. */
export interface EvaluationContext {
  readonly node: Node;
  type(index: number): TensorType | undefined;
  entries(index: number): KnownEntries | undefined;
}

/** The first output's entries, or undefined when they do not follow from what is known. */
export type EvaluationRule = (context: EvaluationContext) => KnownEntries | undefined;

type Entry = Dimension | undefined;

const shapeOf: EvaluationRule = ({ node, type }) => {
  const shape = type(0)?.shape;
  if (!shape) return undefined;
  const start = attributeOf(node, "start", "int", 0);
  const entries = shape.slice(start, attributeOf(node, "end", "int", shape.length));
  return { elementType: "int64", dimensions: [entries.length], entries };
};

const sizeOf: EvaluationRule = ({ type }) => {
  const shape = type(0)?.shape;
  return shape && { elementType: "int64", dimensions: [], entries: [productSize(shape)] };
};

const constant: EvaluationRule = ({ node }) => {
  const attribute = Object.entries(node.attributes).find(([name]) => name.startsWith("value"))?.[1];
  switch (attribute?.kind) {
    case "tensor":
      return entriesOfTensor(attribute.value);
    case "int":
      return { elementType: "int64", dimensions: [], entries: [attribute.value] };
    case "float":
      return { elementType: "float32", dimensions: [], entries: [attribute.value] };
    case "ints":
      return { elementType: "int64", dimensions: [attribute.value.length], entries: attribute.value };
    case "floats":
      return { elementType: "float32", dimensions: [attribute.value.length], entries: attribute.value };
    default:
      return undefined;
  }
};

const constantOfShape: EvaluationRule = ({ node, entries }) => {
  const target = entries(0)?.entries;
  if (!target?.every((size) => typeof size === "number")) return undefined;
  const fill = attributeOf(node, "value", "tensor");
  const value = fill ? entriesOfTensor(fill)?.entries[0] : 0;
  const count = elementCount(target as number[]);
  if (value === undefined || count > entryLimit) return undefined;
  return {
    elementType: fill?.elementType ?? "float32",
    dimensions: target as number[],
    entries: Array.from({ length: count }, () => value),
  };
};

const range: EvaluationRule = ({ entries }) => {
  const [start, limit, step] = [0, 1, 2].map((index) => entries(index)?.entries[0]);
  if (typeof start !== "number" || typeof limit !== "number" || typeof step !== "number" || step === 0)
    return undefined;
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (count > entryLimit) return undefined;
  return {
    elementType: entries(0)!.elementType,
    dimensions: [count],
    entries: Array.from({ length: count }, (_, index) => start + index * step),
  };
};

const identity: EvaluationRule = ({ entries }) => entries(0);

const cast: EvaluationRule = ({ node, entries }) => {
  const value = entries(0);
  const elementType = elementTypeOfOnnxCode(attributeOf(node, "to", "int", 0));
  if (!value || !elementType || !isPlain(elementType)) return undefined;
  return { ...value, elementType, entries: value.entries.map((entry) => rounded(entry, elementType)) };
};

function rounded(entry: Entry, elementType: ElementType): Entry {
  if (typeof entry !== "number") return entry;
  if (elementType === "bool") return entry === 0 ? 0 : 1;
  if (elementType === "float32") return Math.fround(entry);
  return elementTypes[elementType].isFloat ? entry : Math.trunc(entry);
}

/** Views: same entries, other dimensions. */
const view =
  (dimensionsOf: (context: EvaluationContext, value: KnownEntries) => readonly number[] | undefined): EvaluationRule =>
  (context) => {
    const value = context.entries(0);
    const dimensions = value && dimensionsOf(context, value);
    return dimensions && { ...value, dimensions };
  };

function numbersOf(value: KnownEntries | undefined): readonly number[] | undefined {
  return value?.entries.every((entry) => typeof entry === "number") ? (value.entries as number[]) : undefined;
}

const unsqueeze = view(({ entries }, { dimensions }) => {
  const axes = numbersOf(entries(1));
  if (!axes) return undefined;
  const rank = dimensions.length + axes.length;
  const added = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  let next = 0;
  return Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : dimensions[next++]!));
});

const squeeze = view(({ node, entries }, { dimensions }) => {
  if (!node.inputs[1]) return dimensions.filter((size) => size !== 1);
  const axes = numbersOf(entries(1))?.map((axis) => (axis < 0 ? axis + dimensions.length : axis));
  return axes && dimensions.filter((_, axis) => !axes.includes(axis));
});

const reshape = view(({ entries }, { dimensions }) => {
  const target = numbersOf(entries(1));
  if (!target) return undefined;
  const sizes = target.map((size, axis) => (size === 0 ? (dimensions[axis] ?? 0) : size));
  const rest = elementCount(sizes.filter((size) => size !== -1));
  return sizes.map((size) => (size === -1 ? elementCount(dimensions) / rest : size));
});

const gather: EvaluationRule = ({ node, entries }) => {
  const data = entries(0);
  const indices = entries(1);
  if (data?.dimensions.length !== 1 || !indices || attributeOf(node, "axis", "int", 0) > 0) return undefined;
  const size = data.entries.length;
  const picked = indices.entries.map(
    (index): Entry => (typeof index === "number" ? data.entries[index < 0 ? index + size : index] : undefined),
  );
  return { elementType: data.elementType, dimensions: indices.dimensions, entries: picked };
};

const slice: EvaluationRule = ({ node, entries }) => {
  const data = entries(0);
  const [start, end] = [1, 2].map((index) => numbersOf(entries(index))?.[0]);
  const step = node.inputs[4] ? numbersOf(entries(4))?.[0] : 1;
  if (data?.dimensions.length !== 1 || start === undefined || end === undefined || !step) return undefined;
  const size = data.entries.length;
  const count = sliceLength(size, start, end, step);
  const first = Math.min(Math.max(start < 0 ? start + size : start, 0), step > 0 ? size : size - 1);
  return {
    elementType: data.elementType,
    dimensions: [count],
    entries: Array.from({ length: count }, (_, index) => data.entries[first + index * step]),
  };
};

/** Vectors alone; one that is not known still takes its place when its length is known. */
const concat: EvaluationRule = ({ node, type, entries }) => {
  const parts: Entry[] = [];
  for (let index = 0; index < node.inputs.length; index++) {
    const shape = type(index)?.shape;
    const size = shape?.[0];
    if (shape?.length !== 1 || typeof size !== "number" || parts.length + size > entryLimit) return undefined;
    const own = entries(index)?.entries;
    for (let at = 0; at < size; at++) parts.push(own?.[at]);
  }
  const elementType = type(0)?.elementType;
  return elementType && { elementType, dimensions: [parts.length], entries: parts };
};

type Binary = (a: Dimension, b: Dimension, elementType: ElementType) => Entry;

const bothNumbers =
  (operation: (a: number, b: number, elementType: ElementType) => number): Binary =>
  (a, b, elementType) =>
    typeof a === "number" && typeof b === "number" ? operation(a, b, elementType) : undefined;

function broadcastDimensions(values: readonly KnownEntries[]): readonly number[] | undefined {
  const shape = broadcastShapes(
    values.map(({ dimensions }) => dimensions),
    String,
  );
  return isStatic(shape) && elementCount(shape) <= entryLimit ? shape : undefined;
}

/** Elementwise with broadcasting. */
function broadcast(
  a: KnownEntries,
  b: KnownEntries,
  elementType: ElementType,
  operation: Binary,
): KnownEntries | undefined {
  const dimensions = broadcastDimensions([a, b]);
  if (!dimensions) return undefined;
  const at = (value: KnownEntries, position: number): Entry =>
    value.entries[offset(value.dimensions, dimensions, position)];
  const entries = Array.from({ length: elementCount(dimensions) }, (_, position): Entry => {
    const left = at(a, position);
    const right = at(b, position);
    return left === undefined || right === undefined ? undefined : operation(left, right, a.elementType);
  });
  return { elementType, dimensions, entries };
}

/** Position in a tensor of `own` dimensions of what stands at `position` after broadcasting to `target`. */
function offset(own: readonly number[], target: readonly number[], position: number): number {
  let result = 0;
  let stride = 1;
  let rest = position;
  for (let axis = target.length - 1; axis >= 0; axis--) {
    const size = own[own.length - target.length + axis];
    const index = rest % target[axis]!;
    rest = Math.floor(rest / target[axis]!);
    if (size === undefined) continue;
    if (size > 1) result += index * stride;
    stride *= size;
  }
  return result;
}

const arithmetic =
  (operation: Binary): EvaluationRule =>
  ({ entries }) => {
    const a = entries(0);
    const b = entries(1);
    const result = a && b && broadcast(a, b, a.elementType, operation);
    return result && { ...result, entries: result.entries.map((entry) => rounded(entry, result.elementType)) };
  };

const comparison =
  (operation: Binary): EvaluationRule =>
  ({ entries }) => {
    const a = entries(0);
    const b = entries(1);
    return a && b && broadcast(a, b, "bool", operation);
  };

const extreme =
  (operation: (a: number, b: number) => number): EvaluationRule =>
  ({ node, entries }) => {
    let result = entries(0);
    for (let index = 1; index < node.inputs.length; index++) {
      const next = entries(index);
      result = result && next && broadcast(result, next, result.elementType, bothNumbers(operation));
    }
    return result;
  };

const multiply: Binary = (a, b, elementType) =>
  elementTypes[elementType].isFloat ? bothNumbers((x, y) => x * y)(a, b, elementType) : productSize([a, b]);

const add: Binary = (a, b, elementType) =>
  b === 0 ? a : a === 0 ? b : bothNumbers((x, y) => x + y)(a, b, elementType);

const subtract: Binary = (a, b, elementType) =>
  b === 0 ? a : a === b ? 0 : bothNumbers((x, y) => x - y)(a, b, elementType);

const divide: Binary = (a, b, elementType) => {
  if (typeof a === "number" && typeof b === "number") return b === 0 ? undefined : a / b;
  return elementTypes[elementType].isFloat && b !== 1 ? undefined : quotientSize([a], [b]);
};

/** A size is never negative, so one known by name differs from −1. */
const equal: Binary = (a, b) => {
  if (a === b) return 1;
  if (typeof a === "number" && typeof b === "number") return 0;
  const number = typeof a === "number" ? a : b;
  return typeof number === "number" && number < 0 ? 0 : undefined;
};

const where: EvaluationRule = ({ entries }) => {
  const [condition, a, b] = [entries(0), entries(1), entries(2)];
  if (!condition || !a || !b) return undefined;
  const dimensions = broadcastDimensions([condition, a, b]);
  if (!dimensions) return undefined;
  const chosen = Array.from({ length: elementCount(dimensions) }, (_, position): Entry => {
    const choice = condition.entries[offset(condition.dimensions, dimensions, position)];
    if (typeof choice !== "number") return undefined;
    const branch = choice === 0 ? b : a;
    return branch.entries[offset(branch.dimensions, dimensions, position)];
  });
  return { elementType: a.elementType, dimensions, entries: chosen };
};

const unary =
  (operation: (x: number) => number): EvaluationRule =>
  ({ entries }) => {
    const value = entries(0);
    return (
      value && {
        ...value,
        entries: value.entries.map((entry) => (typeof entry === "number" ? operation(entry) : undefined)),
      }
    );
  };

/** A reduction of a whole vector. */
const reduce =
  (operation: (entries: readonly Dimension[]) => Entry): EvaluationRule =>
  ({ node, entries }) => {
    const value = entries(0);
    if (!value || value.dimensions.length > 1) return undefined;
    const axes = node.inputs[1] ? numbersOf(entries(1)) : [];
    if (!axes || (axes.length === 0 && attributeOf(node, "noop_with_empty_axes", "int", 0) === 1)) return undefined;
    const keep = attributeOf(node, "keepdims", "int", 1) === 1;
    const known = value.entries.every((entry) => entry !== undefined);
    return {
      elementType: value.elementType,
      dimensions: keep ? value.dimensions.map(() => 1) : [],
      entries: [known ? operation(value.entries as readonly Dimension[]) : undefined],
    };
  };

const overNumbers =
  (operation: (values: readonly number[]) => number) =>
  (entries: readonly Dimension[]): Entry =>
    entries.every((entry) => typeof entry === "number") ? operation(entries) : undefined;

/** Operators that exporters compute shapes with. */
export const evaluationTable: Readonly<Record<string, EvaluationRule>> = {
  Shape: shapeOf,
  Size: sizeOf,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  Identity: identity,
  Cast: cast,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Reshape: reshape,
  Gather: gather,
  Slice: slice,
  Concat: concat,
  Add: arithmetic(add),
  Sub: arithmetic(subtract),
  Mul: arithmetic(multiply),
  Div: arithmetic(divide),
  Min: extreme(Math.min),
  Max: extreme(Math.max),
  Equal: comparison(equal),
  Where: where,
  Neg: unary((x) => -x),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  ReduceProd: reduce(productSize),
  ReduceSum: reduce(overNumbers((values) => values.reduce((total, value) => total + value, 0))),
  ReduceMax: reduce(overNumbers((values) => Math.max(...values))),
  ReduceMin: reduce(overNumbers((values) => Math.min(...values))),
};
