import type { AttackLoss } from "../losses/loss.js";

/** Indices of images, rising. */
export type Rows = Int32Array;

/** Images to look at. They belong to the caller and are only read. */
export interface Points {
  /** N × channels × height × width values in [0, 1]. */
  readonly images: Float32Array;
  /** N class numbers. */
  readonly labels: Int32Array;
  /** N class numbers; only for losses that have a target. */
  readonly targets?: Int32Array | undefined;
}

/** What an oracle says about N images. It writes the rows that it was asked for and leaves the others. */
export interface Answer {
  /** N expected losses. */
  readonly losses: Float64Array;
  /** N probabilities that the defence gives the label: 0 or 1 where it draws nothing. */
  readonly rightShares: Float64Array;
  /** Gradient of each image's expected loss with respect to the image, as long as the images. */
  readonly gradients: Float32Array;
}

/** Work done so far, in images × variants. */
export interface Passes {
  readonly forward: number;
  readonly forwardAndBackward: number;
}

/**
 * What an attack may ask a defence. Everything that depends on the defence's draw comes as the exact mean over its
 * variants, so that no answer is random: the same question, the same bits.
 */
export interface Oracle {
  readonly classCount: number;
  /** Values of an image. */
  readonly imageSize: number;
  /** [channels, height, width]. */
  readonly imageShape: readonly [number, number, number];
  /** Losses and right shares of these rows (all by default): one forward pass of each variant. */
  evaluate(points: Points, loss: AttackLoss, answer: Answer, rows?: Rows): Promise<void>;
  /** Losses, right shares and gradients: one forward and backward pass of each variant. */
  differentiate(points: Points, loss: AttackLoss, answer: Answer, rows?: Rows): Promise<void>;
  /** Mean logits of all images, N × classCount. */
  logits(images: Float32Array): Promise<Float32Array>;
  passes(): Passes;
}

/** Room for an oracle's answers about `count` images. */
export function createAnswer(count: number, imageSize: number): Answer {
  return {
    losses: new Float64Array(count),
    rightShares: new Float64Array(count),
    gradients: new Float32Array(count * imageSize),
  };
}

/** The rows for which a condition holds. */
export function rowsWhere(count: number, holds: (row: number) => boolean): Rows {
  const rows = new Int32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) if (holds(row)) rows[found++] = row;
  return rows.subarray(0, found);
}

/** 0, 1, … count − 1. */
export function allRows(count: number): Rows {
  return rowsWhere(count, () => true);
}
