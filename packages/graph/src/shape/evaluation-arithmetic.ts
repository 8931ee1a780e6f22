import { attributeOf } from "../ir/attribute.js";
import { type ElementType, elementTypes } from "../ir/element-type.js";
import type { Dimension } from "../ir/graph.js";
import { elementCount, isStatic } from "../ir/tensor.js";
import { broadcastShapes, productSize, quotientSize } from "./dimension.js";
import { entryLimit, type KnownEntries } from "./entries.js";
import { type Entry, type EvaluationRule, numbersOf, rounded } from "./evaluation-rule.js";

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
/** Arithmetic on sizes. */
export const arithmeticEvaluations: Readonly<Record<string, EvaluationRule>> = {
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
