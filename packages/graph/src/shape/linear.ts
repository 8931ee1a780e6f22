import { attributeOf } from "../ir/attribute.js";
import type { Dimension, Shape } from "../ir/graph.js";
import { commonElementType, intAttribute, presentInputs, requireBroadcastTo, requireRank, typed } from "./context.js";
import { broadcastShapes, broadcastSize, commonSize } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

/** Shape of the matrix product of two inputs, batched and with vectors as in NumPy. */
export function matrixProductShape(context: ShapeContext, left: number, right: number): Shape {
  const a = context.shape(left);
  const b = context.shape(right);
  if (a.length === 0 || b.length === 0) throw context.fail("a matrix product needs ranks of at least 1");
  const inner = b.length === 1 ? b[0]! : b[b.length - 2]!;
  if (commonSize(a.at(-1)!, inner) === undefined) {
    throw context.fail(`the inner sizes differ: ${a.at(-1)} and ${inner}`);
  }
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)], context.unknownDimension);
  if (!batch) throw context.fail("the batch axes do not broadcast");
  return [...batch, ...(a.length > 1 ? [a.at(-2)!] : []), ...(b.length > 1 ? [b.at(-1)!] : [])];
}

const matMul: ShapeRule = (context) => [typed(commonElementType(context, [0, 1]), matrixProductShape(context, 0, 1))];
const matMulInteger: ShapeRule = (context) => [typed("int32", matrixProductShape(context, 0, 1))];
const quantizedMatMul: ShapeRule = (context) => [
  typed(context.input(7).elementType, matrixProductShape(context, 0, 3)),
];

const gemm: ShapeRule = (context) => {
  const elementType = commonElementType(context, [0, 1, 2]);
  const a = requireRank(context, 0, 2);
  const b = requireRank(context, 1, 2);
  const [rows, inner] = intAttribute(context, "transA", 0) ? [a[1]!, a[0]!] : [a[0]!, a[1]!];
  const [innerB, columns] = intAttribute(context, "transB", 0) ? [b[1]!, b[0]!] : [b[0]!, b[1]!];
  if (commonSize(inner, innerB) === undefined) throw context.fail(`the inner sizes differ: ${inner} and ${innerB}`);
  const shape = [rows, columns];
  requireBroadcastTo(context, 2, shape, "the summand");
  return [typed(elementType, shape)];
};

const einsum: ShapeRule = (context) => {
  const equation = attributeOf(context.node, "equation", "string");
  if (equation === undefined) throw context.fail('attribute "equation" is missing');
  const indices = presentInputs(context);
  const [left, right] = equation.replaceAll(/\s/g, "").split("->") as [string, string | undefined];
  const terms = left.split(",");
  if (terms.length !== indices.length) {
    throw context.fail(`equation "${equation}" does not fit`, {
      expected: `${indices.length} terms`,
      received: `${terms.length}`,
    });
  }
  const sizes = new Map<string, Dimension>();
  const ellipses = terms.map((term, index) => bindTerm(context, term, context.shape(index), sizes));
  const ellipsis = broadcastShapes(ellipses, context.unknownDimension);
  if (!ellipsis) throw context.fail("the axes of the ellipses do not broadcast");
  const output = right ?? implicitOutput(left);
  const shape = output.split(/(\.\.\.|.)/).flatMap((label): readonly Dimension[] => {
    if (label === "") return [];
    if (label === "...") return ellipsis;
    const size = sizes.get(label);
    if (size === undefined) throw context.fail(`equation "${equation}": "${label}" is not on the left-hand side`);
    return [size];
  });
  return [typed(commonElementType(context, indices), shape)];
};

/** Binds a term's labels to the sizes of a shape; returns the sizes under its ellipsis. */
function bindTerm(context: ShapeContext, term: string, shape: Shape, sizes: Map<string, Dimension>): Shape {
  const [before, after] = term.split("...") as [string, string | undefined];
  const labels = [...before, ...(after ?? "")];
  if (after === undefined ? labels.length !== shape.length : labels.length > shape.length) {
    throw context.fail(`term "${term}" does not fit a shape of rank ${shape.length}`);
  }
  labels.forEach((label, index) => {
    const size = index < before.length ? shape[index]! : shape[shape.length - labels.length + index]!;
    const known = sizes.get(label);
    const common = known === undefined ? size : broadcastSize(known, size, context.unknownDimension);
    if (common === undefined) throw context.fail(`"${label}" stands for ${known} and for ${size}`);
    sizes.set(label, common);
  });
  return shape.slice(before.length, shape.length - (after ?? "").length);
}

/** Without an arrow: the ellipsis, then every label that comes once, in alphabetical order. */
function implicitOutput(left: string): string {
  const labels = [...left.replaceAll(/[^A-Za-z]/g, "")];
  const once = labels.filter((label) => labels.indexOf(label) === labels.lastIndexOf(label)).sort();
  return `${left.includes("...") ? "..." : ""}${once.join("")}`;
}

const determinant: ShapeRule = (context) => [typed(context.input(0).elementType, context.shape(0).slice(0, -2))];

/** Products of matrices. */
export const linearShapes: ShapeTable = {
  MatMul: matMul,
  MatMulInteger: matMulInteger,
  QLinearMatMul: quantizedMatMul,
  Gemm: gemm,
  Einsum: einsum,
  Det: determinant,
};
