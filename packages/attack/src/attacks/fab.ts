import { crossEntropyLoss, differenceLoss } from "../losses/losses.js";
import { type Answer, allRows, createAnswer, type Rows } from "../model/oracle.js";
import { rightShares } from "../model/right-shares.js";
import { type Attack, type AttackTask, copyRow, pointsAt, reportStep, streamOf } from "./attack.js";
import { clamp } from "./ball.js";
import { projectToHyperplane } from "./fab-projection.js";
import { rankedTargets } from "./targets.js";

export interface FabOptions {
  /** 100 by default. */
  readonly steps?: number | undefined;
  /** Runs for each target; 1 by default for `fabT`, 5 for `fab`. All but the first start at random, within epsilon / 2. */
  readonly restarts?: number | undefined;
  /** Target classes of `fabT`; 9 by default, at most all others. */
  readonly targets?: number | undefined;
  /** False goes on after a point within epsilon, to the smallest change; true by default. */
  readonly stopWhenWrong?: boolean | undefined;
  /** Gives the nearest misclassified points, further than epsilon too; false by default: originals in their place. */
  readonly beyondEpsilon?: boolean | undefined;
}

const largestBackwardShare = 0.1;
const overshoot = 1.05;
const returnShare = 0.9;
/** A defence that draws counts as wrong where it is right less often than this. */
const fooledShare = 0.5;

/**
 * Targeted FAB in the maximum norm (Croce and Hein 2020): looks for the nearest misclassified point by steps to the
 * linearised boundary towards one class at a time; epsilon only says which of the points count.
 */
export function fabT(options: FabOptions = {}): Attack {
  const { steps = 100, restarts = 1, targets = 9 } = options;
  const name = "fab-t";
  return {
    name,
    run: async (task) => {
      const search = await beginSearch(task, options);
      const ranked = await rankedTargets(task, targets);
      for (const [rank, target] of ranked.entries()) {
        for (let restart = 0; restart < restarts; restart++) {
          const run = rank * restarts + restart;
          const boundary = targetedBoundary(target);
          const onStep = (step: number) => reportStep(task, name, run * steps + step, ranked.length * restarts * steps);
          await fabRun(search, { boundary, steps, start: startOf(search, rank, restart), onStep });
        }
      }
      return resultOf(search);
    },
  };
}

/** FAB to the nearest boundary of all classes: one backward pass for each other class and step. */
export function fab(options: Omit<FabOptions, "targets"> = {}): Attack {
  const { steps = 100, restarts = 5 } = options;
  const name = "fab";
  return {
    name,
    run: async (task) => {
      const search = await beginSearch(task, options);
      for (let restart = 0; restart < restarts; restart++) {
        const onStep = (step: number) => reportStep(task, name, restart * steps + step, restarts * steps);
        await fabRun(search, { boundary: nearestBoundary, steps, start: startOf(search, 0, restart), onStep });
      }
      return resultOf(search);
    },
  };
}

interface Search {
  readonly task: AttackTask;
  readonly options: FabOptions;
  /** Images that the defence gets right. */
  readonly attacked: Rows;
  readonly nearest: Float32Array;
  /** Largest change of a value of `nearest`; infinite where nothing is found. */
  readonly distances: Float64Array;
}

async function beginSearch(task: AttackTask, options: FabOptions): Promise<Search> {
  const { oracle, examples } = task;
  const count = examples.labels.length;
  const shares = await rightShares(oracle, examples.images, examples.labels);
  return {
    task,
    options,
    attacked: allRows(count).filter((row) => !isFooled(shares[row]!)),
    nearest: examples.images.slice(),
    distances: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
  };
}

function isFooled(rightShare: number): boolean {
  return rightShare < fooledShare;
}

/** Images that are worth going on with. */
function unfinished({ attacked, distances, options, task }: Search): Rows {
  if (options.stopWhenWrong === false) return attacked;
  return attacked.filter((row) => distances[row]! > task.epsilon);
}

function resultOf({ nearest, distances, options, task }: Search): Float32Array {
  if (options.beyondEpsilon) return nearest;
  const images = nearest.slice();
  for (let row = 0; row < distances.length; row++) {
    if (distances[row]! > task.epsilon) copyRow(task.examples.images, images, row, task.oracle.imageSize);
  }
  return images;
}

/** The originals at first, later points drawn from ±½·min(distance, epsilon) with the largest change at the end of it. */
function startOf({ task, distances }: Search, rank: number, restart: number): Float32Array {
  const start = task.examples.images.slice();
  if (restart === 0) return start;
  const { imageSize } = task.oracle;
  const draw = new Float64Array(imageSize);
  for (let row = 0; row < distances.length; row++) {
    const stream = streamOf(task, row).split(rank).split(restart);
    for (let index = 0; index < imageSize; index++) draw[index] = 2 * stream.uniform() - 1;
    const largest = draw.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const radius = (0.5 * Math.min(distances[row]!, task.epsilon)) / largest;
    for (let index = 0; index < imageSize; index++) {
      const place = row * imageSize + index;
      start[place] = clamp(start[place]! + radius * draw[index]!, 0, 1);
    }
  }
  return start;
}

