import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { reduceToShape } from "../shapes.js";
import { floatAttribute, unary } from "./elementwise.js";

const relu = unary(({ g, dy, y }) => g.ownNode("ReluGradient", [dy, y])[0]!);

const leakyRelu = unary(({ g, dy, x, context }) =>
  g.where(g.greater(x, 0), dy, g.mul(dy, floatAttribute(context, "alpha", 0.01))),
);

/** Below zero the gradient is dy·(y + alpha) for Elu: y = alpha·(eˣ − 1) there. */
const elu = unary(({ g, dy, x, y, context }) =>
  g.where(g.greater(x, 0), dy, g.mul(dy, g.add(y, floatAttribute(context, "alpha", 1)))),
);

const selu = unary(({ g, dy, x, y, context }) => {
  const alpha = floatAttribute(context, "alpha", 1.6732631921768188);
  const gamma = floatAttribute(context, "gamma", 1.0507010221481323);
  return g.mul(dy, g.where(g.greater(x, 0), gamma, g.add(y, gamma * alpha)));
});

const celu = unary(({ g, dy, x, y, context }) =>
  g.where(g.greater(x, 0), dy, g.mul(dy, g.add(g.div(y, floatAttribute(context, "alpha", 1)), 1))),
);

const gelu = unary(({ g, dy, x, context }) => {
  const slope =
    attributeOf(context.node, "approximate", "string", "none") === "tanh" ? geluTanhSlope(g, x) : geluSlope(g, x);
  return g.mul(dy, slope);
});

/** Φ(x) + x·φ(x), with the normal distribution's Φ and φ. */
function geluSlope(g: GradientContext["g"], x: Value): Value {
  const cumulative = g.mul(g.add(g.op("Erf", [g.mul(x, Math.SQRT1_2)]), 1), 0.5);
  const density = g.mul(g.exp(g.mul(g.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return g.add(cumulative, g.mul(x, density));
}

/** Derivative of x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³) (Hendrycks and Gimpel 2016). */
function geluTanhSlope(g: GradientContext["g"], x: Value): Value {
  const factor = Math.sqrt(2 / Math.PI);
  const square = g.mul(x, x);
  const tanh = g.tanh(g.mul(g.mul(x, g.add(g.mul(square, 0.044715), 1)), factor));
  const innerSlope = g.mul(g.add(g.mul(square, 3 * 0.044715), 1), factor);
  const outerSlope = g.mul(g.mul(x, 0.5), g.sub(1, g.mul(tanh, tanh)));
  return g.add(g.mul(g.add(tanh, 1), 0.5), g.mul(outerSlope, innerSlope));
}

const softsign = unary(({ g, dy, x }) => {
  const denominator = g.add(g.abs(x), 1);
  return g.div(dy, g.mul(denominator, denominator));
});

const hardSigmoid = unary(({ g, dy, y, context }) =>
  g.where(g.and(g.greater(y, 0), g.less(y, 1)), g.mul(dy, floatAttribute(context, "alpha", 0.2)), 0),
);

/** x·clip(x/6 + 1/2, 0, 1). */
const hardSwish = unary(({ g, dy, x }) => {
  const inside = g.mul(dy, g.add(g.mul(x, 1 / 3), 0.5));
  return g.where(g.less(x, 3), g.where(g.greater(x, -3), inside, 0), dy);
});

/** x·tanh(softplus x). */
const mish = unary(({ g, dy, x }) => {
  const tanh = g.tanh(g.op("Softplus", [x]));
  const slope = g.add(tanh, g.mul(g.mul(x, g.sigmoid(x)), g.sub(1, g.mul(tanh, tanh))));
  return g.mul(dy, slope);
});

/** x·sigmoid(alpha·x). */
const swish = unary(({ g, dy, x, context }) => {
  const alpha = floatAttribute(context, "alpha", 1);
  const gate = g.sigmoid(g.mul(x, alpha));
  return g.mul(dy, g.add(gate, g.mul(g.mul(g.mul(x, alpha), gate), g.sub(1, gate))));
});

const thresholdedRelu = unary(({ g, dy, x, context }) =>
  g.where(g.greater(x, floatAttribute(context, "alpha", 1)), dy, 0),
);

/** x ∓ bias beyond ± lambd, 0 between. */
const shrink = unary(({ g, dy, x, context }) =>
  g.where(g.greater(g.abs(x), floatAttribute(context, "lambd", 0.5)), dy, 0),
);

const prelu: GradientRule = (context) => {
  const { g, needed } = context;
  const dy = context.outputGradients[0]!;
  const x = context.input(0);
  const slope = context.input(1);
  const positive = g.greater(x, 0);
  return [
    needed[0] ? g.where(positive, dy, g.mul(dy, slope)) : undefined,
    needed[1] ? reduceToShape(g, g.where(positive, 0, g.mul(dy, x)), slope) : undefined,
  ];
};

/** Strictly between the bounds y is x; from a bound on the gradient is the bound's. A maximum below the minimum wins. */
const clip: GradientRule = (context) => {
  const { g, needed } = context;
  const dy = context.outputGradients[0]!;
  const x = context.input(0);
  const [, low, high] = context.inputs;
  const crossed = low && high && (needed[1] || needed[2]) ? g.lessOrEqual(high, low) : undefined;
  const toLow = (): Value => {
    const reached = g.lessOrEqual(x, low!);
    return g.where(crossed ? g.and(reached, g.not(crossed)) : reached, dy, 0);
  };
  const toHigh = (): Value => {
    const reached = g.greaterOrEqual(x, high!);
    return g.where(crossed ? g.op("Or", [reached, crossed]) : reached, dy, 0);
  };
  return [
    needed[0] ? g.ownNode("ClipGradient", [dy, context.output(0), low, high])[0] : undefined,
    needed[1] ? reduceToShape(g, toLow(), low!) : undefined,
    needed[2] ? reduceToShape(g, toHigh(), high!) : undefined,
  ];
};

/**
 * Activations. Where they have a corner the gradient is PyTorch's: Relu, LeakyRelu, PRelu, Elu, Selu, Celu and
 * ThresholdedRelu take the branch of x ≤ corner, HardSigmoid and HardSwish (at −3) give 0 and HardSwish gives dy at 3,
 * Clip gives x nothing at its bounds (as ReLU6 and, for fixed bounds, torch.clamp): a learnt bound gets it (as in PACT).
 */
export const activationGradients: GradientTable = {
  Relu: relu,
  LeakyRelu: leakyRelu,
  PRelu: prelu,
  Elu: elu,
  Selu: selu,
  Celu: celu,
  ThresholdedRelu: thresholdedRelu,
  Sigmoid: unary(({ g, dy, y }) => g.mul(dy, g.sub(y, g.mul(y, y)))),
  Tanh: unary(({ g, dy, y }) => g.mul(dy, g.sub(1, g.mul(y, y)))),
  Gelu: gelu,
  Softplus: unary(({ g, dy, x }) => g.mul(dy, g.sigmoid(x))),
  Softsign: softsign,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Mish: mish,
  Swish: swish,
  Shrink: shrink,
  Clip: clip,
};
