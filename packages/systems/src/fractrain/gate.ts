// DFQ's gates: what precision each sample's block gets, from the block's input.

import { type GraphBuilder, type LstmState, lstmCell, tensor, type Value } from "@dovetail/graph";
import { type Initialization, type ParameterSpec, parameterSpec } from "@dovetail/models";
import { type Choice, isSkip } from "./cost.js";

/** Sizes as published for CIFAR-10: 32 and 16 features, an LSTM of 16. */
const features = [32, 16] as const;
const hidden = 16;

/**
 * Weights of the gates start so many times as far apart as layers usually do, so that decisions differ from sample to
 * sample and the cost shifts by a few at a time. Chosen together with `startOf` and the proportional control, on validation
 * images. Not in the publication.
 */
const spread = 3;

/**
 * What is added to the logits: gates start near the second and third of the choices that compute, whose costs the first
 * targets lie between, and away from the skip. The cost's gradient pushes samples to the extremes, cheapest or dearest,
 * and from an even start nearly all end there. Not in the publication.
 */
function startOf(choices: readonly Choice[]): readonly number[] {
  const skips = choices.filter(isSkip).length;
  return choices.map((choice, index) => (isSkip(choice) ? -1 : 1.5 - Math.abs(index - skips - 1.5)));
}

/** A gate's decision for a batch. */
export interface GateOutputs {
  /** [N, choices], one-hot; its gradient is that of the softmax (straight-through). */
  readonly mask: Value;
  /** For the next gate. */
  readonly state: LstmState;
}

/** Parameters of all gates: two layers a block, one LSTM and one linear layer for all. */
export function gateParameters(channels: readonly number[], choiceCount: number): readonly ParameterSpec[] {
  const uniform = (fan: number, gain = 1): Initialization => ({ kind: "uniform", bound: gain / Math.sqrt(fan) });
  const layer = (name: string, outputs: number, inputs: number): ParameterSpec[] => [
    parameterSpec(`${name}.weight`, [outputs, inputs], { role: "weight", initialization: uniform(inputs, spread) }),
    parameterSpec(`${name}.bias`, [outputs], { role: "bias", initialization: uniform(inputs) }),
  ];
  return [
    ...channels.flatMap((count, block) => [
      ...layer(`gates.${block}.first`, features[0], count),
      ...layer(`gates.${block}.second`, features[1], features[0]),
    ]),
    parameterSpec("gates.lstm.input", [4 * hidden, features[1]], {
      role: "weight",
      initialization: uniform(hidden, spread),
    }),
    parameterSpec("gates.lstm.recurrent", [4 * hidden, hidden], {
      role: "weight",
      initialization: uniform(hidden, spread),
    }),
    parameterSpec("gates.lstm.bias", [8 * hidden], { role: "bias", initialization: uniform(hidden) }),
    ...layer("gates.choice", choiceCount, hidden),
  ];
}

/**
 * The gate of block `block` on its input x [N, C, H, W]: global average pool, 32 features with ReLU, 16 features (the
 * published 1×1 convolutions act on one pixel), LSTM over the depth, linear, softmax; the largest is chosen, the first of
 * several. No batch normalization. The parameters are inputs of the graph. No gradient flows from the gate into x: through
 * weights so far apart it drowned the task's (on 100 steps of ResNet-8 23 % of the test images were right with it, 30 %
 * without); in the publication it does.
 */
export function addGate(
  g: GraphBuilder,
  block: number,
  x: Value,
  { choices, state }: { readonly choices: readonly Choice[]; readonly state?: LstmState | undefined },
): GateOutputs {
  const layer = (name: string, input: Value): Value =>
    g.gemm(input, g.value(`${name}.weight`), g.value(`${name}.bias`), { transB: 1 });
  return g.scope(`gates/${block}`, () => {
    const pooled = g.stopGradient(g.flatten(g.globalAveragePool(x)));
    const first = g.relu(layer(`gates.${block}.first`, pooled));
    const second = layer(`gates.${block}.second`, first);
    const next = lstmCell(g, second, state, {
      input: g.value("gates.lstm.input"),
      recurrent: g.value("gates.lstm.recurrent"),
      bias: g.value("gates.lstm.bias"),
    });
    const start = g.constant(tensor("float32", [choices.length], startOf(choices)));
    const soft = g.softmax(g.add(layer("gates.choice", next.hidden), start), 1);
    return { mask: g.straightThrough(soft, (shares) => firstMaximum(g, shares)), state: next };
  });
}

/** One-hot rows: 1 at the first maximum of each row of [N, K]. */
function firstMaximum(g: GraphBuilder, rows: Value): Value {
  const count = rows.type.shape![1] as number;
  const chosen = g.op("ArgMax", [rows], { axis: 1, keepdims: 1 });
  return g.cast(g.equal(chosen, g.int64s(Array.from({ length: count }, (_, index) => index))), "float32");
}
