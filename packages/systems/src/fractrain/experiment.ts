// What FracTrain's reproduction runs at each scale.

import { type Network, resNet } from "@dovetail/models";
import type { DatasetDescriptionInput, ImageDataset } from "@dovetail/train";
import type { Scale } from "../reproduction/card.js";
import { sixBitGradientChoices } from "./cost.js";
import type { MethodInput } from "./methods.js";

export interface Experiment {
  readonly depth: number;
  readonly data: DatasetDescriptionInput;
  readonly batchSize: number;
  /** Optimizer steps of every training from scratch: equal for all methods. */
  readonly steps: number;
  /** Steps of the trainings that go on from a trained network, and of the one before. */
  readonly settingSteps: number;
  /** The highest, of a one-cycle schedule. */
  readonly learningRate: number;
  readonly seeds: readonly number[];
  /** Methods from scratch: with the first seed all, with the others those that the claims compare, and those that train in less than ten minutes. */
  readonly methods: readonly NamedMethod[];
  /** How many static networks with as many bit-operations as FracTrain are trained; the best one counts. */
  readonly equalStatics: number;
}

export interface NamedMethod {
  readonly name: string;
  readonly method: MethodInput;
  /** Runs with every seed. */
  readonly isCompared: boolean;
}

/** PFQ sees 40 epochs at both scales, not 160: with fewer steps in one, the noise of a mean loss is as large as ε. */
const pfqEpochs = 40;

/**
 * How gates are trained here: β four times the published one, for so few steps; choices without the skip and with gradients
 * of 6 bits; targets that such choices reach. Chosen on validation images: see what was tried, in the conclusions.
 */
export const gateSettings = { beta: 4e-3, skip: false, choices: [...sixBitGradientChoices] };
export const risingTargets = { firstTarget: 0.018, targetStep: 0.004 };

function methodsOf(steps: number): readonly NamedMethod[] {
  const epochSteps = Math.max(1, Math.round(steps / pfqEpochs));
  const all: readonly (readonly [string, MethodInput, boolean])[] = [
    ["float32", { kind: "float32" }, true],
    ["sbm-8-8", { kind: "static" }, true],
    ["pfq", { kind: "pfq", epochSteps }, true],
    ["dfq", { kind: "dfq", target: 0.03, ...gateSettings }, false],
    ["fractrain", { kind: "fractrain", epochSteps, ...gateSettings, ...risingTargets }, true],
    ["fractrain-published", { kind: "fractrain", epochSteps, proportion: 0 }, false],
    ["dorefa-8-8-8", { kind: "dorefa" }, false],
    ["wageubn-8", { kind: "wageubn" }, false],
  ];
  return all.map(([name, method, isCompared]) => ({ name, method, isCompared }));
}

const quickSteps = 100;
/** Seven epochs of 10,000 images. */
const fullSteps = 546;

export const experiments: Readonly<Record<Scale, Experiment>> = {
  quick: {
    depth: 8,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 200, validationImagesPerClass: 0, testImagesPerClass: 100 },
    batchSize: 64,
    steps: quickSteps,
    settingSteps: 30,
    learningRate: 0.1,
    seeds: [0],
    methods: methodsOf(quickSteps),
    equalStatics: 1,
  },
  full: {
    depth: 20,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 1000, validationImagesPerClass: 0 },
    batchSize: 128,
    steps: fullSteps,
    settingSteps: 156,
    learningRate: 0.1,
    seeds: [0, 1, 2],
    methods: methodsOf(fullSteps),
    equalStatics: 2,
  },
};

/** The experiment's network for a data set's images and classes. */
export function networkFor({ depth }: Experiment, dataset: ImageDataset): Network {
  const { classNames, imageShape, channelMean, channelStandardDeviation } = dataset;
  const [, height, width] = imageShape;
  const pixels = { height, width, mean: channelMean, standardDeviation: channelStandardDeviation };
  return resNet({ depth, classCount: classNames.length, pixels });
}
