import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { expandLike, rankOf, shapeOf } from "../shapes.js";

type Builder = GradientContext["g"];

/** A reduction whose result and gradient keep the reduced axes with size 1. */
interface Reduced {
  readonly g: Builder;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  /** Reduces over the same axes and keeps them. */
  readonly reduce: (operator: "ReduceSum" | "ReduceProd", value: Value) => Value;
}

/** A rule for a reduction: the result broadcasts over x and is expanded to it where it does not have its shape. */
function reducing(gradient: (parts: Reduced) => Value): GradientRule {
  return (context) => {
    const { g, node } = context;
    const x = context.input(0);
    const axes = context.inputs[1];
    const noAxes = attributeOf(node, "noop_with_empty_axes", "int", 0);
    const keptAlready = attributeOf(node, "keepdims", "int", 1) === 1;
    const keep = (value: Value): Value => {
      if (keptAlready || rankOf(x) === 0 || rankOf(value) === rankOf(x)) return value;
      return axes
        ? g.op("Unsqueeze", [value, axes])
        : g.reshape(
            value,
            shapeOf(x).map(() => 1),
          );
    };
    const result = gradient({
      g,
      x,
      y: keep(context.output(0)),
      dy: keep(context.outputGradients[0]!),
      reduce: (operator, value) => g.op(operator, [value, axes], { keepdims: 1, noop_with_empty_axes: noAxes }),
    });
    return [expandLike(g, result, x)];
  };
}

/** How many entries go into each result. */
function reducedCount(g: Builder, x: Value, y: Value): Value {
  return g.cast(g.div(g.op("Size", [x]), g.op("Size", [y])), x.type.elementType);
}

const mean = reducing(({ g, x, y, dy }) => g.div(dy, knownCount(x, y) ?? reducedCount(g, x, y)));

function knownCount(x: Value, y: Value): number | undefined {
  let count = 1;
  for (const [axis, size] of shapeOf(x).entries()) {
    const kept = shapeOf(y)[axis]!;
    if (kept === size) continue;
    if (typeof size !== "number" || kept !== 1) return undefined;
    count *= size;
  }
  return count;
}

/** Split evenly among the entries that attain the extreme, as PyTorch's amax does. */
const extreme = reducing(({ g, x, y, dy, reduce }) => {
  const attains = g.cast(g.equal(x, y), x.type.elementType);
  return g.mul(attains, g.div(dy, reduce("ReduceSum", attains)));
});

/** The product of the other entries, also where entries are zero. */
const product = reducing(({ g, x, dy, reduce }) => {
  const isZero = g.equal(x, 0);
  const zeros = reduce("ReduceSum", g.cast(isZero, x.type.elementType));
  const nonZero = g.where(isZero, 1, x);
  const all = reduce("ReduceProd", nonZero);
  const ofOthers = g.where(
    isZero,
    g.where(g.equal(zeros, 1), all, 0),
    g.where(g.equal(zeros, 0), g.div(all, nonZero), 0),
  );
  return g.mul(dy, ofOthers);
});

const euclideanNorm = reducing(({ g, x, y, dy }) => {
  const share = g.where(g.equal(y, 0), 0, g.div(dy, y));
  return g.mul(x, share);
});

const softmax: GradientRule = (context) => {
  const { g, node } = context;
  const [y, dy] = [context.output(0), context.outputGradients[0]!];
  const axis = attributeOf(node, "axis", "int", -1);
  return [g.mul(y, g.sub(dy, g.reduceSum(g.mul(dy, y), [axis], { keepDims: true })))];
};

const logSoftmax: GradientRule = (context) => {
  const { g, node } = context;
  const [y, dy] = [context.output(0), context.outputGradients[0]!];
  const axis = attributeOf(node, "axis", "int", -1);
  return [g.sub(dy, g.mul(g.exp(y), g.reduceSum(dy, [axis], { keepDims: true })))];
};

const cumulativeSum: GradientRule = (context) => {
  const { g, node } = context;
  return [
    g.op("CumSum", [context.outputGradients[0], context.input(1)], {
      exclusive: attributeOf(node, "exclusive", "int", 0),
      reverse: 1 - attributeOf(node, "reverse", "int", 0),
    }),
  ];
};

/** Reductions. ReduceL1 and ReduceL2 have gradient 0 at 0; equal extremes share the gradient evenly. */
export const reductionGradients: GradientTable = {
  ReduceSum: reducing(({ dy }) => dy),
  ReduceMean: mean,
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceProd: product,
  ReduceL1: reducing(({ g, x, dy }) => g.mul(g.sign(x), dy)),
  ReduceL2: euclideanNorm,
  ReduceSumSquare: reducing(({ g, x, dy }) => g.mul(x, g.mul(dy, 2))),
  ReduceLogSum: reducing(({ g, y, dy }) => g.mul(dy, g.exp(g.neg(y)))),
  ReduceLogSumExp: reducing(({ g, x, y, dy }) => g.mul(dy, g.exp(g.sub(x, y)))),
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  CumSum: cumulativeSum,
};
