import type { GraphBuilder } from "../builder/builder.js";
import type { Value } from "../ir/graph.js";
import { isStatic } from "../ir/tensor.js";
import { reshapeLike, shapeOf, zerosLike } from "./shapes.js";

/**
 * Gradient of an operator that only moves entries of `x` around (copies, drops and reorders them): `move` is applied
 * to the entries' positions, and each entry of `gradient` is added at the position that its entry came from.
 * Works for any sizes, known or not.
 */
export function scatterToOrigins(g: GraphBuilder, x: Value, gradient: Value, move: (positions: Value) => Value): Value {
  const shape = shapeOf(x);
  const size = isStatic(shape)
    ? g.scalar(
        shape.reduce((product, own) => product * own, 1),
        "int64",
      )
    : g.op("Size", [x]);
  const positions = g.op("Range", [g.scalar(0, "int64"), size, g.scalar(1, "int64")]);
  const origins = move(reshapeLike(g, positions, x));
  const sums = g.op(
    "ScatterElements",
    [g.reshape(zerosLike(g, x), [-1]), g.reshape(origins, [-1]), g.reshape(gradient, [-1])],
    { axis: 0, reduction: "add" },
  );
  return reshapeLike(g, sums, x);
}
