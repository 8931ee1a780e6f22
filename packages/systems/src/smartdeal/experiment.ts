// What SmartDeal's reproduction runs at each scale.

import { type Network, resNet } from "@dovetail/models";
import { type DatasetDescriptionInput, type ImageDataset, oneCycle, type Schedule } from "@dovetail/train";
import type { Scale } from "../reproduction/card.js";
import type { MethodInput } from "./methods.js";

export interface Experiment {
  readonly depth: number;
  readonly data: DatasetDescriptionInput;
  readonly batchSize: number;
  /** Optimizer steps of every float32 training from scratch: equal for all methods. */
  readonly steps: number;
  /** Steps of the trainings with 8-bit operands, equal for dense and ours. */
  readonly integerSteps: number;
  /** Steps of the trainings that go on from a trained network, and of the one before. */
  readonly settingSteps: number;
  /** The highest, of a one-cycle schedule. */
  readonly learningRate: number;
  readonly seeds: readonly number[];
  /** Methods from scratch: with the first seed all, with the others those that the claims compare. */
  readonly methods: readonly NamedMethod[];
  /** What goes on from a network that was trained on the other half of the images or classes. */
  readonly settingMethods: readonly (readonly [SettingMethod, MethodInput])[];
  readonly keptRowShare: number;
}

export type SettingMethod = "dense" | "switch" | "accumulate" | "latent";

export interface NamedMethod {
  readonly name: string;
  readonly method: MethodInput;
  /** Runs with every seed. */
  readonly isCompared: boolean;
  /** Is this method, which stands before, but averages the factors over the last fifth of the epochs. */
  readonly averageOf?: "switch" | "latent" | undefined;
}

/** Rows that are kept: with 0.8 ResNet-20's parameters take an eighth of their bits, with 0.55 an eleventh, see the card. */
const keptRowShare = 0.8;
export const fewerRowsShare = 0.55;
/** The method that keeps fewer. */
export const fewerRowsName = "accumulate-fewer-rows";

function methodsOf(): readonly NamedMethod[] {
  return [
    { name: "dense", method: { kind: "dense" }, isCompared: true },
    { name: "switch", method: { kind: "switch", keptRowShare }, isCompared: true },
    { name: "accumulate", method: { kind: "accumulate", keptRowShare }, isCompared: true },
    {
      name: fewerRowsName,
      method: { kind: "accumulate", keptRowShare: fewerRowsShare },
      isCompared: false,
    },
    { name: "latent", method: { kind: "latent", keptRowShare }, isCompared: true },
    { name: "round", method: { kind: "round", keptRowShare }, isCompared: false },
    {
      name: "switch-momentum",
      method: { kind: "switch", keptRowShare, coefficientMomentum: 0.9, updateThreshold: 2e-4 },
      isCompared: false,
    },
    { name: "switch-averaged", method: { kind: "switch", keptRowShare }, isCompared: true, averageOf: "switch" },
    { name: "latent-averaged", method: { kind: "latent", keptRowShare }, isCompared: true, averageOf: "latent" },
  ];
}

/** With 8-bit operands: dense and ours. */
export const integerMethods = [
  ["dense-8", { kind: "dense", arithmetic: "integer8" }],
  ["switch-8", { kind: "switch", arithmetic: "integer8", keptRowShare }],
  ["accumulate-8", { kind: "accumulate", arithmetic: "integer8", keptRowShare }],
] as const satisfies readonly (readonly [string, MethodInput])[];

const settingMethods: Experiment["settingMethods"] = [
  ["dense", { kind: "dense" }],
  // The bases' rate that did best there.
  ["switch", { kind: "switch", keptRowShare, basisRate: 0.25 }],
  ["accumulate", { kind: "accumulate", keptRowShare }],
  ["latent", { kind: "latent", keptRowShare }],
];

export const experiments: Readonly<Record<Scale, Experiment>> = {
  quick: {
    depth: 8,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 200, validationImagesPerClass: 0, testImagesPerClass: 100 },
    batchSize: 32,
    steps: 310,
    integerSteps: 124,
    settingSteps: 93,
    learningRate: 0.1,
    seeds: [0],
    methods: methodsOf(),
    settingMethods,
    keptRowShare,
  },
  full: {
    depth: 20,
    data: { kind: "bundled-cifar10", trainImagesPerClass: 1000, validationImagesPerClass: 0 },
    batchSize: 128,
    // Twenty epochs of 10,000 images.
    steps: 1560,
    // Five epochs.
    integerSteps: 390,
    settingSteps: 390,
    learningRate: 0.1,
    seeds: [0, 1, 2],
    methods: methodsOf(),
    settingMethods,
    keptRowShare,
  },
};

/** The seeds that a method from scratch runs with. */
export function seedsOf({ seeds, methods }: Experiment, name: string): readonly number[] {
  return methods.some((method) => method.name === name && !method.isCompared) ? seeds.slice(0, 1) : seeds;
}

/** The experiment's network for a data set's images and classes. */
export function networkFor({ depth }: Pick<Experiment, "depth">, dataset: ImageDataset): Network {
  const { classNames, imageShape, channelMean, channelStandardDeviation } = dataset;
  const [, height, width] = imageShape;
  const pixels = { height, width, mean: channelMean, standardDeviation: channelStandardDeviation };
  return resNet({ depth, classCount: classNames.length, pixels });
}

/** Share of the steps before averaging begins: published, 161 of 200 epochs. */
export const averagedFrom = 0.8;

/** One cycle; with averaging the rate stays what it is when averaging begins, so that there is something to average. */
export function rateOf({ learningRate }: Experiment, steps: number, isAveraged: boolean): Schedule {
  const whole = oneCycle({ maximum: learningRate, steps });
  return isAveraged ? (step) => whole(Math.min(step, Math.floor(averagedFrom * steps))) : whole;
}
