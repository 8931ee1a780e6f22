import type { Reproduction } from "../reproduction/reproduction.js";
import { concludeSmartDeal } from "./conclude.js";
import { experiments } from "./experiment.js";
import { piecesOf } from "./pieces.js";

/** SmartDeal against dense SGD: accuracy, storage, modelled training energy by part. */
export const smartDealReproduction: Reproduction = {
  system: "smartdeal",
  title: "SmartDeal",
  scales: {
    quick: {
      summary: "ResNet-8 on 2,000 bundled CIFAR-10 images, five epochs a training, one seed; some minutes",
      seeds: experiments.quick.seeds,
    },
    full: {
      summary: "ResNet-20 on 10,000 CIFAR-10 images, twenty epochs a training, three seeds; about five CPU-hours",
      seeds: experiments.full.seeds,
    },
  },
  pieces: (scale) => piecesOf(experiments[scale]),
  conclude: concludeSmartDeal,
};
