// The attacker knows the defence: all but its draw. Every attack works on the exact expectation over the draw, and each
// image counts by the worst point that any of them found.

import { type Interval, wilsonInterval95 } from "@dovetail/train";
import type { Attack } from "../attacks/attack.js";
import { createBestPoints } from "../attacks/best-points.js";
import { crossEntropyLoss } from "../losses/losses.js";
import { allRows, createAnswer, type Passes } from "../model/oracle.js";
import { type Decisions, decide } from "./judge.js";
import type { ProtocolOptions } from "./transfer.js";

/** What one attack does to a defence. */
export interface AttackFigure {
  readonly attack: string;
  /** Mean over the images of the probability that the defence is right. */
  readonly accuracyFraction: number;
  readonly interval95: Interval;
  /** Probability that the defence is right, by image. */
  readonly rightShares: Float64Array;
  /** Largest change of a value of any image, in [0, 1]. */
  readonly largestChange: number;
  readonly passes: Passes;
}

export interface AdaptiveEvaluation {
  readonly clean: AttackFigure;
  readonly attacks: readonly AttackFigure[];
  /** Each image at the worst point that any attack within epsilon found. */
  readonly worst: AttackFigure;
  readonly worstImages: Float32Array;
  /** How the ways to decide do on those points. They were made against one draw: the other ways may have worse ones. */
  readonly decisions: Decisions;
}

export interface AdaptiveOptions extends ProtocolOptions {
  readonly attacks: readonly Attack[];
}

/** Runs the attacks, each on all images, and judges every image under every attack by the exact mean over the draw. */
export async function adaptiveEvaluation(options: AdaptiveOptions): Promise<AdaptiveEvaluation> {
  const { defence, examples, epsilon, random, watch } = options;
  const { oracle, imageSize } = defence;
  const { images, labels } = examples;
  const rows = allRows(labels.length);
  const best = createBestPoints(images, imageSize, "accuracy");
  const judge = async (points: Float32Array): Promise<ReturnType<typeof createAnswer>> => {
    const answer = createAnswer(labels.length, 0);
    await oracle.evaluate({ images: points, labels }, crossEntropyLoss, answer);
    return answer;
  };
  const figure = (attack: string, points: Float32Array, shares: Float64Array, passes: Passes): AttackFigure => ({
    attack,
    ...accuracyOf(shares),
    rightShares: shares,
    largestChange: largestChange(images, points),
    passes,
  });

  const clean = await judge(images);
  best.offer(images, clean, rows);
  const attacks: AttackFigure[] = [];
  for (const attack of options.attacks) {
    const before = oracle.passes();
    const points = await attack.run({ oracle, examples, epsilon, random: random.split(attack.name), watch });
    const passes = passesSince(before, oracle.passes());
    const answer = await judge(points);
    const of = figure(attack.name, points, answer.rightShares, passes);
    attacks.push(of);
    const within = rows.filter((row) => changeOf(images, points, row, imageSize) <= epsilon + 1e-6);
    best.offer(points, answer, within);
  }
  const none: Passes = { forward: 0, forwardAndBackward: 0 };
  return {
    clean: figure("none", images, clean.rightShares, none),
    attacks,
    worst: figure("worst of all", best.images, best.rightShares, none),
    worstImages: best.images,
    decisions: await decide(defence, best.images, labels),
  };
}

/** Mean right share with its 95 % interval (Wilson's, on the sum of the shares). */
export function accuracyOf(shares: ArrayLike<number>): Pick<AttackFigure, "accuracyFraction" | "interval95"> {
  let sum = 0;
  for (let row = 0; row < shares.length; row++) sum += shares[row]!;
  return { accuracyFraction: sum / shares.length, interval95: wilsonInterval95(sum, shares.length) };
}

function passesSince(before: Passes, after: Passes): Passes {
  return {
    forward: after.forward - before.forward,
    forwardAndBackward: after.forwardAndBackward - before.forwardAndBackward,
  };
}

function largestChange(from: Float32Array, to: Float32Array): number {
  return changeOf(from, to, 0, from.length);
}

/** Largest change of a value of one image. */
function changeOf(from: Float32Array, to: Float32Array, row: number, imageSize: number): number {
  let largest = 0;
  for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
    largest = Math.max(largest, Math.abs(to[index]! - from[index]!));
  }
  return largest;
}
