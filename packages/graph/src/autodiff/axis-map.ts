import type { GraphBuilder } from "../builder/builder.js";
import type { Value } from "../ir/graph.js";
import { tensor } from "../ir/tensor.js";
import { rankOf, shapeOf } from "./shapes.js";

/** A linear map along one axis: output o is Σ weight·input over row o's entries. */
export interface AxisMap {
  readonly inputSize: number;
  /** For each output, the inputs that it reads and their weights. */
  readonly rows: readonly (readonly { readonly input: number; readonly weight: number }[])[];
}

/** Applies the adjoint of the map along an axis: [..., outputs, ...] → [..., inputs, ...]. */
export function applyAdjoint(g: GraphBuilder, gradient: Value, axis: number, map: AxisMap): Value {
  const repeats = uniformRepeats(map);
  if (repeats === 1) return gradient;
  if (repeats !== undefined) return sumRepeats(g, gradient, axis, map.inputSize, repeats);
  const rank = rankOf(gradient);
  if (axis === rank - 1) return g.matMul(gradient, denseMatrix(g, gradient, map, "outputs first"));
  const matrix = denseMatrix(g, gradient, map, "inputs first");
  if (axis === rank - 2) return g.matMul(matrix, gradient);
  const order = Array.from({ length: rank }, (_, index) => index);
  order[axis] = rank - 2;
  order[rank - 2] = axis;
  return g.transpose(g.matMul(matrix, g.transpose(gradient, order)), order);
}

/** The k of a map that copies each input k times in a row; undefined for any other map. */
function uniformRepeats({ inputSize, rows }: AxisMap): number | undefined {
  const repeats = rows.length / inputSize;
  if (!Number.isInteger(repeats)) return undefined;
  const copies = rows.every(
    (row, output) => row.length === 1 && row[0]!.weight === 1 && row[0]!.input === Math.floor(output / repeats),
  );
  return copies ? repeats : undefined;
}

function sumRepeats(g: GraphBuilder, gradient: Value, axis: number, inputSize: number, repeats: number): Value {
  const shape = shapeOf(gradient);
  // A zero copies the size in front of the axis; the sizes behind it are one product, so that they need not be known.
  const apart = g.reshape(gradient, [...shape.slice(0, axis).map(() => 0), inputSize, repeats, -1]);
  const summed = g.reduceSum(apart, [axis + 1]);
  const behind = shape.slice(axis + 1);
  if (behind.every((size) => typeof size === "number")) {
    return g.reshape(summed, [...shape.slice(0, axis).map(() => 0), inputSize, ...behind]);
  }
  const rest = g.op("Shape", [gradient], { start: axis + 1 });
  const front = g.int64s([...shape.slice(0, axis).map(() => 0), inputSize]);
  return g.reshape(summed, g.concat([front, rest], 0));
}

function denseMatrix(g: GraphBuilder, like: Value, map: AxisMap, order: "outputs first" | "inputs first"): Value {
  const { inputSize, rows } = map;
  const values = new Float64Array(inputSize * rows.length);
  rows.forEach((row, output) => {
    for (const { input, weight } of row) {
      values[order === "outputs first" ? output * inputSize + input : input * rows.length + output]! += weight;
    }
  });
  const dimensions = order === "outputs first" ? [rows.length, inputSize] : [inputSize, rows.length];
  return g.constant(tensor(like.type.elementType, dimensions, values));
}
