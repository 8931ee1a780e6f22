import { lstm } from "../../builder/lstm.js";
import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";

/** Through the LSTM made of primitives, which is computed again. */
const longShortTermMemory: GradientRule = (context) => {
  requirePlain(context);
  const { g, node } = context;
  const batchFirst = attributeOf(node, "layout", "int", 0) === 1;
  const direction = attributeOf(node, "direction", "string", "forward") as "forward" | "reverse" | "bidirectional";
  // With layout 1 the batch is the first axis of sequence, states and outputs.
  const timeFirst = (value: Value | undefined): Value | undefined =>
    value && batchFirst ? g.transpose(value, [1, 0, 2]) : value;
  return context.through(([x, inputWeight, recurrentWeight, bias, , initialHidden, initialCell]) => {
    const { outputs, hidden, cell } = lstm(g, timeFirst(x)!, {
      inputWeight: inputWeight!,
      recurrentWeight: recurrentWeight!,
      bias,
      initialHidden: timeFirst(initialHidden),
      initialCell: timeFirst(initialCell),
      direction,
    });
    return [batchFirst ? g.transpose(outputs, [2, 0, 1, 3]) : outputs, timeFirst(hidden), timeFirst(cell)];
  });
};

function requirePlain(context: GradientContext): void {
  const { node, inputs } = context;
  const special = ["activations", "activation_alpha", "activation_beta", "clip"].find((name) => node.attributes[name]);
  if (special) throw context.fail(`an LSTM with the attribute "${special}" has no gradient`);
  if (attributeOf(node, "input_forget", "int", 0) === 1) throw context.fail("coupled gates have no gradient");
  if (inputs[4]) throw context.fail("an LSTM over sequences of different lengths has no gradient");
  if (inputs[7]) throw context.fail("an LSTM with peepholes has no gradient");
}

export const recurrentGradients: GradientTable = { LSTM: longShortTermMemory };
