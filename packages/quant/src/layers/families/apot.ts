import { apotActivationStart, apotWeightStart, quantizeApotWeight } from "../../quantizers/apot.js";
import type { QuantizerFamily } from "./family.js";
import { minMaxInput } from "./min-max.js";
import { learntClipping } from "./pact.js";

/**
 * Additive powers of two for weights, with a learnt clipping value each; activations uniform up to a learnt value, whose
 * gradient comes from all of them. First and last layer in full precision (published at 8 bits). Inputs that no ReLU bounds
 * are quantized between their ends.
 */
export const apot: QuantizerFamily = {
  fullPrecision: ({ role }) => role === "stem" || role === "classifier",
  gradient: undefined,
  weight: () => ({
    parameters: [
      {
        name: "alpha",
        shape: [],
        role: "clippingValue",
        initialization: { kind: "constant", value: apotWeightStart },
        trainable: true,
        decay: true,
      },
    ],
    build: (g, weight, { bits, read }) => quantizeApotWeight(g, weight, read("alpha"), { bits }),
  }),
  input: (site) => (site.isRectified ? learntClipping(apotActivationStart, "everywhere") : minMaxInput(site)),
};
