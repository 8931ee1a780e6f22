// One run of Auto-PGD from given starts.

import type { AttackLoss } from "../losses/loss.js";
import { type Answer, createAnswer, type Rows } from "../model/oracle.js";
import { type AttackTask, copyRow, pointsAt } from "./attack.js";
import { clamp } from "./ball.js";

export interface ApgdRunOptions {
  readonly loss: AttackLoss;
  /** Number N of steps. */
  readonly steps: number;
  /** Share of an interval's steps that must raise the loss, or else the step size is halved; 0.75 by default. */
  readonly rho?: number | undefined;
  /** Where to begin, inside the ball. */
  readonly start: Float32Array;
  readonly targets?: Int32Array | undefined;
  /** The images to attack; the others are left alone. */
  readonly rows: Rows;
  /** Leaves an image alone as soon as the defence is never right on it: no figure can change any more. */
  readonly stopWhenWrong: boolean;
  /** Probability that the defence is right on each original. */
  readonly cleanShares: Float64Array;
  readonly onStep?: ((step: number) => void) | undefined;
  /**
   * Compares the loss after the first step with 0 instead of the loss at the start, as AutoAttack's code does at the
   * first checkpoint: for tests against it.
   */
  readonly firstLossIsZero?: boolean | undefined;
}

export interface ApgdRunResult {
  /** Points with the largest loss. */
  readonly best: Float32Array;
  readonly bestLosses: Float64Array;
  /** The latest of the points where the defence is right least often; the original where it is nowhere less than there. */
  readonly adversarial: Float32Array;
  readonly rightShares: Float64Array;
}

/** The steps, counted from 1, after which step sizes are looked at: 22, 41, 57, … of 100. */
export function apgdCheckpoints(steps: number): readonly number[] {
  const least = Math.max(Math.floor(0.06 * steps), 1);
  const decrease = Math.max(Math.floor(0.03 * steps), 1);
  let interval = Math.max(Math.floor(0.22 * steps), 1);
  const checkpoints: number[] = [];
  for (let step = interval; step <= steps; step += interval) {
    checkpoints.push(step);
    interval = Math.max(interval - decrease, least);
  }
  return checkpoints;
}

/**
 * Auto-PGD in the maximum norm (Croce and Hein 2020): sign steps with momentum, of a size 2·epsilon that is halved, for
 * each image by itself, where an interval between checkpoints brought too little; then it goes on from the best point.
 */
export async function apgdRun(task: AttackTask, options: ApgdRunOptions): Promise<ApgdRunResult> {
  const { steps, loss, rho = 0.75, targets, stopWhenWrong } = options;
  const state = createState(task, options);
  const checkpoints = apgdCheckpoints(steps);
  let rows = options.rows;
  let lastCheckpoint = 0;
  const ask = async (): Promise<void> => {
    await task.oracle.differentiate(pointsAt(task, state.points, targets), loss, state.answer, rows);
    rememberAdversarial(state, rows);
    if (stopWhenWrong) rows = rows.filter((row) => state.rightShares[row]! > 0);
  };

  await ask();
  beginAtStart(state, rows, options.firstLossIsZero ?? false);
  for (let step = 1; step <= steps && rows.length > 0; step++) {
    options.onStep?.(step - 1);
    moveByMomentum(state, task, rows, step === 1 ? 1 : 0.75);
    await ask();
    rememberLosses(state, rows);
    if (checkpoints.includes(step)) {
      reviewStepSizes(state, rows, rho * (step - lastCheckpoint));
      lastCheckpoint = step;
    }
  }
  return {
    best: state.best,
    bestLosses: state.bestLosses,
    adversarial: state.adversarial,
    rightShares: state.rightShares,
  };
}

interface State {
  readonly imageSize: number;
  readonly points: Float32Array;
  readonly previous: Float32Array;
  readonly answer: Answer;
  readonly stepSizes: Float64Array;
  readonly best: Float32Array;
  readonly bestGradients: Float32Array;
  readonly bestLosses: Float64Array;
  readonly bestLossesAtCheckpoint: Float64Array;
  readonly previousLosses: Float64Array;
  /** Steps that raised the loss since the last checkpoint. */
  readonly rises: Int32Array;
  readonly wasHalved: Uint8Array;
  readonly adversarial: Float32Array;
  readonly rightShares: Float64Array;
  readonly cleanShares: Float64Array;
}

