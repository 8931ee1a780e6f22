import { quantizeDorefaActivation, quantizeDorefaWeight } from "../../quantizers/dorefa.js";
import { gradientQuantizers } from "../../quantizers/gradient-precision.js";
import type { QuantizerFamily } from "./family.js";
import { minMaxInput } from "./min-max.js";

/**
 * DoReFa-Net: weights through tanh, activations clipped to [0, 1] in ReLU's place, gradients with a range a sample. First and
 * last layer in full precision. Inputs that no ReLU bounds are quantized between their ends.
 */
export const dorefa: QuantizerFamily = {
  fullPrecision: ({ role }) => role === "stem" || role === "classifier",
  gradient: gradientQuantizers.dorefa,
  weight: () => ({ build: (g, weight, { bits }) => quantizeDorefaWeight(g, weight, { bits }) }),
  input: (site) =>
    site.isRectified
      ? { build: (g, x, { bits }) => quantizeDorefaActivation(g, x, { bits }), replacesActivation: true }
      : minMaxInput(site),
};
