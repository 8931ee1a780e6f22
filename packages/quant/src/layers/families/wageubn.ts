import {
  quantizeWageubnActivation,
  quantizeWageubnError,
  quantizeWageubnFlaggedError,
  quantizeWageubnWeight,
  quantizeWageubnWeightGradient,
} from "../../quantizers/wageubn.js";
import type { QuantizerFamily } from "./family.js";

/** Name of the scalar input that takes K, the levels of weight gradients. */
export const weightGradientLevels = "weightGradientLevels";

/**
 * WAGEUBN without its quantized batch normalization and optimizer: weights and activations in fixed point, errors with
 * power-of-two scales (two kinds, at activations and at the layers' outputs), weight gradients reduced to K levels whose size
 * does not depend on the gradient's. First layer and classifier in full precision.
 */
export const wageubn: QuantizerFamily = {
  fullPrecision: ({ role }) => role === "stem" || role === "classifier",
  gradient: (g, gradient, { bits }) => quantizeWageubnFlaggedError(g, gradient, { bits }),
  weight: () => ({
    build: (g, weight, { bits, noise }) => {
      const quantized = quantizeWageubnWeight(g, weight, { bits });
      const settings = [g.value(weightGradientLevels), ...(noise ? [noise] : [])];
      return g.customGradient(
        [quantized, ...settings],
        ([value]) => [g.identity(value!)],
        ([gradient], { g: b, inputs: [, levels, draw] }) => [
          gradient && quantizeWageubnWeightGradient(b, gradient, { levels: levels!, noise: draw }),
        ],
      )[0]!;
    },
  }),
  input: () => ({
    build: (g, x, { bits, errorBits }) => {
      const quantized = quantizeWageubnActivation(g, x, { bits });
      if (!errorBits) return quantized;
      return g.customGradient(
        [quantized, errorBits],
        ([value]) => [g.identity(value!)],
        ([gradient], { g: b, inputs: [, held] }) => [gradient && quantizeWageubnError(b, gradient, { bits: held! })],
      )[0]!;
    },
  }),
  scalars: { [weightGradientLevels]: 128 },
  roundsWeightGradients: true,
};