function createState({ oracle, examples, epsilon }: AttackTask, { start, cleanShares }: ApgdRunOptions): State {
  const count = examples.labels.length;
  return {
    imageSize: oracle.imageSize,
    points: start.slice(),
    previous: start.slice(),
    answer: createAnswer(count, oracle.imageSize),
    stepSizes: new Float64Array(count).fill(2 * epsilon),
    best: start.slice(),
    bestGradients: new Float32Array(start.length),
    bestLosses: new Float64Array(count).fill(Number.NEGATIVE_INFINITY),
    bestLossesAtCheckpoint: new Float64Array(count),
    previousLosses: new Float64Array(count),
    rises: new Int32Array(count),
    wasHalved: new Uint8Array(count).fill(1),
    adversarial: examples.images.slice(),
    rightShares: cleanShares.slice(),
    cleanShares,
  };
}

function beginAtStart(state: State, rows: Rows, firstLossIsZero: boolean): void {
  const { answer, imageSize } = state;
  for (const row of rows) {
    const loss = answer.losses[row]!;
    state.bestLosses[row] = loss;
    state.bestLossesAtCheckpoint[row] = loss;
    state.previousLosses[row] = firstLossIsZero ? 0 : loss;
    copyRow(answer.gradients, state.bestGradients, row, imageSize);
  }
}

/** x ← Π(x + a(v − x) + (1 − a)(x − previous)), where v = Π(x + η · sign of the gradient). */
function moveByMomentum(state: State, { examples, epsilon }: AttackTask, rows: Rows, share: number): void {
  const { points, previous, answer, stepSizes, imageSize } = state;
  for (const row of rows) {
    const stepSize = stepSizes[row]!;
    for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
      const original = examples.images[index]!;
      const [low, high] = [Math.max(original - epsilon, 0), Math.min(original + epsilon, 1)];
      const [x, gradient] = [points[index]!, answer.gradients[index]!];
      const stepped = clamp(x + (gradient > 0 ? stepSize : gradient < 0 ? -stepSize : 0), low, high);
      const moved = x + share * (stepped - x) + (1 - share) * (x - previous[index]!);
      previous[index] = x;
      points[index] = clamp(moved, low, high);
    }
  }
}

function rememberAdversarial(state: State, rows: Rows): void {
  for (const row of rows) {
    const share = state.answer.rightShares[row]!;
    if (share > state.rightShares[row]! || share >= state.cleanShares[row]!) continue;
    state.rightShares[row] = share;
    copyRow(state.points, state.adversarial, row, state.imageSize);
  }
}

function rememberLosses(state: State, rows: Rows): void {
  const { answer, imageSize } = state;
  for (const row of rows) {
    const loss = answer.losses[row]!;
    if (loss > state.previousLosses[row]!) state.rises[row]! += 1;
    state.previousLosses[row] = loss;
    if (!(loss > state.bestLosses[row]!)) continue;
    state.bestLosses[row] = loss;
    copyRow(state.points, state.best, row, imageSize);
    copyRow(answer.gradients, state.bestGradients, row, imageSize);
  }
}

/** Halves the step size where too few steps raised the loss, or where it was kept before and nothing better came since. */
function reviewStepSizes(state: State, rows: Rows, leastRises: number): void {
  for (const row of rows) {
    const hasStalled = state.wasHalved[row] === 0 && state.bestLossesAtCheckpoint[row]! >= state.bestLosses[row]!;
    const isHalved = state.rises[row]! <= leastRises || hasStalled;
    state.wasHalved[row] = isHalved ? 1 : 0;
    state.bestLossesAtCheckpoint[row] = state.bestLosses[row]!;
    state.rises[row] = 0;
    if (!isHalved) continue;
    state.stepSizes[row]! /= 2;
    // The point before the last step stays: the next momentum term spans the jump.
    copyRow(state.best, state.points, row, state.imageSize);
    copyRow(state.bestGradients, state.answer.gradients, row, state.imageSize);
  }
}
