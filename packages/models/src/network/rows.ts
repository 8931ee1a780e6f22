import type { GraphBuilder, Value } from "@dovetail/graph";

// Parameters of which each setting (a precision, say) has a row of its own. The setting's number, a rank-0 float32 input,
// chooses the row inside the graph, so that one compiled graph serves all settings.

/** The row of a parameter [rows, …] that `index` chooses. */
export function chosenRow(g: GraphBuilder, parameter: Value, index: Value): Value {
  return g.gather(parameter, g.cast(index, "int64"));
}

/** True in the row that `index` chooses, in a shape that broadcasts over the parameter. */
export function isChosenRow(g: GraphBuilder, parameter: Value, index: Value): Value {
  const [rows, ...rest] = parameter.type.shape as readonly number[];
  const numbers = g.int64s(Array.from({ length: rows! }, (_, row) => row));
  return g.reshape(g.equal(numbers, g.cast(index, "int64")), [rows!, ...rest.map(() => 1)]);
}
