import type { WordStatistics } from "@dovetail/hardware";

/** Activations that were measured, each layer counting the same. */
export interface MeasuredActivations {
  readonly source: string;
  readonly words: WordStatistics;
  /** Rows of a feature map (a channel at one height) that are all zero. */
  readonly zeroRowFraction: number;
}

/** Made by `node bench/activation-statistics.mjs`; by layer it prints more. */
export const measuredActivations: MeasuredActivations = {
  source:
    "MLPerf Tiny's ResNet-8 on 64 test images of CIFAR-10: what enters its convolutions behind a ReLU, in 8 bit, the largest value of the images the largest code",
  words: {
    bitWidth: 8,
    zeroFraction: 0.464541,
    essentialBits: [0.464541, 0.086709, 0.17347, 0.168711, 0.0840824, 0.0203768, 0.0020442, 0.0000629425, 0.0000017484],
    boothTerms: [0.464541, 0.0475388, 0.217987, 0.204943, 0.0646825, 0.000307401],
  },
  zeroRowFraction: 0.0563405,
};
