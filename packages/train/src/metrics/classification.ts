import { internalError } from "@dovetail/core";

/** Share of right predictions, in [0, 1]. */
export function accuracyFraction(correct: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < correct.length; index++) sum += correct[index]!;
  return sum / correct.length;
}

/** 1 where the prediction is the label, else 0. */
export function correctness(predictions: ArrayLike<number>, labels: ArrayLike<number>): Uint8Array {
  requireEqualLength(predictions, labels);
  return Uint8Array.from({ length: labels.length }, (_, index) => (predictions[index] === labels[index] ? 1 : 0));
}

/** Counts by [label][prediction]. */
export function confusionMatrix(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  classCount: number,
): readonly (readonly number[])[] {
  requireEqualLength(predictions, labels);
  const counts = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0));
  for (let index = 0; index < labels.length; index++) counts[labels[index]!]![predictions[index]!]!++;
  return counts;
}

/** Share of right predictions among the images of each class; NaN for a class without images. */
export function perClassAccuracy(confusion: readonly (readonly number[])[]): readonly number[] {
  return confusion.map((row, label) => row[label]! / row.reduce((sum, count) => sum + count, 0));
}

function requireEqualLength(predictions: ArrayLike<number>, labels: ArrayLike<number>): void {
  if (predictions.length === labels.length) return;
  throw internalError("length_mismatch", "predictions and labels", {
    expected: `${labels.length} predictions`,
    received: `${predictions.length}`,
  });
}

/** Index of the largest of each row's values; the first where several are equal. `scores` is [rows, columns]. */
export function argMaxOfRows(scores: ArrayLike<number>, columns: number): Int32Array {
  const rows = scores.length / columns;
  const result = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let column = 1; column < columns; column++) {
      if (scores[row * columns + column]! > scores[row * columns + best]!) best = column;
    }
    result[row] = best;
  }
  return result;
}
