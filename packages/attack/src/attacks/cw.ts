import { marginLoss } from "../losses/losses.js";
import { allRows, createAnswer, type Rows } from "../model/oracle.js";
import { type Attack, type AttackTask, copyRow, pointsAt, reportStep } from "./attack.js";
import { type PgdOptions, pgd } from "./pgd.js";

/** PGD on the margin of Carlini and Wagner (2017), inside the ball of epsilon as all attacks here but `cwTau`. */
export function cwLinf(options: Omit<PgdOptions, "loss" | "name"> = {}): Attack {
  return pgd({ steps: 100, keep: "best", ...options, loss: marginLoss, name: "cw-linf" });
}

export interface CwTauOptions {
  /** Change of a value, in [0, 1], from which on it is penalized; 0.05 by default. */
  readonly tau?: number | undefined;
  /** Weight c of the margin; 0.1 by default. */
  readonly marginWeight?: number | undefined;
  /** 100 by default. */
  readonly steps?: number | undefined;
  /** Of Adam; 0.01 by default. */
  readonly learningRate?: number | undefined;
}

/**
 * The CW-∞ attack of Double-Win Quant's published figures: Adam on δ in tanh space lowers
 * c·max(z_y − max z_i, 0) + Σ max(|x(δ) − x| − τ, 0), and τ shrinks by 0.9 whenever the penalty is 0. It is not bounded
 * by epsilon, and τ is no bound either. Gives the misclassified point of the smallest penalty, the original where there
 * is none. Here τ shrinks for each image by itself; there, for the whole batch when all its images are inside.
 */
export function cwTau(options: CwTauOptions = {}): Attack {
  const { steps = 100 } = options;
  const name = "cw-tau";
  return {
    name,
    run: async (task) => {
      const rows = allRows(task.examples.labels.length);
      const state = createState(task, options);
      for (let step = 1; step <= steps; step++) {
        reportStep(task, name, step - 1, steps);
        await task.oracle.differentiate(pointsAt(task, state.points), marginLoss, state.answer, rows);
        keepSuccesses(state, rows);
        descend(state, options, step, rows);
      }
      return state.found;
    },
  };
}

type State = ReturnType<typeof createState>;

function createState({ oracle, examples }: AttackTask, { tau = 0.05 }: CwTauOptions) {
  const size = examples.images.length;
  const count = examples.labels.length;
  // tanh space: x = ½ + ½·tanh(w); just inside ±1, where the inverse is finite.
  const origin = Float32Array.from(examples.images, (value) => Math.atanh((2 * value - 1) * 0.999999));
  const centre = origin.map(fromTanhSpace);
  return {
    imageSize: oracle.imageSize,
    origin,
    centre,
    change: new Float32Array(size),
    points: centre.slice(),
    mean: new Float32Array(size),
    meanSquare: new Float32Array(size),
    tau: new Float64Array(count).fill(tau),
    penalties: new Float64Array(count),
    bestPenalties: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    found: examples.images.slice(),
    answer: createAnswer(count, oracle.imageSize),
  };
}

function fromTanhSpace(value: number): number {
  return 0.5 + 0.5 * Math.tanh(value);
}

/** The penalties of the points, and those points that are misclassified at a smaller one than before. */
function keepSuccesses(state: State, rows: Rows): void {
  const { imageSize, points, centre, tau, penalties, bestPenalties, answer, found } = state;
  for (const row of rows) {
    let penalty = 0;
    for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
      penalty += Math.max(Math.abs(points[index]! - centre[index]!) - tau[row]!, 0);
    }
    penalties[row] = penalty;
    // For a defence that draws: wrong more often than right.
    if (answer.rightShares[row]! >= 0.5 || penalty >= bestPenalties[row]!) continue;
    bestPenalties[row] = penalty;
    copyRow(points, found, row, imageSize);
  }
}

/** One step of Adam on the change in tanh space. */
function descend(state: State, options: CwTauOptions, step: number, rows: Rows): void {
  const { imageSize, origin, centre, change, points, mean, meanSquare, tau, penalties, answer } = state;
  const { marginWeight = 0.1, learningRate = 0.01 } = options;
  const [decay, squareDecay] = [0.9, 0.999];
  const [bias, squareBias] = [1 - decay ** step, 1 - squareDecay ** step];
  for (const row of rows) {
    const isRight = answer.losses[row]! < 0;
    for (let index = row * imageSize; index < (row + 1) * imageSize; index++) {
      const difference = points[index]! - centre[index]!;
      const penaltySlope = Math.abs(difference) > tau[row]! ? Math.sign(difference) : 0;
      const marginSlope = isRight ? -marginWeight * answer.gradients[index]! : 0;
      const inTanhSpace = 2 * points[index]! - 1;
      const gradient = (marginSlope + penaltySlope) * 0.5 * (1 - inTanhSpace ** 2);
      mean[index] = decay * mean[index]! + (1 - decay) * gradient;
      meanSquare[index] = squareDecay * meanSquare[index]! + (1 - squareDecay) * gradient ** 2;
      const deviation = Math.sqrt(meanSquare[index]! / squareBias) + 1e-8;
      change[index]! -= (learningRate * (mean[index]! / bias)) / deviation;
      points[index] = fromTanhSpace(origin[index]! + change[index]!);
    }
    if (penalties[row] === 0) tau[row]! *= 0.9;
  }
}
