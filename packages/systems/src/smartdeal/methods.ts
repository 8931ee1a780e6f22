// What the experiment compares: dense SGD and the ways to train coefficients and bases.

import { z } from "zod";

const factored = {
  /** Share of the rows of coefficients that are kept. */
  keptRowShare: z.number().gt(0).max(1).default(0.8),
  /** Factors of the learning rate. */
  coefficientRate: z.number().positive().default(1),
  basisRate: z.number().positive().default(0.25),
};

/** The product's operands: float32, or activations and gradients at 8 bits (as FracTrain's static baseline). */
const arithmetic = z.enum(["float32", "integer8"]).default("float32");

export const methodSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("dense"), arithmetic }),
  z.strictObject({
    kind: z.literal("switch"),
    arithmetic,
    ...factored,
    coefficientMomentum: z.number().min(0).lt(1).default(0),
    /** Net signs that move an exponent. */
    switchBar: z.number().int().min(1).max(127).default(10),
    /** Updates of a smaller magnitude do not count: dC_threshold. */
    updateThreshold: z.number().min(0).default(5e-5),
  }),
  z.strictObject({
    kind: z.literal("round"),
    arithmetic,
    ...factored,
    coefficientMomentum: z.number().min(0).lt(1).default(0.9),
  }),
  z.strictObject({
    kind: z.literal("latent"),
    arithmetic,
    ...factored,
    coefficientRate: z.number().positive().default(2),
    basisRate: z.number().positive().default(0.5),
    coefficientMomentum: z.number().min(0).lt(1).default(0.9),
  }),
]);

/** A method as it is written down; what is left out has its default. */
export type MethodInput = z.input<typeof methodSchema>;
export type Method = z.output<typeof methodSchema>;
export type FactoredMethod = Exclude<Method, { kind: "dense" }>;

/** Bits that are kept from step to step for a coefficient beside its four-bit code. */
export function coefficientState(method: FactoredMethod): { readonly ownBits: number; readonly momentumBits: number } {
  const momentumBits = method.coefficientMomentum > 0 ? 32 : 0;
  switch (method.kind) {
    case "switch":
      // −(bar − 1) … bar − 1: a counter that reaches the bar starts anew.
      return { ownBits: Math.ceil(Math.log2(2 * method.switchBar - 1)), momentumBits };
    case "round":
      return { ownBits: 0, momentumBits };
    case "latent":
      return { ownBits: 32, momentumBits };
  }
}
