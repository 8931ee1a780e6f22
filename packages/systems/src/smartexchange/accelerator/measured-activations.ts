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
    "MLPerf Tiny's ResNet-8 on 60 training images of CIFAR-10, six of each class: what enters its convolutions behind a ReLU, in 8 bit, the largest value of the images the largest code",
  words: {
    bitWidth: 8,
    zeroFraction: 0.466576,
    essentialBits: [
      0.466576, 0.08397, 0.170047, 0.168753, 0.0860623, 0.0220389, 0.00246802, 0.0000839233, 0.00000203451,
    ],
    boothTerms: [0.466576, 0.0458761, 0.213829, 0.205526, 0.0676666, 0.000526259],
  },
  zeroRowFraction: 0.0584473,
};
