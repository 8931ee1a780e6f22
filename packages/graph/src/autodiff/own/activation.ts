import { type OwnOperator, required } from "./own-operator.js";

/** Gradient of Relu: dY where Y > 0, else 0. Inputs: dY, Y (the forward result), of one shape. Output: dX like dY. */
export const reluGradient: OwnOperator = {
  shape: (context) => [context.input(0)],
  expand: (context) => {
    const { g } = context;
    return [g.where(g.greater(required(context, 1), 0), required(context, 0), 0)];
  },
};