/** Differences of logits and their gradients at some points: the nearest class boundary, linearised. */
type Boundary = (task: AttackTask, points: Float32Array, answer: Answer, rows: Rows) => Promise<void>;

function targetedBoundary(targets: Int32Array): Boundary {
  return (task, points, answer, rows) =>
    task.oracle.differentiate(pointsAt(task, points, targets), differenceLoss, answer, rows);
}

/** Of all other classes the one with the smallest |f| / ‖∇f‖₁. */
const nearestBoundary: Boundary = async (task, points, answer, rows) => {
  const { classCount, imageSize } = task.oracle;
  const { labels } = task.examples;
  const ofClass = createAnswer(labels.length, imageSize);
  const nearest = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY);
  for (let target = 0; target < classCount; target++) {
    const others = rows.filter((row) => labels[row] !== target);
    const targets = new Int32Array(labels.length).fill(target);
    await task.oracle.differentiate(pointsAt(task, points, targets), differenceLoss, ofClass, others);
    for (const row of others) {
      const distance = Math.abs(ofClass.losses[row]!) / (1e-12 + sumOfMagnitudes(ofClass.gradients, row, imageSize));
      if (distance >= nearest[row]!) continue;
      nearest[row] = distance;
      answer.losses[row] = ofClass.losses[row]!;
      copyRow(ofClass.gradients, answer.gradients, row, imageSize);
    }
  }
};

function sumOfMagnitudes(values: Float32Array, row: number, imageSize: number): number {
  let sum = 0;
  for (let index = row * imageSize; index < (row + 1) * imageSize; index++) sum += Math.abs(values[index]!);
  return sum;
}

interface FabRun {
  readonly boundary: Boundary;
  readonly steps: number;
  readonly start: Float32Array;
  readonly onStep: (step: number) => void;
}

async function fabRun(search: Search, { boundary, steps, start, onStep }: FabRun): Promise<void> {
  const { task } = search;
  const { oracle, examples } = task;
  const points = start.slice();
  const answer = createAnswer(examples.labels.length, oracle.imageSize);
  for (let step = 0; step < steps; step++) {
    onStep(step);
    const rows = unfinished(search);
    if (rows.length === 0) return;
    await boundary(task, points, answer, rows);
    for (const row of rows) stepToBoundary(task, points, answer, row);
    await oracle.evaluate(pointsAt(task, points), crossEntropyLoss, answer, rows);
    for (const row of rows) if (isFooled(answer.rightShares[row]!)) keepIfNearer(search, points, row);
  }
}

/** x ← clip((1 − α)(x + 1.05·d₁) + α(x₀ + 1.05·d₂)), d₁ and d₂ being the steps to the boundary from x and from the original x₀. */
function stepToBoundary({ examples, oracle }: AttackTask, points: Float32Array, answer: Answer, row: number): void {
  const { imageSize } = oracle;
  const rowOf = (values: Float32Array): Float32Array => values.subarray(row * imageSize, (row + 1) * imageSize);
  const [x, original, normal] = [rowOf(points), rowOf(examples.images), rowOf(answer.gradients)];
  let offset = -answer.losses[row]!;
  for (let index = 0; index < imageSize; index++) offset += normal[index]! * x[index]!;
  const [fromPoint, fromOriginal] = [new Float64Array(imageSize), new Float64Array(imageSize)];
  projectToHyperplane(x, normal, offset, fromPoint);
  projectToHyperplane(original, normal, offset, fromOriginal);
  const [near, far] = [Math.max(largestMagnitude(fromPoint), 1e-8), Math.max(largestMagnitude(fromOriginal), 1e-8)];
  const share = Math.min(near / (near + far), largestBackwardShare);
  for (let index = 0; index < imageSize; index++) {
    const ahead = (1 - share) * (x[index]! + overshoot * fromPoint[index]!);
    x[index] = clamp(ahead + share * (original[index]! + overshoot * fromOriginal[index]!), 0, 1);
  }
}

function largestMagnitude(values: Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** Keeps a misclassified point that is nearer than what was found before, and goes back towards the original. */
function keepIfNearer({ task, nearest, distances }: Search, points: Float32Array, row: number): void {
  const { imageSize } = task.oracle;
  const { images } = task.examples;
  let distance = 0;
  for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
    distance = Math.max(distance, Math.abs(points[index]! - images[index]!));
  }
  if (distance < distances[row]!) {
    distances[row] = distance;
    copyRow(points, nearest, row, imageSize);
  }
  for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
    points[index] = images[index]! + returnShare * (points[index]! - images[index]!);
  }
}
