import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";

/** The parts of an operator with one input and one output. */
interface Unary {
  readonly g: GradientContext["g"];
  readonly dy: Value;
  readonly x: Value;
  readonly y: Value;
  readonly context: GradientContext;
}

/** A rule for an operator with one input and one output, of one shape. */
export function unary(gradient: (parts: Unary) => Value): GradientRule {
  return (context) => [
    gradient({ g: context.g, dy: context.outputGradients[0]!, x: context.input(0), y: context.output(0), context }),
  ];
}

/** Piecewise constant, or independent of the input's values: the gradient is zero. */
const zero: GradientRule = () => [];

const cast: GradientRule = (context) => [
  context.g.cast(context.outputGradients[0]!, context.input(0).type.elementType),
];

/** Element by element, without parameters. At 0, Abs has gradient 0 (as in PyTorch). */
export const elementwiseGradients: GradientTable = {
  Identity: unary(({ dy }) => dy),
  Cast: cast,
  CastLike: cast,
  Neg: unary(({ g, dy }) => g.neg(dy)),
  Abs: unary(({ g, dy, x }) => g.mul(dy, g.sign(x))),
  Reciprocal: unary(({ g, dy, y }) => g.neg(g.mul(dy, g.mul(y, y)))),
  Sqrt: unary(({ g, dy, y }) => g.div(g.mul(dy, 0.5), y)),
  Exp: unary(({ g, dy, y }) => g.mul(dy, y)),
  Log: unary(({ g, dy, x }) => g.div(dy, x)),
  Sin: unary(({ g, dy, x }) => g.mul(dy, g.op("Cos", [x]))),
  Cos: unary(({ g, dy, x }) => g.neg(g.mul(dy, g.op("Sin", [x])))),
  Tan: unary(({ g, dy, y }) => g.mul(dy, g.add(g.mul(y, y), 1))),
  Asin: unary(({ g, dy, x }) => g.div(dy, g.sqrt(g.sub(1, g.mul(x, x))))),
  Acos: unary(({ g, dy, x }) => g.neg(g.div(dy, g.sqrt(g.sub(1, g.mul(x, x)))))),
  Atan: unary(({ g, dy, x }) => g.div(dy, g.add(g.mul(x, x), 1))),
  Sinh: unary(({ g, dy, x }) => g.mul(dy, g.op("Cosh", [x]))),
  Cosh: unary(({ g, dy, x }) => g.mul(dy, g.op("Sinh", [x]))),
  Asinh: unary(({ g, dy, x }) => g.div(dy, g.sqrt(g.add(g.mul(x, x), 1)))),
  Acosh: unary(({ g, dy, x }) => g.div(dy, g.sqrt(g.sub(g.mul(x, x), 1)))),
  Atanh: unary(({ g, dy, x }) => g.div(dy, g.sub(1, g.mul(x, x)))),
  Erf: unary(({ g, dy, x }) => g.mul(dy, g.mul(g.exp(g.neg(g.mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  Round: zero,
  Floor: zero,
  Ceil: zero,
  Sign: zero,
  Hardmax: zero,
  RandomNormalLike: zero,
  RandomUniformLike: zero,
  Bernoulli: zero,
  EyeLike: zero,
};

/** A float attribute of the node. */
export function floatAttribute({ node }: GradientContext, name: string, byDefault: number): number {
  return attributeOf(node, name, "float", byDefault);
}
