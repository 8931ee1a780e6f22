// Ways to train: in full precision, at one precision, by PFQ, by DFQ, by FracTrain, and the static baselines.

import { z } from "zod";
import { publishedChoices } from "./cost.js";

const bits = z.number().int().min(1).max(24);
const fraction = z.number().positive().lt(1);

const pairSchema = z.strictObject({
  forwardBits: bits.describe("Of weights and activations."),
  backwardBits: bits.describe("Of gradients."),
});

const pfqFields = {
  epsilon: z.number().positive().default(0.15).describe("Losses this close, of the first ones' mean, stand still."),
  alpha: z.number().positive().default(0.4).describe("Factor of epsilon at the first two turning points."),
  epochSteps: z
    .number()
    .int()
    .positive()
    .optional()
    .describe("Steps over which PFQ averages a loss; default: a 160th of the training, as 400 of 64,000."),
};

const gateFields = {
  beta: z
    .number()
    .positive()
    .default(1e-3)
    .describe("Weight of the cost, summed over batch and blocks, in the loss; the published one is of 64,000 steps."),
  proportion: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe(
      "Share of the target within which the cost's weight is proportional to its distance; 0: the published sign.",
    ),
  choices: z
    .array(z.strictObject({ activationBits: bits.describe("Forward."), gradientBits: bits.describe("Backward.") }))
    .min(2)
    .default([...publishedChoices])
    .describe("What a gate chooses between, cheapest first; the published ones by default."),
  skip: z
    .boolean()
    .default(true)
    .describe("Whether a block may be skipped; without it the cheapest choice, beside 4-bit weights, costs 0.0176."),
};

/** Of methods at one precision. */
const precisionFields = (defaults: {
  readonly weights: number;
  readonly activations: number;
  readonly gradients: number;
}) => ({
  weightBits: bits.default(defaults.weights).describe("Of weights."),
  activationBits: bits.default(defaults.activations).describe("Of activations."),
  gradientBits: bits.default(defaults.gradients).describe("Of the gradients that arrive at a layer."),
});

const eight = { weights: 8, activations: 8, gradients: 8 };

/** A method with its settings. */
export const methodSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("float32").describe("Everything in float32, the network as it is.") }),
  z.strictObject({
    kind: z.literal("static").describe("SBM: minimum and maximum, stochastic gradients."),
    ...precisionFields(eight),
  }),
  z.strictObject({
    kind: z
      .literal("static-blocks")
      .describe("As static, with stem and shortcuts at 8 bits: what gates are compared with."),
    ...precisionFields({ weights: 4, activations: 4, gradients: 6 }),
  }),
  z.strictObject({
    kind: z.literal("dorefa").describe("DoReFa; first and last layer in full precision."),
    ...precisionFields(eight),
  }),
  z.strictObject({
    kind: z
      .literal("wageubn")
      .describe("WAGEUBN without its batch normalization and optimizer; first and last layer in full precision."),
    ...precisionFields(eight),
  }),
  z.strictObject({
    kind: z.literal("pfq").describe("Precision pairs that rise at turning points of the loss."),
    pairs: z
      .array(pairSchema)
      .min(1)
      .default([
        { forwardBits: 3, backwardBits: 6 },
        { forwardBits: 4, backwardBits: 6 },
        { forwardBits: 6, backwardBits: 8 },
        { forwardBits: 8, backwardBits: 8 },
      ])
      .describe("Precision from pair to pair, the last one to the end."),
    ...pfqFields,
  }),
  z.strictObject({
    kind: z.literal("dfq").describe("Gates choose each sample's precision, at a cost held at a target."),
    target: fraction.default(0.03).describe("Cost of the blocks, of float32's."),
    ...gateFields,
  }),
  z.strictObject({
    kind: z.literal("fractrain").describe("DFQ whose target rises at PFQ's turning points."),
    firstTarget: fraction.default(0.015).describe("Cost of the blocks at the start, of float32's."),
    targetStep: fraction.default(0.005).describe("By which it rises at each turning point."),
    ...gateFields,
    ...pfqFields,
  }),
]);

export type Method = z.output<typeof methodSchema>;
export type MethodInput = z.input<typeof methodSchema>;
export type MethodKind = Method["kind"];

/** The method with its defaults. */
export function methodOf(input: MethodInput): Method {
  return methodSchema.parse(input);
}
