// Methods of `dovetail train` for which layers shift or add instead of multiplying.

import { z } from "zod";
import { precisionNames } from "./precision.js";

const precision = z
  .enum(precisionNames)
  .default("float32")
  .describe("fixed16, fixed8: shift layers at 16 or 8 bits, all other layers at 8, in training as in use.");

const shiftFields = (shiftOptimizer: "radam" | "same") => ({
  shiftForm: z
    .enum(["exponentAndSign", "latent", "fixed"])
    .default("exponentAndSign")
    .describe("What is learnt: exponents and signs (DeepShift-PS), weights that are rounded (-Q), or nothing."),
  shiftBits: z
    .number()
    .int()
    .min(2)
    .max(8)
    .default(5)
    .describe(
      "Of a weight, as published; the latent form takes one more for its zero, fixed ones have eight exponents.",
    ),
  signGradient: z
    .enum(["ofWeight", "chain"])
    .default("ofWeight")
    .describe("The weight's own, as published, or its product with the power of two."),
  shiftOptimizer: z
    .enum(["radam", "same"])
    .default(shiftOptimizer)
    .describe("What exponents and signs are trained by; same: as everything else."),
  shiftRate: z.number().positive().default(2).describe("With radam: factor of the learning rate for them."),
});

/**
 * A network whose layers shift, add, or do one after the other. Exponents and signs do better by RAdam where nothing else
 * stands in a layer. With an add layer behind, what did best was SGD alone at high rates: ResNet-20 of shift-add after 600
 * steps of 64 images, 1,000 validation images, 45.6 and 48.9 % at 0.3 and 1, 37.2 % by SGD at 0.1 with RAdam for them.
 */
export const shiftAddMethods = [
  z.strictObject({
    kind: z.literal("shiftaddnet").describe("ShiftAddNet: layers of shifts, each with an add layer behind it."),
    precision,
    ...shiftFields("same"),
  }),
  z.strictObject({
    kind: z.literal("deepshift").describe("DeepShift: layers of shifts."),
    precision,
    ...shiftFields("radam"),
  }),
  z.strictObject({
    kind: z.literal("addernet").describe("AdderNet: add layers in the place of convolutions, but for the first."),
    precision,
  }),
] as const;

export type ShiftAddMethod = z.output<(typeof shiftAddMethods)[number]>;
