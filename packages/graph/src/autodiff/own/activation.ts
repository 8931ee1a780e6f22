import { type OwnOperator, required } from "./own-operator.js";

/** Gradient of Relu: dY where Y > 0, else 0. Inputs: dY, Y (the forward result), of one shape. Output: dX like dY. */
export const reluGradient: OwnOperator = {
  shape: (context) => [context.input(0)],
  expand: (context) => {
    const { g } = context;
    return [g.where(g.greater(required(context, 1), 0), required(context, 0), 0)];
  },
};

/**
 * Gradient of Clip to its first input: dY where Y lies strictly between the bounds, else 0.
 * Inputs: dY, Y (the forward result) of one shape, and the bounds, each absent where Clip has none. Output: dX like dY.
 */
export const clipGradient: OwnOperator = {
  shape: (context) => [context.input(0)],
  expand: (context) => {
    const { g, inputs } = context;
    const [, , low, high] = inputs;
    const y = required(context, 1);
    const above = low && g.greater(y, low);
    const below = high && g.less(y, high);
    const inside = above && below ? g.and(above, below) : (above ?? below);
    const outputGradient = required(context, 0);
    return [inside ? g.where(inside, outputGradient, 0) : g.op("Identity", [outputGradient])];
  },
};
