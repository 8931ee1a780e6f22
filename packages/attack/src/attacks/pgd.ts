import type { AttackLoss } from "../losses/loss.js";
import { crossEntropyLoss } from "../losses/losses.js";
import { type Answer, allRows, createAnswer, type Rows } from "../model/oracle.js";
import { type Attack, type AttackTask, pointsAt, reportStep, streamOf } from "./attack.js";
import { type Ball, uniformStart } from "./ball.js";
import { type BestPoints, createBestPoints } from "./best-points.js";
import { pgdSteps } from "./pgd-steps.js";

export interface PgdOptions {
  readonly name?: string | undefined;
  /** 20 by default. */
  readonly steps?: number | undefined;
  /** Step in [0, 1], from epsilon; a quarter of it by default: 2/255 at 8/255, as published. */
  readonly stepSize?: ((epsilon: number) => number) | undefined;
  /** Runs from different starts; 1 by default. */
  readonly restarts?: number | undefined;
  /** From a point drawn uniformly in the ball, as by default, or from the original. */
  readonly randomStart?: boolean | undefined;
  /** Decay of the accumulated gradient; 0 by default. */
  readonly momentum?: number | undefined;
  /** Cross-entropy by default. */
  readonly loss?: AttackLoss | undefined;
  /**
   * Images that the attacked variants all get wrong move no further, as in Double-Win Quant's published evaluation.
   * False by default: frozen points lie just over the boundary and transfer badly.
   */
  readonly freezeMisclassified?: boolean | undefined;
  /**
   * `last` (default): the points after the last step; of several restarts the one with the larger expected loss.
   * `best`: of all points visited the one where the defence is right least often, among equals the one with the larger
   * expected loss; at least as strong, for one more forward pass.
   */
  readonly keep?: "last" | "best" | undefined;
}

/** PGD (Madry et al. 2018) in the maximum norm; over several variants it ascends the exact expectation (EOT). */
export function pgd(options: PgdOptions = {}): Attack {
  const { name = "pgd", steps = 20, restarts = 1, randomStart = true, keep = "last" } = options;
  return {
    name,
    run: async (task) => {
      const { oracle, examples } = task;
      const rows = allRows(examples.labels.length);
      const best = createBestPoints(examples.images, oracle.imageSize, keep === "last" ? "loss" : "accuracy");
      const answer = createAnswer(rows.length, oracle.imageSize);
      const ball: Ball = { clean: examples.images, imageSize: oracle.imageSize, epsilon: task.epsilon };
      for (let restart = 0; restart < restarts; restart++) {
        const start = randomStart
          ? uniformStart(ball, (row) => streamOf(task, row).split(restart))
          : examples.images.slice();
        const points = await ascend(task, options, {
          ball,
          start,
          answer,
          visited: keep === "best" ? best : undefined,
          onStep: (step) => reportStep(task, name, restart * steps + step, restarts * steps),
        });
        if (keep === "last" && restarts === 1) return points;
        await oracle.evaluate(pointsAt(task, points), options.loss ?? crossEntropyLoss, answer, rows);
        best.offer(points, answer, rows);
      }
      return best.images;
    },
  };
}

interface Ascent {
  readonly ball: Ball;
  readonly start: Float32Array;
  readonly answer: Answer;
  /** Is offered every point at which a gradient is taken. */
  readonly visited: BestPoints | undefined;
  readonly onStep: (step: number) => void;
}

function ascend(task: AttackTask, options: PgdOptions, ascent: Ascent): Promise<Float32Array> {
  const {
    steps = 20,
    stepSize = (epsilon) => epsilon / 4,
    momentum,
    loss = crossEntropyLoss,
    freezeMisclassified,
  } = options;
  const { answer, visited } = ascent;
  let moving: Rows = allRows(task.examples.labels.length);
  return pgdSteps({
    ...ascent.ball,
    start: ascent.start,
    steps,
    stepSize: stepSize(task.epsilon),
    momentum,
    gradientAt: async (points, step) => {
      ascent.onStep(step);
      await task.oracle.differentiate(pointsAt(task, points), loss, answer, moving);
      visited?.offer(points, answer, moving);
      if (freezeMisclassified) moving = moving.filter((row) => answer.rightShares[row]! > 0);
      return { gradients: answer.gradients, rows: moving };
    },
  });
}
