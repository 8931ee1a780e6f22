import type { Reproduction } from "../reproduction/reproduction.js";
import { concludeInstantNet } from "./conclude.js";
import { experiments } from "./experiment.js";
import { piecesOf } from "./pieces.js";

/** InstantNet: cascade distillation against its baselines, mappings by precision, the searched network. */
export const instantNetReproduction: Reproduction = {
  system: "instantnet",
  title: "InstantNet",
  scales: {
    quick: {
      summary: "ResNet-8 on 2,000 bundled CIFAR-10 images, two epochs a training, one seed; some minutes",
      seeds: experiments.quick.seeds,
    },
    full: {
      summary:
        "ResNet-20 on 10,000 bundled CIFAR-10 images at 4, 8 and 32 bit, six epochs a training, three seeds; about two hours on two idle cores",
      seeds: experiments.full.seeds,
    },
  },
  pieces: (scale) => piecesOf(experiments[scale]),
  conclude: concludeInstantNet,
};
