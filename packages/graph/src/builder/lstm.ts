// Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates) from primitives, so that it has gradients.

import { inputError } from "@dovetail/core";
import type { Value } from "../ir/graph.js";
import type { GraphBuilder } from "./builder.js";

/** Weights of one direction, gates in ONNX's order: input, output, forget, cell. */
export interface LstmCellWeights {
  /** [4·hidden, features]. */
  readonly input: Value;
  /** [4·hidden, hidden]. */
  readonly recurrent: Value;
  /** `[8·hidden]`: those of the input, then those of the recurrence. */
  readonly bias?: Value | undefined;
}

/** Hidden and cell state, [batch, hidden] each. */
export interface LstmState {
  readonly hidden: Value;
  readonly cell: Value;
}

/** Weights and initial state in the layout of ONNX's LSTM operator. */
export interface LstmOptions {
  /** [directions, 4·hidden, features], gates in the order input, output, forget, cell. */
  readonly inputWeight: Value;
  /** [directions, 4·hidden, hidden]. */
  readonly recurrentWeight: Value;
  /** [directions, 8·hidden]; none by default. */
  readonly bias?: Value | undefined;
  /** [directions, batch, hidden]; zeros by default. */
  readonly initialHidden?: Value | undefined;
  /** [directions, batch, hidden]; zeros by default. */
  readonly initialCell?: Value | undefined;
  /** `"forward"` by default. */
  readonly direction?: "forward" | "reverse" | "bidirectional" | undefined;
}

/** What ONNX's LSTM operator puts out. */
export interface LstmOutputs {
  /** All hidden states, [sequence, directions, batch, hidden]. */
  readonly outputs: Value;
  /** The last hidden state, [directions, batch, hidden]. */
  readonly hidden: Value;
  /** The last cell state, [directions, batch, hidden]. */
  readonly cell: Value;
}

/**
 * An LSTM over a sequence [sequence, batch, features], unrolled: the sequence's length must be known.
 * Computes what ONNX's LSTM computes with default activations and without peepholes.
 */
export function lstm(g: GraphBuilder, sequence: Value, options: LstmOptions): LstmOutputs {
  const length = sequence.type.shape?.[0];
  if (typeof length !== "number") {
    throw inputError(
      "sequence_length",
      `lstm: the length of "${sequence.name}" must be known when the graph is built`,
      {
        expected: "a number as first size",
        received: `${length}`,
      },
    );
  }
  const direction = options.direction ?? "forward";
  const reversals = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
  const runs = reversals.map((isReversed, index) => runDirection(g, sequence, length, options, index, isReversed));
  const join = (part: (run: DirectionRun) => Value, axis: number): Value => {
    const parts = runs.map((run) => g.unsqueeze(part(run), [axis]));
    return parts.length === 1 ? parts[0]! : g.concat(parts, axis);
  };
  return {
    outputs: join((run) => run.outputs, 1),
    hidden: join((run) => run.state.hidden, 0),
    cell: join((run) => run.state.cell, 0),
  };
}

/**
 * One step: features [batch, features] and the previous state (zeros when absent) give the next state.
 * For networks that carry a state through depth rather than time.
 */
export function lstmCell(
  g: GraphBuilder,
  features: Value,
  state: LstmState | undefined,
  weights: LstmCellWeights,
): LstmState {
  return step(g, inputGates(g, features, weights), state, weights.recurrent);
}

interface DirectionRun {
  /** [sequence, batch, hidden]. */
  readonly outputs: Value;
  readonly state: LstmState;
}

function runDirection(
  g: GraphBuilder,
  sequence: Value,
  length: number,
  options: LstmOptions,
  index: number,
  isReversed: boolean,
): DirectionRun {
  const own = (value: Value): Value =>
    g.squeeze(value.type.shape?.[0] === 1 ? value : g.slice(value, [index], [index + 1], [0]), [0]);
  const weights: LstmCellWeights = {
    input: own(options.inputWeight),
    recurrent: own(options.recurrentWeight),
    bias: options.bias && own(options.bias),
  };
  let state = initialState(g, sequence, options, own, weights.recurrent);
  const gates = inputGates(g, sequence, weights);
  const steps = length === 1 ? [gates] : g.split(gates, new Array<number>(length).fill(1), 0);
  const outputs = new Array<Value>(length);
  for (let time = 0; time < length; time++) {
    const position = isReversed ? length - 1 - time : time;
    state = step(g, g.squeeze(steps[position]!, [0]), state, weights.recurrent);
    outputs[position] = g.unsqueeze(state.hidden, [0]);
  }
  return { outputs: length === 1 ? outputs[0]! : g.concat(outputs, 0), state: state! };
}

/** Undefined where both states are zero, which saves the first product. */
function initialState(
  g: GraphBuilder,
  sequence: Value,
  { initialHidden, initialCell }: LstmOptions,
  own: (value: Value) => Value,
  recurrent: Value,
): LstmState | undefined {
  if (!initialHidden && !initialCell) return undefined;
  const zeros = (): Value => {
    const batch = g.op("Shape", [sequence], { start: 1, end: 2 });
    const hidden = g.op("Shape", [recurrent], { start: 1 });
    return g.expand(g.scalar(0, sequence.type.elementType), g.concat([batch, hidden], 0));
  };
  return {
    hidden: initialHidden ? own(initialHidden) : zeros(),
    cell: initialCell ? own(initialCell) : zeros(),
  };
}

/** The input's part of all four gates, biases included: [..., features] → [..., 4·hidden]. */
function inputGates(g: GraphBuilder, features: Value, { input, bias }: LstmCellWeights): Value {
  const gates = g.matMul(features, g.transpose(input, [1, 0]));
  if (!bias) return gates;
  const size = input.type.shape?.[0];
  if (typeof size !== "number") throw inputError("lstm_weights", "lstm: the number of gates must be known");
  const [ofInput, ofRecurrence] = g.split(bias, [size, size], 0);
  return g.add(gates, g.add(ofInput!, ofRecurrence!));
}

function step(g: GraphBuilder, fromInput: Value, state: LstmState | undefined, recurrent: Value): LstmState {
  const hidden = recurrent.type.shape?.[1];
  if (typeof hidden !== "number") throw inputError("lstm_weights", "lstm: the hidden size must be known");
  const gates = state ? g.add(fromInput, g.matMul(state.hidden, g.transpose(recurrent, [1, 0]))) : fromInput;
  const [input, output, forget, candidate] = g.split(gates, [hidden, hidden, hidden, hidden], -1);
  const entering = g.mul(g.sigmoid(input!), g.tanh(candidate!));
  const cell = state ? g.add(g.mul(g.sigmoid(forget!), state.cell), entering) : entering;
  return { hidden: g.mul(g.sigmoid(output!), g.tanh(cell)), cell };
}
