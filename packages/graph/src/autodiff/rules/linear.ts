import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";
import { rankOf, reduceToShape, reshapeLike, shapeOf } from "../shapes.js";

type Builder = GradientContext["g"];

/** Vectors become matrices first, as in MatMul itself: a row on the left, a column on the right. */
const matMul: GradientRule = (context) => {
  const { g, needed } = context;
  const [left, right] = [context.input(0), context.input(1)];
  const a = rankOf(left) === 1 ? g.unsqueeze(left, [0]) : left;
  const b = rankOf(right) === 1 ? g.unsqueeze(right, [1]) : right;
  let dy = context.outputGradients[0]!;
  // From the back: a missing column is the last axis, a missing row the last but one.
  if (rankOf(right) === 1) dy = g.unsqueeze(dy, [-1]);
  if (rankOf(left) === 1) dy = g.unsqueeze(dy, [-2]);
  return [
    needed[0] ? reshapeLike(g, gradientToLeft(g, dy, a, b), left) : undefined,
    needed[1] ? reshapeLike(g, gradientToRight(g, dy, a, b), right) : undefined,
  ];
};

/** dA = dY·Bᵀ. */
function gradientToLeft(g: Builder, dy: Value, a: Value, b: Value): Value {
  if (rankOf(dy) === 2 && rankOf(b) === 2) return g.gemm(dy, b, undefined, { transB: 1 });
  return reduceToShape(g, g.matMul(dy, transposed(g, b)), a);
}

/** dB = Aᵀ·dY. A single matrix B takes all of the batch as one long product. */
function gradientToRight(g: Builder, dy: Value, a: Value, b: Value): Value {
  if (rankOf(b) === 2 && rankOf(a) >= 2) {
    return g.gemm(asMatrix(g, a), asMatrix(g, dy), undefined, { transA: 1 });
  }
  return reduceToShape(g, g.matMul(transposed(g, a), dy), b);
}

/** [..., m, k] → [… · m, k]. */
function asMatrix(g: Builder, x: Value): Value {
  if (rankOf(x) === 2) return x;
  const last = shapeOf(x).at(-1)!;
  if (typeof last === "number") return g.reshape(x, [-1, last]);
  return g.reshape(x, g.concat([g.int64s([-1]), g.op("Shape", [x], { start: -1 })], 0));
}

function transposed(g: Builder, x: Value): Value {
  const rank = rankOf(x);
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return g.transpose(x, [...order.slice(0, rank - 2), rank - 1, rank - 2]);
}

/** y = alpha·op(A)·op(B) + beta·C, op a transposition or nothing. */
const gemm: GradientRule = (context) => {
  const { g, needed, node } = context;
  const dy = context.outputGradients[0]!;
  const [a, b] = [context.input(0), context.input(1)];
  const transA = attributeOf(node, "transA", "int", 0);
  const transB = attributeOf(node, "transB", "int", 0);
  const alpha = { kind: "float", value: attributeOf(node, "alpha", "float", 1) } as const;
  const beta = attributeOf(node, "beta", "float", 1);
  const product = (left: Value, right: Value, leftTransposed: number, rightTransposed: number): Value =>
    g.op("Gemm", [left, right], { alpha, transA: leftTransposed, transB: rightTransposed });
  const toC = (c: Value): Value => {
    const gradient = reduceToShape(g, dy, c);
    return beta === 1 ? gradient : g.mul(gradient, beta);
  };
  return [
    needed[0] ? (transA ? product(b, dy, transB, 1) : product(dy, b, 0, transB ? 0 : 1)) : undefined,
    needed[1] ? (transB ? product(dy, a, 1, transA) : product(a, dy, transA ? 0 : 1, 0)) : undefined,
    needed[2] ? toC(context.input(2)) : undefined,
  ];
};

export const linearGradients: GradientTable = { MatMul: matMul, Gemm: gemm };
