import type { Reproduction } from "../reproduction/reproduction.js";
import { concludeShiftAddNet } from "./conclude.js";
import { experiments } from "./experiment.js";
import { piecesOf } from "./pieces.js";

/** ShiftAddNet against convolutions, shifts alone and additions alone: accuracy and modelled energy. */
export const shiftAddNetReproduction: Reproduction = {
  system: "shiftaddnet",
  title: "ShiftAddNet",
  scales: {
    quick: {
      summary:
        "ResNet-8 of 8 to 32 channels on 2,000 bundled CIFAR-10 images, 150 steps a training, one seed; some minutes",
      seeds: experiments.quick.seeds,
    },
    full: {
      summary:
        "ResNet-20 on 10,000 CIFAR-10 images, 600 steps of 64 a training, three seeds for all trainings under ten minutes and for add and shift-add in float32; about five hours on one idle core",
      seeds: experiments.full.seeds,
    },
  },
  pieces: (scale) => piecesOf(experiments[scale]),
  conclude: (scale, results) => concludeShiftAddNet(experiments[scale], results),
};
