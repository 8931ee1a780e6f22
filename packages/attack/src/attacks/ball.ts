// The set that attacks stay in: no value further than epsilon from the original, and inside the image's range.

import type { RandomStream } from "@dovetail/core";
import type { Rows } from "../model/oracle.js";

export interface Ball {
  /** Original images. */
  readonly clean: Float32Array;
  /** Values of an image. */
  readonly imageSize: number;
  /** Largest change of a value, in the images' unit. */
  readonly epsilon: number;
  /** Smallest and largest value of an image; [0, 1] by default. */
  readonly range?: readonly [number, number] | undefined;
}

const unit = [0, 1] as const;

/** Moves the points of these rows by `stepSize` along the gradients' signs (gradient 0: not at all), then into the ball. */
export function signStep(
  ball: Ball,
  points: Float32Array,
  gradients: Float32Array,
  stepSize: number,
  rows: Rows,
): void {
  const { clean, imageSize, epsilon, range: [low, high] = unit } = ball;
  for (const row of rows) {
    for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
      const gradient = gradients[index]!;
      const moved = points[index]! + (gradient > 0 ? stepSize : gradient < 0 ? -stepSize : 0);
      const original = clean[index]!;
      points[index] = clamp(clamp(moved, original - epsilon, original + epsilon), low, high);
    }
  }
}

/** Brings the points of these rows into the ball, value by value: the nearest points of it. */
export function projectToBall(
  { clean, imageSize, epsilon, range = unit }: Ball,
  points: Float32Array,
  rows: Rows,
): void {
  const [low, high] = range;
  for (const row of rows) {
    for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
      const original = clean[index]!;
      points[index] = clamp(clamp(points[index]!, original - epsilon, original + epsilon), low, high);
    }
  }
}

/** Points drawn uniformly from ±epsilon around the originals, then brought into the range. */
export function uniformStart(ball: Ball, streamOfRow: (row: number) => RandomStream): Float32Array {
  const { clean, imageSize, epsilon, range: [low, high] = unit } = ball;
  const points = new Float32Array(clean.length);
  for (let row = 0; row < clean.length / imageSize; row++) {
    const stream = streamOfRow(row);
    for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
      points[index] = clamp(clean[index]! + epsilon * (2 * stream.uniform() - 1), low, high);
    }
  }
  return points;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
