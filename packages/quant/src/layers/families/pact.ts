import { quantizeDorefaWeight } from "../../quantizers/dorefa.js";
import { type PactOptions, pactStart, quantizePact } from "../../quantizers/pact.js";
import type { QuantizerFamily, SiteQuantizer } from "./family.js";
import { minMaxInput } from "./min-max.js";

/** Clips at a learnt value in ReLU's place. Its penalty in PACT's loss is decay by twice the penalty's factor. */
export function learntClipping(start: number, alphaGradient: PactOptions["alphaGradient"]): SiteQuantizer {
  return {
    parameters: [
      {
        name: "alpha",
        shape: [],
        role: "clippingValue",
        initialization: { kind: "constant", value: start },
        trainable: true,
        decay: true,
      },
    ],
    build: (g, x, { bits, read }) => quantizePact(g, x, read("alpha"), { bits, alphaGradient }),
    replacesActivation: true,
  };
}

/**
 * PACT: each ReLU clips at a learnt value; weights by DoReFa's rule, straight through. First and last layer in full precision
 * (published at 8 bits: a group gives them that). Inputs that no ReLU bounds have no clipping value and are quantized
 * between their ends.
 */
export const pact: QuantizerFamily = {
  fullPrecision: ({ role }) => role === "stem" || role === "classifier",
  gradient: undefined,
  weight: () => ({
    build: (g, weight, { bits }) => quantizeDorefaWeight(g, weight, { bits, gradient: "straightThrough" }),
  }),
  input: (site) => (site.isRectified ? learntClipping(pactStart, "clipped") : minMaxInput(site)),
};
