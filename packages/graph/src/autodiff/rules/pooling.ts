import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import { windowAttributes } from "../own/window.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { countAlong, expandLike, reshapeLike, shapeOf, zerosLike } from "../shapes.js";
import { inputSizes, knownWindow } from "./convolution.js";

function windowOfPool(context: GradientContext): Record<string, readonly number[] | number> {
  const kernel = attributeOf(context.node, "kernel_shape", "ints", []);
  const window = knownWindow(context, kernel, shapeOf(context.input(0)).slice(2));
  return { ...windowAttributes(window), ceil_mode: attributeOf(context.node, "ceil_mode", "int", 0) };
}

const maxPool: GradientRule = (context) => {
  const dy = context.outputGradients[0]!;
  return context.g.ownNode("MaxPoolGradient", [dy, context.input(0), context.output(0)], windowOfPool(context));
};

const averagePool: GradientRule = (context) => {
  const sizes = inputSizes(context.input(0));
  return context.g.ownNode("AveragePoolGradient", [context.outputGradients[0], sizes.like], {
    ...windowOfPool(context),
    count_include_pad: attributeOf(context.node, "count_include_pad", "int", 0),
    input_shape: sizes.attribute,
  });
};

function spatialAxes(x: Value): readonly number[] {
  return shapeOf(x)
    .slice(2)
    .map((_, axis) => axis + 2);
}

const globalAveragePool: GradientRule = (context) => {
  const { g } = context;
  const x = context.input(0);
  const share = g.div(context.outputGradients[0]!, countAlong(g, x, spatialAxes(x)));
  return [expandLike(g, share, x)];
};

/** All of the gradient goes to the first position that holds the maximum, as in MaxPool. */
const globalMaxPool: GradientRule = (context) => {
  const { g } = context;
  const x = context.input(0);
  const rows = g.reshape(x, g.int64s([0, 0, -1]));
  const first = g.op("ArgMax", [rows], { axis: 2, keepdims: 1 });
  const dy = g.reshape(context.outputGradients[0]!, g.int64s([0, 0, 1]));
  return [reshapeLike(g, g.op("ScatterElements", [zerosLike(g, rows), first, dy], { axis: 2 }), x)];
};

/** Pooling. Among equal maxima the first one in memory order takes the gradient, as in PyTorch. */
export const poolingGradients: GradientTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
};
