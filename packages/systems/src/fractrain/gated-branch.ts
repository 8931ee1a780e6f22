// What becomes of the nodes of a branch behind a gate.

import { type GraphBuilder, type LstmState, tensor, type Value } from "@dovetail/graph";
import type { RewriteContext } from "@dovetail/models";
import { minMaxOf, quantizeAffine, withGradientPrecision } from "@dovetail/quant";
import { type Choice, isSkip } from "./cost.js";
import { addGate } from "./gate.js";
import { type GatePlan, gatedNames, noiseName, rangeEnds, rangeName, rangeObserved, rangeRead } from "./gate-plan.js";
import { type Ends, quantizeBySample, quantizeGradientBySample, rangeCandidates } from "./sample-quantizer.js";

/** A gate's decisions as values of the graph. */
export interface OpenGate {
  /** [N, choices], one-hot. */
  readonly mask: Value;
  readonly state: LstmState;
  /** [N, bit-widths of activations] and [N, bit-widths of gradients]: 1 at the sample's, zeros for one that skips. */
  readonly activations: Value;
  readonly gradients: Value;
  /** [N, 1]: 1 for samples that run, 0 for those that skip. */
  readonly active: Value;
}

/** Adds the gate of a block on the block's input. */
export function openGate(
  g: GraphBuilder,
  plan: GatePlan,
  index: number,
  x: Value,
  before: LstmState | undefined,
): OpenGate {
  const { mask, state } = addGate(g, index, x, { choices: plan.choices, state: before });
  return g.scope(`gates/${index}`, () => {
    const select = (widths: readonly number[], pick: (choice: Choice) => number): Value =>
      g.matMul(mask, g.constant(selection(plan.choices, widths, pick)));
    return {
      mask,
      state,
      activations: select(plan.activationBits, (choice) => choice.activationBits),
      gradients: select(plan.gradientBits, (choice) => choice.gradientBits),
      active: g.matMul(mask, g.constant(runs(plan.choices))),
    };
  });
}

/** [choices, widths]: 1 where the choice has the width. */
function selection(choices: readonly Choice[], widths: readonly number[], pick: (choice: Choice) => number) {
  const rows = choices.flatMap((choice) => widths.map((width) => (!isSkip(choice) && pick(choice) === width ? 1 : 0)));
  return tensor("float32", [choices.length, widths.length], rows);
}

/** [choices, 1]: 1 where the choice is no skip. */
function runs(choices: readonly Choice[]) {
  return tensor(
    "float32",
    [choices.length, 1],
    choices.map((choice) => (isSkip(choice) ? 0 : 1)),
  );
}

/**
 * A convolution whose input is quantized sample by sample, whose weight channel by channel, and whose arriving gradient
 * sample by sample before both of its products. Input and gradient are zero for samples that skip.
 */
export function gatedConvolution({ node, inputs, g }: RewriteContext, plan: GatePlan, gate: OpenGate): Value {
  const [x, weight, ...bias] = inputs as readonly [Value, Value, ...Value[]];
  const ranges = readRanges(g, node.name, x, gate);
  const data = g.scope(`quantize/${node.name}`, () =>
    quantizeBySample(g, x, gate.activations, plan.activationBits, ranges),
  );
  const quantizedWeight = g.scope(`quantize/${weight.name}`, () =>
    quantizeAffine(g, weight, { bits: g.value(gatedNames.weightBits), ...minMaxOf(g, weight, { axis: 0 }) }),
  );
  return withGradientPrecision(g, node, [data, quantizedWeight, ...bias], {
    // The quantizer below takes a mask over bit-widths in the place of a bit-width.
    errorBits: gate.gradients,
    weightGradientBits: gate.gradients,
    noise: g.value(noiseName(node.name)),
    quantizer: (inner, gradient, { bits, noise }) =>
      quantizeGradientBySample(inner, gradient, bits, plan.gradientBits, noise),
  });
}

/** The ranges of a layer's input: running ones, which the training form replaces by the batch's. */
function readRanges(g: GraphBuilder, layer: string, x: Value, gate: OpenGate): Ends {
  const candidates = g.scope(`ranges/${layer}`, () => rangeCandidates(g, x, gate.activations));
  const named = (from: Value, name: string): Value => g.node("Identity", [from], {}, { outputs: [name] })[0]!;
  const read = (end: "min" | "max"): Value => named(g.value(rangeName(layer, end)), rangeRead(layer, end));
  for (const end of rangeEnds) named(candidates[end], rangeObserved(layer, end));
  return { min: read("min"), max: read("max") };
}

/**
 * A branch's output with zero for samples that skip. Its gradient reaches samples that run alone, and ⟨gradient, output⟩
 * the gate: whether the sample should have run.
 */
export function selectSamples(g: GraphBuilder, branch: Value, active: Value): Value {
  const isActive = (builder: GraphBuilder, column: Value): Value =>
    builder.greater(builder.reshape(column, [-1, ...branch.type.shape!.slice(1).map(() => 1)]), 0);
  return g.customGradient(
    [branch, active],
    ([value, column]) => [g.where(isActive(g, column!), value!, 0)],
    ([gradient], context) => {
      if (!gradient) return [];
      const [value, column] = context.inputs as readonly [Value, Value];
      const inner = context.g;
      const kept = inner.where(isActive(inner, column), gradient, 0);
      const product = inner.matMul(
        inner.unsqueeze(inner.flatten(kept), [1]),
        inner.unsqueeze(inner.flatten(value), [2]),
      );
      return [kept, inner.squeeze(product, [2])];
    },
  )[0]!;
}
