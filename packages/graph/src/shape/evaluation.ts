import { attributeOf } from "../ir/attribute.js";
import { elementTypeOfOnnxCode } from "../ir/element-type.js";
import { elementCount } from "../ir/tensor.js";
import { productSize } from "./dimension.js";
import { entriesOfTensor, entryLimit, isPlain, type KnownEntries } from "./entries.js";
import { arithmeticEvaluations } from "./evaluation-arithmetic.js";
import { type Entry, type EvaluationContext, type EvaluationRule, numbersOf, rounded } from "./evaluation-rule.js";
import { sliceLength } from "./indexing.js";

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

/** Views: same entries, other dimensions. */
const view =
  (dimensionsOf: (context: EvaluationContext, value: KnownEntries) => readonly number[] | undefined): EvaluationRule =>
  (context) => {
    const value = context.entries(0);
    const dimensions = value && dimensionsOf(context, value);
    return dimensions && elementCount(dimensions) === value.entries.length ? { ...value, dimensions } : undefined;
  };

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
  ...arithmeticEvaluations,
};
