import type { Reproduction } from "../reproduction/reproduction.js";
import { concludeFracTrain } from "./conclude.js";
import { experiments } from "./experiment.js";
import { piecesOf } from "./pieces.js";

/** FracTrain against static training: accuracy, bit-operations, modelled latency and energy. */
export const fracTrainReproduction: Reproduction = {
  system: "fractrain",
  title: "FracTrain",
  scales: {
    quick: {
      summary: "ResNet-8 on 2,000 bundled CIFAR-10 images, 100 steps a training, one seed; some minutes",
      seeds: experiments.quick.seeds,
    },
    full: {
      summary:
        "ResNet-20 on 10,000 CIFAR-10 images, seven epochs a training, three seeds; two to two and a half hours on two idle cores",
      seeds: experiments.full.seeds,
    },
  },
  pieces: (scale) => piecesOf(experiments[scale]),
  conclude: concludeFracTrain,
};
