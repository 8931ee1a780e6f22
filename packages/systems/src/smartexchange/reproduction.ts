import type { Reproduction } from "../reproduction/reproduction.js";
import { concludeSmartExchange } from "./conclude.js";
import { experiments } from "./experiment.js";
import { piecesOf } from "./pieces.js";

/** SmartExchange against pruning, low rank and quantization at equal storage. */
export const smartExchangeReproduction: Reproduction = {
  system: "smartexchange",
  title: "SmartExchange",
  scales: {
    quick: {
      summary:
        "ResNet-8 and VGG-11-BN on 2,000 bundled CIFAR-10 images, 2 to 6 epochs a training, one seed; some minutes",
      seeds: experiments.quick.seeds,
    },
    full: {
      summary:
        "ResNet-20 and VGG-11-BN on 10,000 CIFAR-10 images, 10 to 15 epochs in float32 and 3 to 4 with each method, three seeds; about two hours on two idle cores",
      seeds: experiments.full.seeds,
    },
  },
  pieces: (scale) => piecesOf(experiments[scale]),
  conclude: concludeSmartExchange,
};
