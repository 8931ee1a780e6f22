import type { Value } from "../../ir/graph.js";
import { tensorNumbers } from "../../ir/tensor.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { reduceToShape } from "../shapes.js";

/** A rule for an operator whose inputs broadcast: the gradient to each needed input, before it is summed to its shape. */
function broadcasting(gradient: (context: GradientContext, index: number, dy: Value) => Value): GradientRule {
  return (context) =>
    context.inputs.map((input, index) => {
      if (!input || !context.needed[index]) return undefined;
      return reduceToShape(context.g, gradient(context, index, context.outputGradients[0]!), input);
    });
}

const multiply = broadcasting((context, index, dy) => context.g.mul(dy, context.input(1 - index)));

const divide = broadcasting((context, index, dy) => {
  const { g } = context;
  const share = g.div(dy, context.input(1));
  return index === 0 ? share : g.neg(g.mul(share, context.output(0)));
});

/** Remainder a − b·q: the quotient q is piecewise constant. */
const modulo = broadcasting((context, index, dy) => {
  const { g } = context;
  if (index === 0) return dy;
  return g.mul(dy, g.div(g.sub(context.output(0), context.input(0)), context.input(1)));
});

const power = broadcasting((context, index, dy) => {
  const { g } = context;
  return index === 0 ? powerToBase(context, dy) : powerToExponent(g, dy, context.input(0), context.output(0));
});

/** dy·b·aᵇ⁻¹, and 0 where b is 0, also at a = 0. */
function powerToBase(context: GradientContext, dy: Value): Value {
  const { g } = context;
  const base = context.input(0);
  const constant = context.constant(1);
  const fixed = constant?.data?.length === 1 ? tensorNumbers(constant)[0] : undefined;
  if (fixed === 2) return g.mul(dy, g.mul(base, 2));
  if (fixed === 3) return g.mul(dy, g.mul(g.mul(base, base), 3));
  if (fixed !== undefined && fixed !== 0) return g.mul(dy, g.mul(g.pow(base, fixed - 1), fixed));
  const exponent = g.cast(context.input(1), base.type.elementType);
  const slope = g.mul(exponent, g.pow(base, g.sub(exponent, 1)));
  return g.mul(dy, g.where(g.equal(exponent, 0), 0, slope));
}

/** dy·y·ln a, and 0 where a is 0. */
function powerToExponent(g: GradientContext["g"], dy: Value, base: Value, y: Value): Value {
  return g.mul(dy, g.where(g.equal(base, 0), 0, g.mul(y, g.log(base))));
}

/** The gradient is split evenly among the inputs that attain the extreme, as PyTorch's maximum and amax do. */
const extreme: GradientRule = (context) => {
  const { g, needed } = context;
  const dy = context.outputGradients[0]!;
  const y = context.output(0);
  if (context.inputs.length === 1) return [dy];
  const attains = context.inputs.map((_, index) => g.cast(g.equal(context.input(index), y), y.type.elementType));
  const share = g.div(
    dy,
    attains.reduce((sum, mask) => g.add(sum, mask)),
  );
  return attains.map((mask, index) =>
    needed[index] ? reduceToShape(g, g.mul(share, mask), context.input(index)) : undefined,
  );
};

const choose = broadcasting((context, index, dy) => {
  const condition = context.input(0);
  return index === 1 ? context.g.where(condition, dy, 0) : context.g.where(condition, 0, dy);
});

/** Arithmetic on inputs that broadcast. */
export const arithmeticGradients: GradientTable = {
  Add: broadcasting((_, __, dy) => dy),
  Sub: broadcasting(({ g }, index, dy) => (index === 0 ? dy : g.neg(dy))),
  Mul: multiply,
  Div: divide,
  Mod: modulo,
  Pow: power,
  Min: extreme,
  Max: extreme,
  Sum: broadcasting((_, __, dy) => dy),
  Mean: broadcasting(({ g, inputs }, _, dy) => g.mul(dy, 1 / inputs.length)),
  Where: choose,
};
