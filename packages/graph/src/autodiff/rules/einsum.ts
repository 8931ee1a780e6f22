import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { expandLike, rankOf, reduceToShape } from "../shapes.js";

interface Equation {
  /** Subscripts of each operand: single letters, and `...` for the axes that broadcast. */
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
}

function parse(text: string): Equation {
  const [left = "", right] = text.replaceAll(" ", "").split("->");
  const operands = left.split(",").map(subscripts);
  return { operands, result: right === undefined ? implicitResult(operands) : subscripts(right) };
}

function subscripts(term: string): readonly string[] {
  return term.match(/\.\.\.|./g) ?? [];
}

/** Subscripts that come once, in alphabetic order, behind the axes that broadcast. */
function implicitResult(operands: readonly (readonly string[])[]): readonly string[] {
  const all = operands.flat();
  const once = all.filter((name) => name !== "..." && all.filter((other) => other === name).length === 1);
  return [...(all.includes("...") ? ["..."] : []), ...once.sort()];
}

/** The gradient to an operand is a product of the others with dy; a subscript found in none of them is repeated. */
const einsum: GradientRule = (context) => {
  const equation = parse(attributeOf(context.node, "equation", "string", ""));
  for (const own of equation.operands) {
    if (new Set(own).size !== own.length) throw context.fail("an equation that takes a diagonal has no gradient");
  }
  return context.inputs.map((_, index) => (context.needed[index] ? toOperand(context, equation, index) : undefined));
};

function toOperand(context: GradientContext, { operands, result }: Equation, index: number): Value {
  const { g } = context;
  const x = context.input(index);
  const others = operands.flatMap((names, other) => (other === index ? [] : [{ names, value: context.input(other) }]));
  const terms = [{ names: result, value: context.outputGradients[0]! }, ...others];
  const own = operands[index]!;
  const inTerms = (name: string): boolean => terms.some(({ names }) => names.includes(name));
  const found = own.filter(inTerms);
  // Axes that broadcast in the others alone are kept by Einsum, and summed afterwards.
  const summed = !own.includes("...") && inTerms("...");
  const product = g.op(
    "Einsum",
    terms.map(({ value }) => value),
    { equation: `${terms.map(({ names }) => names.join("")).join(",")}->${summed ? "..." : ""}${found.join("")}` },
  );
  const extra = summed ? rankOf(product) - found.length : 0;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const gradient = extra > 0 ? g.reduceSum(product, leading) : product;
  if (found.length === own.length) return reduceToShape(g, gradient, x);
  const missing = own.flatMap((name, place) => (found.includes(name) ? [] : [axisOf(own, place, x)]));
  return expandLike(g, g.unsqueeze(gradient, missing), x);
}

/** An axis by its place among the subscripts: counted from the end behind `...`. */
function axisOf(own: readonly string[], place: number, x: Value): number {
  const broadcast = own.indexOf("...");
  return broadcast >= 0 && broadcast < place ? rankOf(x) - (own.length - place) : place;
}

export const einsumGradients: GradientTable = { Einsum: einsum };
