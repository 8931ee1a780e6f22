import type { Json } from "@dovetail/train";
import type { Conclusion, Scale } from "../reproduction/card.js";
import type { Reproduction } from "../reproduction/reproduction.js";
import { acceleratorPieces, concludeAccelerator } from "./accelerator/study.js";
import { concludeAlgorithm } from "./conclude.js";
import { experiments } from "./experiment.js";
import { algorithmPieces } from "./pieces.js";

/** 2-in-1: training and inference with random precision against attacks, and the accelerator that switches. */
export const twoInOneReproduction: Reproduction = {
  system: "two-in-one",
  title: "2-in-1 Accelerator",
  scales: {
    quick: {
      summary:
        "ResNet-8 on 1,000 bundled CIFAR-10 images, four epochs, weak attacks on 50 images, two networks' layers; some minutes",
      seeds: experiments.quick.seeds,
    },
    full: {
      summary:
        "ResNet-14 on 10,000 bundled CIFAR-10 images, eight epochs of natural, FGSM-RS, free and PGD-7 training, 500 images attacked, four networks' layers; up to five hours on two idle cores",
      seeds: experiments.full.seeds,
    },
  },
  pieces: (scale) => [...algorithmPieces(experiments[scale]), ...acceleratorPieces(scale)],
  conclude: (scale, results) => together(scale, results),
};

function together(scale: Scale, results: ReadonlyMap<string, unknown>): Conclusion {
  const algorithm = concludeAlgorithm(experiments[scale], results);
  const accelerator = concludeAccelerator(scale, results as ReadonlyMap<string, Json>);
  return {
    setup: [...algorithm.setup, ...accelerator.setup],
    claims: [...algorithm.claims, ...accelerator.claims],
    notRun: [...algorithm.notRun, ...accelerator.notRun],
    tables: [...algorithm.tables, ...accelerator.tables],
  };
}
