// Exact expectation over transformations (Athalye et al. 2018): the defender's draw has finitely many outcomes, so
// losses, gradients and decisions are weighted sums, without sampling.

import { type Tensor, tensorFromData } from "@dovetail/graph";
import { argMaxOfRows } from "@dovetail/train";
import type { AttackLoss } from "../losses/loss.js";
import { crossEntropyLoss } from "../losses/losses.js";
import { cutIntoBatches, gatherBatch, isContiguous } from "./batches.js";
import type { LossRunner } from "./loss-runner.js";
import { type Answer, allRows, type Oracle, type Points, type Rows } from "./oracle.js";
import type { Variant } from "./variant.js";

/** What is differentiated: Σ p·loss, or −log Σ p·exp(−loss), for cross-entropy that of the mean softmax. */
export type Expectation = "meanLoss" | "meanProbability";

/** A variant, and the network that it is one of. */
export interface Member {
  readonly runner: LossRunner;
  readonly variant: Variant;
}

/** The expectation over variants whose probabilities add up to 1, of networks for the same images and classes. */
export function createExpectation(members: readonly Member[], expectation: Expectation = "meanLoss"): Oracle {
  // Memory, turns and counts are the first network's.
  const { runner } = members[0]!;
  const { network, imageShape, imageSize } = runner;
  const add = expectation === "meanLoss" ? addToMean : addToMeanProbability;

  const ask = (points: Points, loss: AttackLoss, answer: Answer, rows: Rows, withGradient: boolean): Promise<void> =>
    runner.inTurn(async () => {
      for (const part of cutIntoBatches(rows.length, runner.batchSize)) {
        const inPlace = withGradient && members.length === 1 && isContiguous(rows, part);
        const batch = gatherBatch(points, rows, part, imageShape, runner.memory.images);
        for (const [index, member] of members.entries()) {
          const target = inPlace
            ? answer.gradients.subarray(rows[part.start]! * imageSize, (rows[part.start]! + part.count) * imageSize)
            : runner.memory.gradients.subarray(0, part.size * imageSize);
          const result = await runBatch(member, loss, batch, withGradient ? target : undefined);
          const gradients = withGradient && !inPlace ? target : undefined;
          add(answer, {
            ...result,
            gradients,
            rows: rows.subarray(part.start, part.start + part.count),
            labels: points.labels,
            probability: member.variant.probability,
            isFirst: index === 0,
            imageSize,
            classCount: network.classCount,
          });
        }
        const images = part.count * members.length;
        runner.count(withGradient ? { forwardAndBackward: images } : { forward: images });
      }
      if (expectation === "meanProbability") for (const row of rows) answer.losses[row] = -answer.losses[row]!;
    });

  const rowsOf = (points: Points): Rows => allRows(points.labels.length);
  return {
    classCount: network.classCount,
    imageShape,
    imageSize,
    evaluate: (points, loss, answer, rows = rowsOf(points)) => ask(points, loss, answer, rows, false),
    differentiate: (points, loss, answer, rows = rowsOf(points)) => ask(points, loss, answer, rows, true),
    logits: (images) => meanLogits(members, images),
    passes: runner.passes,
  };
}

interface BatchResult {
  readonly losses: Float32Array;
  readonly logits: Float32Array;
}

async function runBatch(
  { runner, variant }: Member,
  loss: AttackLoss,
  batch: ReturnType<typeof gatherBatch>,
  gradients: Float32Array | undefined,
): Promise<BatchResult> {
  const size = batch.image.dimensions[0]!;
  const { form, segment } = await runner.compiled(loss, size, gradients !== undefined);
  const feeds: Record<string, Tensor> = {
    ...runner.scalarsOf(variant),
    [form.image]: batch.image,
    [form.label]: batch.label,
  };
  if (form.target !== undefined && batch.target) feeds[form.target] = batch.target;
  const into: Record<string, Tensor> =
    gradients && form.gradient !== undefined
      ? { [form.gradient]: tensorFromData("float32", batch.image.dimensions, gradients) }
      : {};
  const outputs = await segment.run(feeds, into);
  return {
    losses: outputs[form.losses]!.data as Float32Array,
    logits: outputs[form.logits]!.data as Float32Array,
  };
}

