import { attributeOf } from "../../ir/attribute.js";
import {
  allocate,
  countOf,
  type Evaluation,
  type EvaluationContext,
  integers,
  larger,
  type NumericTensor,
  normalAxis,
  numeric,
  smaller,
} from "./evaluation.js";

type Outputs = readonly NumericTensor[] | undefined;

/** Operators that make values out of shapes and bounds, and those that reduce them. */
export const creationEvaluations: Readonly<Record<string, Evaluation>> = {
  ConstantOfShape: constantOfShape,
  Range: range,
  ReduceSum: reduction((a, b) => a + b, 0),
  ReduceProd: reduction((a, b) => a * b, 1),
  ReduceMin: reduction(smaller, undefined),
  ReduceMax: reduction(larger, undefined),
};

function constantOfShape({ node, inputs: [shape], maximumElements }: EvaluationContext): Outputs {
  if (!shape) return undefined;
  const dimensions = integers(shape);
  const count = countOf(dimensions);
  if (dimensions.some((size) => size < 0) || !(count <= maximumElements)) return undefined;
  const given = attributeOf(node, "value", "tensor");
  if (!given) return [{ elementType: "float32", dimensions, data: new Float32Array(count) }];
  const value = numeric(given);
  if (!value) return undefined;
  const data = allocate(value.elementType, count);
  for (let index = 0; index < count; index++) data[index] = value.data[0]!;
  return [{ elementType: value.elementType, dimensions, data }];
}

function range({ inputs: [start, limit, delta], maximumElements }: EvaluationContext): Outputs {
  if (!start || !limit || !delta) return undefined;
  const from = Number(start.data[0]);
  const step = Number(delta.data[0]);
  const count = Math.max(0, Math.ceil((Number(limit.data[0]) - from) / step));
  if (!(count <= maximumElements)) return undefined;
  const { elementType } = start;
  const data = allocate(elementType, count);
  const isWide = elementType === "int64" || elementType === "uint64";
  for (let index = 0; index < count; index++) {
    const value = from + index * step;
    data[index] = isWide ? BigInt(value) : value;
  }
  return [{ elementType, dimensions: [count], data }];
}

type Combine = (a: number, b: number) => number;

/** A reduction of floats in double precision, or of integers as bigints, which BigInt64Array and its kin wrap around. */
function reduction(combine: Combine, empty: number | undefined): Evaluation {
  return ({ node, inputs: [x, axes], maximumElements }) => {
    if (!x || x.data.length > maximumElements) return undefined;
    const rank = x.dimensions.length;
    const given = axes ? integers(axes) : [];
    if (given.length === 0 && attributeOf(node, "noop_with_empty_axes", "int", 0) === 1) return [x];
    const reduced = new Set(given.length > 0 ? given.map((axis) => normalAxis(axis, rank)) : x.dimensions.keys());
    if (reduced.has(undefined)) return undefined;
    const kept = x.dimensions.map((size, axis) => (reduced.has(axis) ? 1 : size));
    const values = reduceInto(x, kept, combine, empty);
    if (!values) return undefined;
    const keepsRank = attributeOf(node, "keepdims", "int", 1) === 1;
    const dimensions = keepsRank ? kept : x.dimensions.filter((_, axis) => !reduced.has(axis));
    const data = allocate(x.elementType, values.length);
    values.forEach((value, index) => {
      data[index] = value;
    });
    return [{ elementType: x.elementType, dimensions, data }];
  };
}

function reduceInto(
  x: NumericTensor,
  kept: readonly number[],
  combine: Combine,
  empty: number | undefined,
): (number | bigint)[] | undefined {
  const isFloat = x.elementType === "float32" || x.elementType === "float64";
  const results = new Array<number | bigint | undefined>(countOf(kept)).fill(undefined);
  for (let index = 0; index < x.data.length; index++) {
    const target = targetOf(index, x.dimensions, kept);
    const value = isFloat ? x.data[index]! : BigInt(x.data[index]!);
    const before = results[target];
    // `combine` is written for numbers; its operators mean the same on a pair of bigints.
    results[target] = before === undefined ? value : combine(before as number, value as number);
  }
  const isWide = x.elementType === "int64" || x.elementType === "uint64";
  const neutral = empty === undefined ? undefined : isWide ? BigInt(empty) : empty;
  const all = results.map((value) => {
    if (value === undefined) return neutral;
    return typeof value === "bigint" && !isWide ? Number(BigInt.asIntN(32, value)) : value;
  });
  return all.includes(undefined) ? undefined : (all as (number | bigint)[]);
}

function targetOf(index: number, dimensions: readonly number[], kept: readonly number[]): number {
  let rest = index;
  let target = 0;
  let stride = 1;
  for (let axis = dimensions.length - 1; axis >= 0; axis--) {
    const position = rest % dimensions[axis]!;
    rest = (rest - position) / dimensions[axis]!;
    if (kept[axis] !== 1) target += position * stride;
    stride *= kept[axis]!;
  }
  return target;
}
