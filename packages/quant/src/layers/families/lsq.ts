import { initialLsqStep, quantizeLsq } from "../../quantizers/lsq.js";
import type { QuantizerFamily, SiteQuantizer } from "./family.js";

/** A learnt step, rank 0. It starts at 1 until it is set from data, and does not decay, which would only shrink the grid. */
function learntStep(kind: "weight" | "activation", signed: boolean): SiteQuantizer {
  return {
    parameters: [
      {
        name: "step",
        shape: [],
        role: "stepSize",
        initialization: { kind: "constant", value: 1 },
        trainable: true,
        decay: false,
      },
    ],
    build: (g, value, { bits, read }) => quantizeLsq(g, value, read("step"), { bits, kind, signed }),
    start: (g, value, bits) => ({ step: initialLsqStep(g, value, { bits, signed }) }),
  };
}

/** LSQ: a learnt step a weight and an input; first and last layer in full precision (as the code; the paper gives them 8 bits). */
export const lsq: QuantizerFamily = {
  fullPrecision: ({ role }) => role === "stem" || role === "classifier",
  gradient: undefined,
  weight: () => learntStep("weight", true),
  input: ({ isSigned }) => learntStep("activation", isSigned),
};
