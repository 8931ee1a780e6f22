import { createRandomStream } from "@dovetail/core";
import type { DatasetPart, ImageDataset } from "../dataset.js";
import { noAugmentation } from "./augmentation.js";
import { allocateBatch, createBatchFiller, stepsPerEpoch } from "./batch-plan.js";
import type { Batch } from "./batch-stream.js";

/**
 * All images of a part once, in the data set's order and unchanged, in batches of `batchSize`; the last may be smaller.
 * For evaluation: nothing is random, no thread is started. Each batch is valid until the next one is asked for.
 */
export function* iterateBatches(dataset: ImageDataset, part: DatasetPart, batchSize: number): Generator<Batch> {
  const { imageShape } = dataset;
  const plan = {
    images: dataset.images(part),
    labels: dataset.labels(part),
    imageShape,
    batchSize,
    dropLast: false,
    shuffle: false,
    augmentation: noAugmentation,
    fill: dataset.channelMean,
  };
  const steps = stepsPerEpoch(plan.labels.length, batchSize, false);
  // Without shuffling and augmentation nothing is drawn from the stream.
  const fill = createBatchFiller(plan, createRandomStream(0));
  const memory = allocateBatch(batchSize, imageShape);
  for (let step = 0; step < steps; step++) {
    const count = fill({ epoch: 0, step }, memory);
    const values = (memory.images.length / batchSize) * count;
    const images = memory.images.subarray(0, values);
    yield { epoch: 0, step, count, images, labels: memory.labels.subarray(0, count) };
  }
}
