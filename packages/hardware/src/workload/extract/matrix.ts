import { attributeOf } from "@dovetail/graph";
import { matmulProblem } from "../layers.js";
import type { LayerContext, LayerRule, LayerTable, LoopNest } from "./layer-rule.js";

/** A batched matrix product [batch…,rows,inner] · [batch…,inner,columns]; batch sizes broadcast. */
interface Product {
  /** Indices of the node's inputs. */
  readonly left: number;
  readonly right: number;
  readonly leftBatch: number;
  readonly rightBatch: number;
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((result, size) => result * size, 1);

/**
 * The loop nest of a product. A matrix that all samples share takes the place of the weights, and the batch joins the
 * other's rows; where both change with the batch, every sample is a group.
 */
function productNest(context: LayerContext, sizes: Product): LoopNest {
  const leftIsShared =
    sizes.leftBatch === 1 && (sizes.rightBatch > 1 || (!context.isData(sizes.left) && context.isData(sizes.right)));
  const grouped = sizes.leftBatch > 1 && sizes.rightBatch > 1;
  const { left, right, inner } = sizes;
  const [weights, inputs] = leftIsShared ? [left, right] : [right, left];
  const [rows, columns] = leftIsShared ? [sizes.columns, sizes.rows] : [sizes.rows, sizes.columns];
  const groups = grouped ? sizes.batch : 1;
  return {
    weights,
    inputs,
    problem: (bitWidths) =>
      matmulProblem({
        name: context.name,
        groups,
        rows: grouped ? rows : rows * sizes.batch,
        inner,
        columns,
        bitWidths,
      }),
  };
}

const matMul =
  (left: number, right: number): LayerRule =>
  (context) => {
    const a = context.shape(left);
    const b = context.shape(right);
    const rows = a.length > 1 ? a.at(-2)! : 1;
    const columns = b.length > 1 ? b.at(-1)! : 1;
    const batch = product(context.outputShape(0)) / (rows * columns);
    const leftBatch = product(a.slice(0, -2));
    const rightBatch = product(b.slice(0, -2));
    return [productNest(context, { left, right, leftBatch, rightBatch, batch, rows, inner: a.at(-1)!, columns })];
  };

const gemm: LayerRule = (context) => {
  const [rows, columns] = context.outputShape(0) as [number, number];
  const inner = context.shape(0)[attributeOf(context.node, "transA", "int", 0) ? 0 : 1]!;
  return [productNest(context, { left: 0, right: 1, leftBatch: 1, rightBatch: 1, batch: 1, rows, inner, columns })];
};

/** A contraction of two tensors: labels of both that stay are batch, of both that go inner, of one rows or columns. */
const einsum: LayerRule = (context) => {
  const equation = attributeOf(context.node, "equation", "string", "").replaceAll(/\s/g, "");
  const [terms, output] = equation.split("->") as [string, string | undefined];
  const [a, b] = terms.split(",");
  if (
    a === undefined ||
    b === undefined ||
    terms.split(",").length > 2 ||
    output === undefined ||
    equation.includes(".")
  ) {
    throw context.fail(`equation "${equation}" is not a contraction of two tensors with an explicit result`);
  }
  const sizes = new Map<string, number>();
  [a, b].forEach((term, index) => {
    const shape = context.shape(index);
    [...term].forEach((label, axis) => {
      sizes.set(label, Math.max(sizes.get(label) ?? 1, shape[axis]!));
    });
  });
  const sizeOf = (choose: (label: string) => boolean): number =>
    product([...sizes.keys()].filter(choose).map((label) => sizes.get(label)!));
  const onlyIn = (term: string, other: string) => (label: string) => term.includes(label) && !other.includes(label);
  const summedAlone = [...sizes.keys()].find(
    (label) => !output.includes(label) && !(a.includes(label) && b.includes(label)),
  );
  if (summedAlone !== undefined)
    throw context.fail(`equation "${equation}" sums "${summedAlone}" over one tensor alone`);
  const shared = (label: string): boolean => a.includes(label) && b.includes(label);
  const batch = sizeOf((label) => shared(label) && output.includes(label));
  const rows = sizeOf(onlyIn(a, b));
  const columns = sizeOf(onlyIn(b, a));
  const inner = sizeOf((label) => shared(label) && !output.includes(label));
  return [
    productNest(context, { left: 0, right: 1, leftBatch: batch, rightBatch: batch, batch, rows, inner, columns }),
  ];
};

/** The products with the input run over the whole sequence at once; those with the hidden state step by step. */
const recurrent =
  (gates: number): LayerRule =>
  (context) => {
    const data = context.shape(0);
    const [directions, , hidden] = context.shape(2) as [number, number, number];
    const batchFirst = attributeOf(context.node, "layout", "int", 0) === 1;
    const [sequence, batch] = batchFirst ? [data[1]!, data[0]!] : [data[0]!, data[1]!];
    const columns = gates * hidden;
    const nest = (part: string, weights: number, repetitions: number, rows: number, inner: number): LoopNest => ({
      part,
      weights,
      inputs: 0,
      repetitions,
      problem: (bitWidths) => matmulProblem({ name: `${context.name}.${part}`, rows, inner, columns, bitWidths }),
    });
    return [
      nest("input", 1, directions, sequence * batch, data[2]!),
      nest("recurrence", 2, directions * sequence, batch, hidden),
    ];
  };

/** Products of matrices, also of integers, and the recurrent layers that are made of them. */
export const matrixLayers: LayerTable = {
  MatMul: matMul(0, 1),
  MatMulInteger: matMul(0, 1),
  QLinearMatMul: matMul(0, 3),
  Gemm: gemm,
  Einsum: einsum,
  LSTM: recurrent(4),
  GRU: recurrent(3),
  RNN: recurrent(1),
};
