import type { Answer, Rows } from "../model/oracle.js";

/**
 * How two points of an image are compared. `loss`: the larger expected loss wins. `accuracy`: the smaller probability
 * that the defence is right wins, among equals the larger loss.
 */
export type Preference = "loss" | "accuracy";

/** The best point found so far for each image. */
export interface BestPoints {
  /** Valid where something was offered; the originals elsewhere. */
  readonly images: Float32Array;
  readonly losses: Float64Array;
  readonly rightShares: Float64Array;
  /** Takes over the points of these rows that are better than what is kept; strictly, so that the first of equals stays. */
  offer(points: Float32Array, answer: Answer, rows: Rows): void;
}

export function createBestPoints(clean: Float32Array, imageSize: number, preference: Preference): BestPoints {
  const count = clean.length / imageSize;
  const images = clean.slice();
  const losses = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const rightShares = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const isBetter = (row: number, { losses: loss, rightShares: share }: Answer): boolean => {
    if (preference === "loss" || share[row] === rightShares[row]) return loss[row]! > losses[row]!;
    return share[row]! < rightShares[row]!;
  };
  return {
    images,
    losses,
    rightShares,
    offer: (points, answer, rows) => {
      for (const row of rows) {
        if (!isBetter(row, answer)) continue;
        losses[row] = answer.losses[row]!;
        rightShares[row] = answer.rightShares[row]!;
        images.set(points.subarray(row * imageSize, (row + 1) * imageSize), row * imageSize);
      }
    },
  };
}
