import { quantizeAffine } from "../../quantizers/affine.js";
import { gradientQuantizers } from "../../quantizers/gradient-precision.js";
import { minMaxOf } from "../../quantizers/ranges.js";
import type { InputSite, QuantizerFamily, SiteQuantizer } from "./family.js";

/** FracTrain's SBM: affine, weights by output channel, inputs by tensor, one range for a gradient. */
export const minMax: QuantizerFamily = {
  fullPrecision: ({ role }) => role === "classifier",
  gradient: gradientQuantizers.minMax,
  weight: ({ channelAxis }) => ({
    build: (g, weight, { bits }) => quantizeAffine(g, weight, { bits, ...minMaxOf(g, weight, { axis: channelAxis }) }),
  }),
  input: minMaxInput,
};

/** Affine between the ends of the batch while training, and running ones in inference; by channel for depth-wise layers. */
export function minMaxInput({ layer: { depthwiseChannels } }: Pick<InputSite, "layer">): SiteQuantizer {
  const axis = depthwiseChannels === undefined ? undefined : 1;
  const shape = depthwiseChannels === undefined ? [] : [depthwiseChannels];
  const end = (name: string, value: number) => ({
    name,
    shape,
    role: "activationRange" as const,
    initialization: { kind: "constant", value } as const,
    trainable: false,
    decay: false,
  });
  return {
    parameters: [end("min", 0), end("max", 1)],
    observed: { min: { statistic: "min", axis }, max: { statistic: "max", axis } },
    build: (g, x, { bits, read }) => {
      const broadcast = x.type.shape!.map((_, place) => (place === 1 ? -1 : 1));
      const range = (name: string) => (axis === undefined ? read(name) : g.reshape(read(name), broadcast));
      return quantizeAffine(g, x, { bits, min: range("min"), max: range("max") });
    },
    start: (g, x) => {
      const { min, max } = minMaxOf(g, x, { axis });
      return axis === undefined ? { min, max } : { min: g.reshape(min, [-1]), max: g.reshape(max, [-1]) };
    },
  };
}
