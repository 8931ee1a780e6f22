// What the reproduction of 2-in-1's algorithm runs at each scale.
import { type Network, type PixelOptions, resNet } from "@dovetail/models";
import { type SwitchableNetwork, switchableNetwork } from "@dovetail/quant";
import type { DatasetDescriptionInput, ImageDataset } from "@dovetail/train";
import type { Scale } from "../reproduction/card.js";
import type { TrainingMethod } from "./train-robust.js";

export interface Experiment {
  readonly depth: number;
  readonly data: DatasetDescriptionInput;
  /** Precisions that are drawn from, in training (RPT) and in use (RPI). */
  readonly precisions: readonly number[];
  /** The one precision of trainings without RPT. */
  readonly single: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly seeds: readonly number[];
  /** Methods, each with and without RPT; `withSeeds`: with every seed, else with the first. */
  readonly methods: readonly { readonly method: TrainingMethod; readonly withSeeds: boolean }[];
  /** First test images of each class that are attacked. */
  readonly attackedImages: number;
  /** Steps of PGD in the published protocol, and of the transfer matrices. */
  readonly pgdSteps: number;
  /** Attacks of the full evaluation, which PGD-7 with and without RPT get. */
  readonly attacks: readonly string[];
  /** Steps and queries of the full evaluation; each attack's own where nothing is said. */
  readonly steps?: number | undefined;
  readonly queries?: number | undefined;
  readonly checkedImages: number;
}

export const epsilon = 8 / 255;

export const experiments: Readonly<Record<Scale, Experiment>> = {
  quick: {
    depth: 8,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 100, validationImagesPerClass: 0, testImagesPerClass: 50 },
    precisions: [4, 6, 8],
    single: 8,
    batchSize: 50,
    epochs: 4,
    learningRate: 0.1,
    seeds: [0],
    methods: [
      { method: "natural", withSeeds: false },
      { method: "fgsm-rs", withSeeds: false },
      { method: "pgd-7", withSeeds: true },
    ],
    attackedImages: 50,
    pgdSteps: 10,
    attacks: ["eot-pgd", "square"],
    steps: 10,
    queries: 50,
    checkedImages: 20,
  },
  full: {
    depth: 14,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 1000, validationImagesPerClass: 0 },
    precisions: [4, 5, 6, 7, 8],
    single: 8,
    batchSize: 128,
    epochs: 8,
    learningRate: 0.1,
    seeds: [0, 1, 2],
    methods: [
      { method: "natural", withSeeds: true },
      { method: "fgsm-rs", withSeeds: true },
      { method: "free", withSeeds: true },
      // A run takes more than ten minutes.
      { method: "pgd-7", withSeeds: false },
    ],
    attackedImages: 500,
    pgdSteps: 20,
    attacks: ["eot-pgd", "apgd-ce", "apgd-dlr", "cw-linf", "square"],
    queries: 500,
    checkedImages: 50,
  },
};

/** The network for a data set's images and classes. */
export function networkFor({ depth }: Experiment, dataset: ImageDataset): Network {
  const { classNames, imageShape, channelMean, channelStandardDeviation } = dataset;
  const [, height, width] = imageShape;
  const pixels: PixelOptions = { height, width, mean: channelMean, standardDeviation: channelStandardDeviation };
  return resNet({ depth, classCount: classNames.length, pixels });
}

/** Stem, shortcuts and classifier stay in full precision, as in the public code. */
export function switchableFor({ precisions }: Experiment, base: Network): SwitchableNetwork {
  return switchableNetwork(base, {
    bitWidths: precisions,
    fullPrecision: ({ role }) => role === "stem" || role === "shortcut" || role === "classifier",
  });
}

/** The seeds that a method runs with. */
export function seedsOf({ seeds, methods }: Experiment, method: TrainingMethod): readonly number[] {
  return methods.some((one) => one.method === method && one.withSeeds) ? seeds : seeds.slice(0, 1);
}
