// What the experiment compares: dense SGD and the ways to train coefficients and bases.

import { z } from "zod";

const positive = z.number().positive();
const momentum = z.number().min(0).lt(1).describe("Momentum of coefficients, float32; 0: none is kept.");

const factored = {
  keptRowShare: z.number().gt(0).max(1).default(0.8).describe("Share of the rows of coefficients that are kept."),
  coefficientRate: positive.default(1).describe("Factor of the learning rate for coefficients."),
  basisRate: positive.default(1).describe("Factor of the learning rate for bases."),
};

const switchFields = {
  ...factored,
  coefficientMomentum: momentum.default(0),
  switchBar: z.number().int().min(1).max(127).default(10).describe("Net signs that move an exponent."),
  updateThreshold: z.number().min(0).default(5e-5).describe("Updates of a smaller magnitude do not count."),
};
const accumulateFields = {
  ...factored,
  coefficientRate: positive.default(160).describe("Factor of the learning rate for coefficients."),
  basisRate: positive.default(0.5).describe("Factor of the learning rate for bases."),
  coefficientMomentum: momentum.default(0),
  switchBar: z
    .number()
    .int()
    .min(1)
    .max(127)
    .default(127)
    .describe("Counts from a code's value to where the next larger code is nearer."),
};
const roundFields = { ...factored, coefficientMomentum: momentum.default(0.9) };
const latentFields = {
  ...roundFields,
  coefficientRate: positive.default(16).describe("Factor of the learning rate for coefficients."),
  basisRate: positive.default(0.5).describe("Factor of the learning rate for bases."),
};

/** The products' operands: float32, or weights, activations and gradients at 8 bits (as FracTrain's static baseline). */
const arithmetic = z.enum(["float32", "integer8"]).default("float32");

export const methodSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("dense"), arithmetic }),
  z.strictObject({ kind: z.literal("switch"), arithmetic, ...switchFields }),
  z.strictObject({ kind: z.literal("accumulate"), arithmetic, ...accumulateFields }),
  z.strictObject({ kind: z.literal("round"), arithmetic, ...roundFields }),
  z.strictObject({ kind: z.literal("latent"), arithmetic, ...latentFields }),
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
    case "accumulate":
      // −(bar − 1) … bar − 1: a counter that reaches the bar starts anew.
      return { ownBits: Math.ceil(Math.log2(2 * method.switchBar - 1)), momentumBits };
    case "round":
      return { ownBits: 0, momentumBits };
    case "latent":
      return { ownBits: 32, momentumBits };
  }
}

/** The same as methods of `dovetail train`, in float32. */
export const smartDealMethods = [
  z.strictObject({
    kind: z.literal("smartdeal").describe("SmartDeal: power-of-two coefficients and bases, by bucket switching."),
    ...switchFields,
  }),
  z.strictObject({
    kind: z
      .literal("smartdeal-accumulate")
      .describe("The same, but counters count updates in proportion to their size instead of signs."),
    ...accumulateFields,
  }),
  z.strictObject({
    kind: z.literal("smartdeal-round").describe("The same, each step rounded to a code at once."),
    ...roundFields,
  }),
  z.strictObject({
    kind: z.literal("smartdeal-latent").describe("The same with float32 coefficients that the forward pass rounds."),
    ...latentFields,
  }),
] as const;

export type SmartDealMethod = z.output<(typeof smartDealMethods)[number]>;

/** The rule that a method of `dovetail train` asks for. */
export function factoredMethodOf(method: SmartDealMethod): FactoredMethod {
  const arithmetic = "float32";
  switch (method.kind) {
    case "smartdeal":
      return { ...method, kind: "switch", arithmetic };
    case "smartdeal-accumulate":
      return { ...method, kind: "accumulate", arithmetic };
    case "smartdeal-round":
      return { ...method, kind: "round", arithmetic };
    case "smartdeal-latent":
      return { ...method, kind: "latent", arithmetic };
  }
}