/** What one variant said about a batch. */
interface Contribution extends BatchResult {
  /** Absent where they are in their place already, or were not asked for. */
  readonly gradients: Float32Array | undefined;
  readonly rows: Rows;
  readonly labels: Int32Array;
  readonly probability: number;
  readonly isFirst: boolean;
  readonly imageSize: number;
  readonly classCount: number;
}

function addToMean(answer: Answer, contribution: Contribution): void {
  const { rows, losses, gradients, probability, isFirst, imageSize } = contribution;
  addRightShares(answer, contribution);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    answer.losses[row] = (isFirst ? 0 : answer.losses[row]!) + probability * losses[index]!;
    if (gradients) {
      addScaled(
        answer.gradients,
        row * imageSize,
        gradients,
        index * imageSize,
        imageSize,
        isFirst ? 0 : 1,
        probability,
      );
    }
  }
}

/**
 * Keeps log Σ p·exp(−loss) in `losses` and Σ p·exp(−loss)·gradient / Σ p·exp(−loss) in `gradients`, brought to the new
 * sum with each variant, so that no exponential overflows.
 */
function addToMeanProbability(answer: Answer, contribution: Contribution): void {
  const { rows, losses, gradients, probability, isFirst, imageSize } = contribution;
  addRightShares(answer, contribution);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    const before = isFirst ? Number.NEGATIVE_INFINITY : answer.losses[row]!;
    const added = Math.log(probability) - losses[index]!;
    const largest = Math.max(before, added);
    const sum = largest + Math.log(Math.exp(before - largest) + Math.exp(added - largest));
    answer.losses[row] = sum;
    if (gradients) {
      const [kept, share] = [isFirst ? 0 : Math.exp(before - sum), Math.exp(added - sum)];
      addScaled(answer.gradients, row * imageSize, gradients, index * imageSize, imageSize, kept, share);
    }
  }
}

function addRightShares(answer: Answer, contribution: Contribution): void {
  const { rows, logits, labels, classCount, probability, isFirst } = contribution;
  const predictions = argMaxOfRows(logits, classCount);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    const share = predictions[index] === labels[row] ? probability : 0;
    answer.rightShares[row] = (isFirst ? 0 : answer.rightShares[row]!) + share;
  }
}

/** target = kept · target + factor · source, over `count` values. */
function addScaled(
  target: Float32Array,
  targetStart: number,
  source: Float32Array,
  sourceStart: number,
  count: number,
  kept: number,
  factor: number,
): void {
  if (kept === 0) {
    for (let index = 0; index < count; index++) target[targetStart + index] = factor * source[sourceStart + index]!;
    return;
  }
  for (let index = 0; index < count; index++) {
    target[targetStart + index] = kept * target[targetStart + index]! + factor * source[sourceStart + index]!;
  }
}

/** Σ p·logits, N × classCount. */
async function meanLogits(members: readonly Member[], images: Float32Array): Promise<Float32Array> {
  const { runner } = members[0]!;
  const { network, imageShape, imageSize, batchSize } = runner;
  const { classCount } = network;
  const count = images.length / imageSize;
  const points: Points = { images, labels: new Int32Array(count) };
  const rows = allRows(count);
  const mean = new Float32Array(count * classCount);
  await runner.inTurn(async () => {
    for (const part of cutIntoBatches(count, batchSize)) {
      const batch = gatherBatch(points, rows, part, imageShape, runner.memory.images);
      for (const [index, member] of members.entries()) {
        const { logits } = await runBatch(member, crossEntropyLoss, batch, undefined);
        const start = part.start * classCount;
        addScaled(mean, start, logits, 0, part.count * classCount, index === 0 ? 0 : 1, member.variant.probability);
      }
      runner.count({ forward: part.count * members.length });
    }
  });
  return mean;
}
