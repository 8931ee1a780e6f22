// What a set of points does to a defence, over all outcomes of its draw.

import { argMaxOfRows, correctness } from "@dovetail/train";
import type { Examples } from "../attacks/attack.js";
import type { Defence } from "../model/defence.js";
import type { Variant } from "../model/variant.js";

/** Ways to decide by several variants; each is the share of images that come out right. */
export interface Decisions {
  /** One variant is drawn: the exact mean over the draw. */
  readonly drawn: number;
  /** All variants are right: what an attacker gets who may repeat the question, or who knows the draw. */
  readonly worstCase: number;
  /** The class that most probability votes for; of equals the one with the larger mean softmax. */
  readonly majorityVote: number;
  /** The class with the largest mean softmax. */
  readonly ensembleMean: number;
  /** Each variant by itself. */
  readonly byVariant: readonly number[];
}

/** 1 where a variant is right, by variant and image. */
export async function rightByVariant(
  defence: Defence,
  images: Float32Array,
  labels: Int32Array,
): Promise<readonly Uint8Array[]> {
  const right: Uint8Array[] = [];
  for (const { name } of defence.variants) {
    const logits = await defence.over([name]).logits(images);
    right.push(correctness(argMaxOfRows(logits, defence.classCount), labels));
  }
  return right;
}

/** All decisions on the same points. */
export async function decide(defence: Defence, images: Float32Array, labels: Examples["labels"]): Promise<Decisions> {
  const logits: Float32Array[] = [];
  for (const { name } of defence.variants) logits.push(await defence.over([name]).logits(images));
  return decisionsOf(defence.variants, logits, labels, defence.classCount);
}

/** As `decide`, from each variant's logits, N × classCount. */
export function decisionsOf(
  variants: readonly Variant[],
  logits: readonly Float32Array[],
  labels: Int32Array,
  classCount: number,
): Decisions {
  const count = labels.length;
  const predictions = logits.map((of) => argMaxOfRows(of, classCount));
  const right = predictions.map((of) => correctness(of, labels));
  const shares = right.map((of) => of.reduce((sum, value) => sum + value, 0) / count);
  const voted = new Float64Array(count * classCount);
  const mean = new Float64Array(count * classCount);
  for (const [index, { probability }] of variants.entries()) {
    for (let row = 0; row < count; row++) {
      voted[row * classCount + predictions[index]![row]!]! += probability;
      addSoftmax(mean, logits[index]!, row * classCount, classCount, probability);
    }
  }
  // Votes differ by whole probabilities, or by rounding errors of their sums; the mean decides between equals.
  const preferred = voted.map((vote, index) => Math.round(vote * 1e9) + mean[index]!);
  const accuracy = (scores: Float64Array): number =>
    correctness(argMaxOfRows(scores, classCount), labels).reduce((sum, value) => sum + value, 0) / count;
  let allRight = 0;
  for (let row = 0; row < count; row++) if (right.every((of) => of[row] === 1)) allRight += 1;
  return {
    drawn: shares.reduce((sum, share, index) => sum + share * variants[index]!.probability, 0),
    worstCase: allRight / count,
    majorityVote: accuracy(preferred),
    ensembleMean: accuracy(mean),
    byVariant: shares,
  };
}

function addSoftmax(sums: Float64Array, logits: Float32Array, start: number, count: number, weight: number): void {
  const row = logits.subarray(start, start + count);
  const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  for (let index = 0; index < count; index++) {
    sums[start + index]! += (weight * Math.exp(row[index]! - largest)) / total;
  }
}
