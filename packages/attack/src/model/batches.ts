import { type Tensor, tensorFromData } from "@dovetail/graph";
import type { Points, Rows } from "./oracle.js";

// Graphs have a fixed batch size. A number of images that is no multiple of it ends in a smaller batch, of the next
// power of two (so that few sizes are compiled), whose last images are repeated to fill it.

/** Smallest batch that a graph is compiled for, unless the largest is smaller. */
const smallestBatch = 8;

/** A part of a list of rows: `rows.subarray(start, start + count)`, run in a batch of `size`. */
export interface BatchPart {
  readonly start: number;
  readonly count: number;
  readonly size: number;
}

/** Cuts `count` rows into batches of at most `largest`. */
export function cutIntoBatches(count: number, largest: number): readonly BatchPart[] {
  const parts: BatchPart[] = [];
  for (let start = 0; start < count; start += largest) {
    const left = Math.min(largest, count - start);
    parts.push({ start, count: left, size: left === largest ? largest : sizeFor(left, largest) });
  }
  return parts;
}

function sizeFor(count: number, largest: number): number {
  let size = Math.min(smallestBatch, largest);
  while (size < count) size *= 2;
  return Math.min(size, largest);
}

/** True when the batch's images lie one after another in the caller's memory and fill the batch. */
export function isContiguous(rows: Rows, { start, count, size }: BatchPart): boolean {
  return count === size && rows[start + count - 1]! - rows[start]! === count - 1;
}

/** A batch as tensors. `memory` is used where the images must be gathered. */
export function gatherBatch(
  points: Points,
  rows: Rows,
  part: BatchPart,
  shape: readonly number[],
  memory: Float32Array,
): { readonly image: Tensor; readonly label: Tensor; readonly target: Tensor | undefined } {
  const { start, count, size } = part;
  const imageSize = shape.reduce((product, length) => product * length, 1);
  const rowAt = (index: number): number => rows[start + Math.min(index, count - 1)]!;
  let images: Float32Array;
  if (isContiguous(rows, part)) {
    images = points.images.subarray(rows[start]! * imageSize, (rows[start]! + count) * imageSize);
  } else {
    images = memory.subarray(0, size * imageSize);
    for (let index = 0; index < size; index++) {
      const from = rowAt(index) * imageSize;
      images.set(points.images.subarray(from, from + imageSize), index * imageSize);
    }
  }
  const classes = (of: Int32Array): Tensor =>
    tensorFromData(
      "int64",
      [size],
      BigInt64Array.from({ length: size }, (_, index) => BigInt(of[rowAt(index)]!)),
    );
  return {
    image: tensorFromData("float32", [size, ...shape], images),
    label: classes(points.labels),
    target: points.targets && classes(points.targets),
  };
}
