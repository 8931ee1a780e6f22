import { quantizeAffine } from "../../quantizers/affine.js";
import { gradientQuantizers } from "../../quantizers/gradient-precision.js";
import { meanSampleMinMax, minMaxOf } from "../../quantizers/ranges.js";
import type { QuantizerFamily } from "./family.js";

const end = (name: string, value: number) => ({
  name,
  shape: [],
  role: "activationRange" as const,
  initialization: { kind: "constant", value } as const,
  trainable: false,
  decay: false,
});

/**
 * SBM as first published (Banner et al. 2018): one range a weight, an input's range as the mean over samples of each one's
 * ends, and the weight gradient from the gradient in full precision. Its normalization: `rangeNormalization`.
 */
export const sbmOriginal: QuantizerFamily = {
  fullPrecision: ({ role }) => role === "classifier",
  gradient: gradientQuantizers.minMax,
  weightGradientBits: 32,
  weight: () => ({ build: (g, weight, { bits }) => quantizeAffine(g, weight, { bits, ...minMaxOf(g, weight) }) }),
  input: () => ({
    parameters: [end("min", 0), end("max", 1)],
    observed: { min: { statistic: "sampleMin" }, max: { statistic: "sampleMax" } },
    build: (g, x, { bits, read }) => quantizeAffine(g, x, { bits, min: read("min"), max: read("max") }),
    start: (g, x) => ({ ...meanSampleMinMax(g, x) }),
  }),
};
