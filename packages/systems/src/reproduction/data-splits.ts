// Class splits for the adaptation setting: a network trained on some classes goes on with others.

import type { DatasetPart, ImageDataset, LabelledImages } from "@dovetail/train";
import { createDataset } from "@dovetail/train";

/** Settings in which a trained network goes on: with other images of the same classes, and with other classes. */
export const settings = ["fine-tuning", "adaptation"] as const;
export type Setting = (typeof settings)[number];

/** Names of the trainings of a setting: the one before, and each method's after it. */
export const settingPiece = {
  before: (setting: Setting, seed: number) => `${setting}-before-seed${seed}`,
  after: (setting: Setting, method: string, seed: number) => `${setting}-${method}-seed${seed}`,
} as const;

/** What is said below a table of the settings' accuracies. */
export function settingsNote(seeds: readonly number[]): string {
  const means = seeds.length > 1 ? `Means of ${seeds.length} seeds. ` : "";
  return `${means}Accuracy before adaptation is that on the first five classes.`;
}

/** What a network is trained on before (0) and after (1): one half of the images, or of the classes. */
export function splitOf(dataset: ImageDataset, setting: Setting, half: 0 | 1): ImageDataset {
  if (setting === "fine-tuning") return halfOf(dataset, half);
  const count = Math.floor(dataset.classNames.length / 2);
  return classesOf(
    dataset,
    Array.from({ length: count }, (_, index) => half * count + index),
  );
}

/** Whether a parameter goes on; the classifier starts anew where the classes are others. */
export function isCarried(parameter: string, setting: Setting): boolean {
  return setting === "fine-tuning" || !parameter.startsWith("classifier.");
}

/** The images of these classes, numbered anew in this order. */
export function classesOf(dataset: ImageDataset, classes: readonly number[]): ImageDataset {
  const { imageShape, classNames, source } = dataset;
  const part = (name: DatasetPart): LabelledImages => chosen(dataset, name, (label) => classes.indexOf(label));
  return createDataset(
    `${dataset.name}-classes-${classes.join("-")}`,
    { classNames: classes.map((index) => classNames[index]!), imageShape },
    { train: part("train"), validation: part("validation"), test: part("test") },
    source,
  );
}

/** Every second training image of each class, from the first or the second on; the other parts are whole. */
export function halfOf(dataset: ImageDataset, half: 0 | 1): ImageDataset {
  const { imageShape, classNames, source } = dataset;
  const seen = classNames.map(() => 0);
  const train = chosen(dataset, "train", (label) => (seen[label]!++ % 2 === half ? label : -1));
  const whole = (name: DatasetPart): LabelledImages => ({ images: dataset.images(name), labels: dataset.labels(name) });
  return createDataset(
    `${dataset.name}-half-${half}`,
    { classNames, imageShape },
    { train, validation: whole("validation"), test: whole("test") },
    source,
  );
}

/** The images whose label becomes a number of 0 and more, with that label. */
function chosen(dataset: ImageDataset, part: DatasetPart, relabel: (label: number) => number): LabelledImages {
  const labels = dataset.labels(part);
  const images = dataset.images(part);
  const size = images.length / Math.max(1, labels.length);
  const renamed = Array.from(labels, relabel);
  const kept = renamed.flatMap((label, index) => (label >= 0 ? [index] : []));
  const result = {
    images: new Uint8Array(new SharedArrayBuffer(kept.length * size)),
    labels: new Uint8Array(new SharedArrayBuffer(kept.length)),
  };
  kept.forEach((index, place) => {
    result.images.set(images.subarray(index * size, (index + 1) * size), place * size);
    result.labels[place] = renamed[index]!;
  });
  return result;
}
