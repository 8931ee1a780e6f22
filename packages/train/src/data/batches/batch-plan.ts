import { inputError, type RandomStream } from "@dovetail/core";
import { type ImageShape, imageBytes, type Labels } from "../dataset.js";
import { type Augmentation, augmentImage, drawAugmentation } from "./augmentation.js";

/** Everything that the contents of the batches depend on. It can be sent to a worker, but for the random stream. */
export interface BatchPlan {
  /** [N, C, H, W]. */
  readonly images: Uint8Array;
  readonly labels: Labels;
  readonly imageShape: ImageShape;
  readonly batchSize: number;
  /** Whether a last batch that is not full is left out. */
  readonly dropLast: boolean;
  /** Whether every epoch has an order of its own; else the data set's order is kept. */
  readonly shuffle: boolean;
  readonly augmentation: Augmentation;
  /** Value of cut out pixels, for each channel. */
  readonly fill: readonly number[];
}

/** The memory that a batch is written to: batchSize images and labels. */
export interface BatchMemory {
  readonly images: Float32Array;
  readonly labels: BigInt64Array;
}

/** A batch's place in the training: both count from 0, `step` within the epoch. */
export interface BatchPosition {
  readonly epoch: number;
  readonly step: number;
}

/** Writes batches into memory; gives the number of images written. */
export type BatchFiller = (position: BatchPosition, memory: BatchMemory) => number;

/** Number of batches in an epoch. Throws `batch_size` when there would be none. */
export function stepsPerEpoch(imageCount: number, batchSize: number, dropLast: boolean): number {
  const steps = dropLast ? Math.floor(imageCount / batchSize) : Math.ceil(imageCount / batchSize);
  if (Number.isSafeInteger(batchSize) && batchSize > 0 && steps > 0) return steps;
  throw inputError("batch_size", "no batch of this size can be made", {
    path: ["batchSize"],
    expected: `an integer from 1 to ${imageCount}`,
    received: `${batchSize}`,
  });
}

/** Fresh memory for batches of this size. */
export function allocateBatch(batchSize: number, imageShape: ImageShape): BatchMemory {
  return { images: new Float32Array(batchSize * imageBytes(imageShape)), labels: new BigInt64Array(batchSize) };
}

/**
 * What writes the batches of a plan. A batch depends on the plan, the stream's identity and the position alone: each
 * epoch's order and each batch's augmentation draw from splits of their own, so any batch can be made at any time.
 */
export function createBatchFiller(plan: BatchPlan, random: RandomStream): BatchFiller {
  const { images, labels, imageShape, batchSize, augmentation, fill } = plan;
  const size = imageBytes(imageShape);
  let order = Uint32Array.from(labels, (_, index) => index);
  let orderEpoch: number | undefined;
  return ({ epoch, step }, memory) => {
    const epochRandom = random.split("epoch").split(epoch);
    if (plan.shuffle && orderEpoch !== epoch) {
      order = epochRandom.split("order").shuffle(order.map((_, index) => index));
      orderEpoch = epoch;
    }
    const batchRandom = epochRandom.split("batch").split(step);
    const start = step * batchSize;
    const count = Math.min(batchSize, labels.length - start);
    for (let position = 0; position < count; position++) {
      const index = order[start + position]!;
      const draw = drawAugmentation(batchRandom, augmentation, imageShape);
      const source = { values: images, offset: index * size };
      augmentImage(source, { values: memory.images, offset: position * size }, imageShape, draw, fill);
      memory.labels[position] = BigInt(labels[index]!);
    }
    return count;
  };
}
