import { createRandomStream, inputError, type RandomStream } from "@dovetail/core";
import {
  allocateLabels,
  type DatasetPart,
  type DecodedImages,
  imageBytes,
  type LabelledImages,
  type Labels,
} from "./dataset.js";
import type { DatasetDescription } from "./description.js";

/** The share of the training images that validation gets when the description does not say. */
const defaultValidationFraction = 0.1;

type SplitOptions = Pick<
  DatasetDescription,
  "trainImagesPerClass" | "validationFraction" | "validationImagesPerClass" | "testImagesPerClass" | "seed"
>;

/**
 * Splits a source into training, validation and test, the same number (or share) of every class, and keeps the source's
 * order inside each part. The decoded training images are consumed: their memory is reused.
 * Throws input errors `split_too_large` and `class_empty`.
 */
export function splitImages(decoded: DecodedImages, options: SplitOptions): Record<DatasetPart, LabelledImages> {
  const { classNames, train, test } = decoded;
  const pool = firstOfEachClass(train.labels, classNames, options.trainImagesPerClass, "trainImagesPerClass");
  const random = createRandomStream(options.seed).split("validation");
  const held = holdOut(train.labels, pool, classNames, (size) => validationCount(size, options), random);
  const tested = firstOfEachClass(test.labels, classNames, options.testImagesPerClass, "testImagesPerClass");
  const size = imageBytes(decoded.imageShape);
  return {
    validation: copyImages(train, held.out, size, classNames.length),
    train: keepImages(train, held.kept, size, classNames.length),
    test: keepImages(test, tested, size, classNames.length),
  };
}

/** Indices, in rising order, of the first `limit` images of each class (of all when undefined). */
export function firstOfEachClass(
  labels: Labels,
  classNames: readonly string[],
  limit: number | undefined,
  field: string,
): Uint32Array {
  const counts = new Uint32Array(classNames.length);
  const chosen = new Uint32Array(labels.length);
  let length = 0;
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!;
    if (limit !== undefined && counts[label]! >= limit) continue;
    counts[label]! += 1;
    chosen[length++] = index;
  }
  if (limit !== undefined) {
    const short = counts.findIndex((count) => count < limit);
    if (short >= 0) {
      throw inputError("split_too_large", `not enough images of class "${classNames[short]}"`, {
        path: [field],
        expected: `at most ${Math.min(...counts)}`,
        received: `${limit}`,
      });
    }
  }
  return chosen.subarray(0, length);
}

/**
 * Draws `countOf(size of the class)` of each class's images in `pool` at random. Both results are in rising order.
 * Each class draws from a stream of its own, so the choice in one does not depend on the others.
 */
export function holdOut(
  labels: Labels,
  pool: Uint32Array,
  classNames: readonly string[],
  countOf: (size: number) => number,
  random: RandomStream,
): { readonly kept: Uint32Array; readonly out: Uint32Array } {
  const isOut = new Uint8Array(labels.length);
  classNames.forEach((className, label) => {
    const members = pool.filter((index) => labels[index] === label);
    if (members.length === 0) {
      throw inputError("class_empty", `no training image of class "${className}"`, { expected: "at least 1" });
    }
    const count = countOf(members.length);
    if (count >= members.length) {
      throw inputError("split_too_large", `nothing of class "${className}" would be left for training`, {
        expected: `fewer than ${members.length} images held out`,
        received: `${count}`,
      });
    }
    for (const index of random.split(label).shuffle(members).subarray(0, count)) isOut[index] = 1;
  });
  return { kept: pool.filter((index) => isOut[index] === 0), out: pool.filter((index) => isOut[index] === 1) };
}

function validationCount(size: number, options: SplitOptions): number {
  if (options.validationImagesPerClass !== undefined) return options.validationImagesPerClass;
  return Math.round(size * (options.validationFraction ?? defaultValidationFraction));
}

function copyImages(source: LabelledImages, indices: Uint32Array, size: number, classCount: number): LabelledImages {
  const images = new Uint8Array(new SharedArrayBuffer(indices.length * size));
  indices.forEach((index, position) => {
    images.set(source.images.subarray(index * size, (index + 1) * size), position * size);
  });
  return { images, labels: chooseLabels(source.labels, indices, classCount) };
}

/** As `copyImages`, but within the source's own memory unless most of that would be wasted. */
function keepImages(source: LabelledImages, indices: Uint32Array, size: number, classCount: number): LabelledImages {
  if (indices.length === source.labels.length) return source;
  if (indices.length * 2 < source.labels.length) return copyImages(source, indices, size, classCount);
  indices.forEach((index, position) => {
    source.images.copyWithin(position * size, index * size, (index + 1) * size);
  });
  return {
    images: source.images.subarray(0, indices.length * size),
    labels: chooseLabels(source.labels, indices, classCount),
  };
}

function chooseLabels(source: Labels, indices: Uint32Array, classCount: number): Labels {
  const labels = allocateLabels(indices.length, classCount);
  indices.forEach((index, position) => {
    labels[position] = source[index]!;
  });
  return labels;
}
