// What ShiftAddNet's reproduction runs at each scale.

import type { Network } from "@dovetail/models";
import type { DatasetDescriptionInput, ImageDataset } from "@dovetail/train";
import type { Scale } from "../reproduction/card.js";
import { shiftAddNetwork, type Variant } from "./networks.js";
import type { PrecisionName } from "./precision.js";
import type { OptimizerName } from "./training.js";

/** A network at a precision. */
export type Run = readonly [network: string, precision: PrecisionName];

/** A network that is trained; `widening` multiplies all widths. */
export interface NetworkChoice {
  readonly name: string;
  readonly variant: Variant;
  readonly widening: number;
  readonly precisions: readonly PrecisionName[];
  /** Is trained by each of these, of which validation images choose one for all of its runs; empty: takes `tunedAs`'s. */
  readonly optimizers: readonly OptimizerName[];
  /** The network whose optimizer it takes. */
  readonly tunedAs: string;
  readonly isPruned: boolean;
  /** Its blocks are run in integers, with the weights of `fixed16`. */
  readonly runsInIntegers: boolean;
}

export interface Experiment {
  readonly depth: number;
  readonly widths: readonly number[];
  readonly data: DatasetDescriptionInput;
  readonly batchSize: number;
  /** Optimizer steps of every training: equal for all networks. */
  readonly steps: number;
  readonly networks: readonly NetworkChoice[];
  /** The first seed for everything, the others for `seededRuns`. */
  readonly seeds: readonly number[];
  /** Of the weights that are not zero; 0 is the control, which is trained further without pruning. */
  readonly prunedShares: readonly number[];
  /** Steps of the training after pruning. */
  readonly retrainingSteps: number;
  /** Training images whose activations go through the blocks in integers. */
  readonly integerImages: number;
}

const shiftPrecisions = ["float32", "fixed16", "fixed8"] as const;

/**
 * Networks at equal effort. The widened ones have about as much operator energy as shift-add (operators45 in float32), so
 * that more layers are compared with more channels too; their widths map well.
 */
const networks: readonly NetworkChoice[] = [
  choice("convolution", "convolution", ["float32", "fixed8"], {
    optimizers: ["sgd-0.1", "radam-0.05", "radam-0.1"],
    isPruned: true,
  }),
  choice("shift", "shift", shiftPrecisions, {
    optimizers: ["sgd-1", "radam-0.5", "sgd-0.1-radam-1"],
    isPruned: true,
  }),
  choice("add", "add", ["float32", "fixed8"], { optimizers: ["sgd-0.1", "sgd-0.3", "sgd-1"], isPruned: true }),
  choice("shift-add", "shiftAdd", shiftPrecisions, {
    optimizers: ["sgd-0.3", "sgd-1", "sgd-0.1-radam-0.1"],
    isPruned: true,
    runsInIntegers: true,
  }),
  choice("fixed-shift-add", "fixedShiftAdd", ["fixed16"], { tunedAs: "add" }),
  choice("wide-shift", "shift", ["float32"], { widening: 1.6875, tunedAs: "shift" }),
  choice("wide-add", "add", ["float32"], { widening: 1.25, tunedAs: "add" }),
];

function choice(
  name: string,
  variant: Variant,
  trained: readonly PrecisionName[],
  more: Partial<NetworkChoice>,
): NetworkChoice {
  return {
    name,
    variant,
    widening: 1,
    precisions: trained,
    optimizers: [],
    tunedAs: name,
    isPruned: false,
    runsInIntegers: false,
    ...more,
  };
}

/** Runs that other seeds repeat: all that take less than ten minutes, and add and shift-add in float32. */
export const seededRuns: readonly Run[] = [
  ["convolution", "float32"],
  ["convolution", "fixed8"],
  ["shift", "float32"],
  ["shift", "fixed16"],
  ["shift", "fixed8"],
  ["add", "float32"],
  ["shift-add", "float32"],
  ["wide-shift", "float32"],
];

/** Seeds with which a run is made. */
export function seedsOf({ seeds }: Pick<Experiment, "seeds">, [network, precision]: Run): readonly number[] {
  const isRepeated = seededRuns.some(([name, at]) => name === network && at === precision);
  return isRepeated ? seeds : seeds.slice(0, 1);
}

/** Seeds with which all of the runs are made. */
export function commonSeeds(experiment: Pick<Experiment, "seeds">, ...runs: readonly Run[]): readonly number[] {
  return experiment.seeds.filter((seed) => runs.every((run) => seedsOf(experiment, run).includes(seed)));
}

export const experiments: Readonly<Record<Scale, Experiment>> = {
  quick: {
    depth: 8,
    widths: [8, 16, 32],
    data: { kind: "bundled-cifar10", trainImagesPerClass: 200, validationImagesPerClass: 50, testImagesPerClass: 100 },
    batchSize: 64,
    steps: 150,
    networks,
    seeds: [0],
    prunedShares: [0, 0.3, 0.5, 0.7, 0.9],
    retrainingSteps: 30,
    integerImages: 1,
  },
  full: {
    depth: 20,
    widths: [16, 32, 64],
    data: { kind: "bundled-cifar10", trainImagesPerClass: 1000, validationImagesPerClass: 100 },
    batchSize: 64,
    steps: 600,
    networks,
    seeds: [0, 1, 2],
    prunedShares: [0, 0.3, 0.5, 0.7, 0.9],
    retrainingSteps: 120,
    integerImages: 2,
  },
};

/** The network of an experiment with a name. */
export function networkNamed({ networks }: Pick<Experiment, "networks">, name: string): NetworkChoice {
  return networks.find((network) => network.name === name)!;
}

/** The network whose optimizer a network takes: its own, or another's. */
export function tunedAs(experiment: Experiment, { tunedAs: name }: NetworkChoice): NetworkChoice {
  return networkNamed(experiment, name);
}

/** A network of the experiment for a data set's images and classes. */
export function networkFor(
  { depth, widths }: Experiment,
  { variant, widening }: NetworkChoice,
  dataset: Pick<ImageDataset, "classNames" | "imageShape" | "channelMean" | "channelStandardDeviation">,
): Network {
  const { classNames, imageShape, channelMean, channelStandardDeviation } = dataset;
  const [, height, width] = imageShape;
  const pixels = { height, width, mean: channelMean, standardDeviation: channelStandardDeviation };
  const widened = widths.map((channels) => Math.round(channels * widening));
  return shiftAddNetwork(variant, { depth, widths: widened, classCount: classNames.length, pixels });
}
