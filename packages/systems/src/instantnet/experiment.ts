// What InstantNet's reproduction runs at each scale.
import { type Network, type PixelOptions, resNet } from "@dovetail/models";
import type { DatasetDescriptionInput, ImageDataset } from "@dovetail/train";
import type { Scale } from "../reproduction/card.js";
import { type FbnetSpace, type FbnetSpaceOptions, fbnetSpace } from "./fbnet-space.js";

export interface Experiment {
  readonly depth: number;
  readonly data: DatasetDescriptionInput;
  readonly bitWidths: readonly number[];
  readonly batchSize: number;
  readonly epochs: number;
  /** Of all trainings; it falls along a cosine to 0.001. */
  readonly learningRate: number;
  /** β of CDT and SP; with the first seed they run with the published 1 too. Chosen on validation images, see the conclusions. */
  readonly distillationWeight: number;
  readonly seeds: readonly number[];
  /** Mappings evaluated per layer shape and precision, by each mapper. */
  readonly mapperEvaluations: number;
  readonly search: {
    readonly space: FbnetSpaceOptions;
    readonly batchSize: number;
    readonly epochs: number;
    readonly macsWindow: readonly [number, number];
    readonly costWeight: number;
    readonly operatorLearningRate: number;
  };
}

/**
 * Seven positions: the first four of the published stages, at most two positions each, smaller images from the second
 * stage on, a narrow header.
 */
const smallSpace: FbnetSpaceOptions = {
  counts: [1, 2, 2, 2],
  channels: [16, 24, 32, 64],
  strides: [1, 2, 1, 2],
  headerChannels: 128,
};

export const experiments: Readonly<Record<Scale, Experiment>> = {
  quick: {
    depth: 8,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 200, validationImagesPerClass: 0, testImagesPerClass: 100 },
    bitWidths: [4, 8, 32],
    batchSize: 50,
    epochs: 2,
    learningRate: 0.1,
    distillationWeight: 0.1,
    seeds: [0],
    mapperEvaluations: 200,
    search: {
      space: { ...smallSpace, counts: [1, 1, 1], channels: [16, 24, 32], strides: [1, 2, 2], headerChannels: 64 },
      batchSize: 50,
      epochs: 1,
      macsWindow: [2e6, 4e6],
      costWeight: 5e-9,
      operatorLearningRate: 0.1,
    },
  },
  full: {
    depth: 20,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 1000, validationImagesPerClass: 0 },
    bitWidths: [4, 8, 32],
    batchSize: 128,
    epochs: 6,
    learningRate: 0.1,
    distillationWeight: 0.1,
    seeds: [0, 1, 2],
    mapperEvaluations: 1000,
    search: {
      space: smallSpace,
      // All operators of all positions are held in memory: half of the published 64 images.
      batchSize: 32,
      epochs: 2,
      macsWindow: [8e6, 12e6],
      costWeight: 1e-9,
      // So that the logits may move as far in these steps as in the published 9,750 at 3e-4.
      operatorLearningRate: 0.0094,
    },
  },
};

/** The experiment's network for a data set's images and classes. */
export function networkFor({ depth }: Experiment, dataset: ImageDataset): Network {
  return resNet({ depth, classCount: dataset.classNames.length, pixels: pixelsOf(dataset) });
}

/** The space of SP-NAS for a data set. */
export function spaceFor({ search }: Experiment, dataset: ImageDataset): FbnetSpace {
  return fbnetSpace({ ...search.space, classCount: dataset.classNames.length, pixels: pixelsOf(dataset) });
}

function pixelsOf({ imageShape, channelMean, channelStandardDeviation }: ImageDataset): PixelOptions {
  const [, height, width] = imageShape;
  return { height, width, mean: channelMean, standardDeviation: channelStandardDeviation };
}
