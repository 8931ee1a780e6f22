import { attributeOf } from "../ir/attribute.js";
import type { Shape } from "../ir/graph.js";
import { intAttribute, requireRank, typed } from "./context.js";
import { commonSize } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

/** Outputs of a recurrent layer with so many gates: all hidden states, the last hidden state, the last cell state. */
const recurrent =
  (gates: number): ShapeRule =>
  (context) => {
    const { elementType } = context.input(0);
    const data = requireRank(context, 0, 3);
    const weight = requireRank(context, 1, 3);
    const recurrence = requireRank(context, 2, 3);
    const directions = attributeOf(context.node, "direction", "string", "forward") === "bidirectional" ? 2 : 1;
    const hidden = attributeOf(context.node, "hidden_size", "int") ?? recurrence[2]!;
    const input = data[2]!;
    const rows = typeof hidden === "number" ? gates * hidden : weight[1]!;
    requireWeight(context, weight, [directions, rows, input], "the input weight");
    requireWeight(context, recurrence, [directions, rows, hidden], "the recurrence weight");
    const batchFirst = intAttribute(context, "layout", 0) === 1;
    const [sequence, batch] = batchFirst ? [data[1]!, data[0]!] : [data[0]!, data[1]!];
    const all = batchFirst ? [batch, sequence, directions, hidden] : [sequence, directions, batch, hidden];
    const last = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
    return [typed(elementType, all), typed(elementType, last), typed(elementType, last)];
  };

function requireWeight(context: ShapeContext, shape: Shape, expected: Shape, what: string): void {
  if (shape.some((size, axis) => commonSize(size, expected[axis]!) === undefined)) {
    throw context.fail(`${what} does not fit`, {
      expected: `[${expected.join(",")}]`,
      received: `[${shape.join(",")}]`,
    });
  }
}

/** Recurrent layers over [sequence, batch, features]. */
export const recurrentShapes: ShapeTable = {
  LSTM: recurrent(4),
  GRU: (context) => recurrent(3)(context).slice(0, 2),
  RNN: (context) => recurrent(1)(context).slice(0, 2),
};
