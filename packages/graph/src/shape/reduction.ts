import type { Shape } from "../ir/graph.js";
import { entryCount, intAttribute, resolveAxes, resolveAxis, sameAsFirst, typed } from "./context.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

const reduction: ShapeRule = (context) => {
  const { elementType } = context.input(0);
  return [typed(elementType, reducedShape(context))];
};

function reducedShape(context: ShapeContext): Shape | undefined {
  const shape = context.shape(0);
  const keep = intAttribute(context, "keepdims", 1) === 1;
  const axes = context.has(1) ? context.numbers(1) : [];
  if (!axes) {
    const count = entryCount(context, 1);
    const rank = keep ? shape.length : count && shape.length - count;
    return rank === undefined ? undefined : Array.from({ length: rank }, context.unknownDimension);
  }
  if (axes.length === 0) {
    if (intAttribute(context, "noop_with_empty_axes", 0) === 1) return shape;
    return keep ? shape.map(() => 1) : [];
  }
  return without(shape, resolveAxes(context, axes, shape.length), keep);
}

function without(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  return keep
    ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : shape.filter((_, axis) => !axes.includes(axis));
}

const argument: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = resolveAxis(context, intAttribute(context, "axis", 0), shape.length);
  return [typed("int64", without(shape, [axis], intAttribute(context, "keepdims", 1) === 1))];
};

/** Operators along one axis that keep the shape. */
const along =
  (byDefault: number): ShapeRule =>
  (context) => {
    const { shape } = context.input(0);
    if (shape && shape.length > 0) resolveAxis(context, intAttribute(context, "axis", byDefault), shape.length);
    return sameAsFirst(context);
  };

/** Reductions over axes and operators that normalise or accumulate along one. */
export const reductionShapes: ShapeTable = {
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceL1: reduction,
  ReduceL2: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceSumSquare: reduction,
  ArgMax: argument,
  ArgMin: argument,
  Softmax: along(-1),
  LogSoftmax: along(-1),
  Hardmax: along(-1),
  CumSum: sameAsFirst,
};
