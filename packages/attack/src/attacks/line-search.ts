import type { AttackLoss } from "../losses/loss.js";
import { crossEntropyLoss } from "../losses/losses.js";
import { allRows, createAnswer } from "../model/oracle.js";
import { type Attack, copyRow, pointsAt, reportStep, streamOf } from "./attack.js";
import { type Ball, signStep, uniformStart } from "./ball.js";

export interface LineSearchOptions {
  /** Steps tried, each a forward and backward pass; 50 by default. */
  readonly steps?: number | undefined;
  /** First step size in [0, 1], from epsilon; epsilon itself by default. */
  readonly stepSize?: ((epsilon: number) => number) | undefined;
  /** Cross-entropy by default. */
  readonly loss?: AttackLoss | undefined;
  /** Is told the expected losses after each step; they never fall. */
  readonly onLosses?: ((losses: Float64Array) => void) | undefined;
}

/**
 * Sign steps that are only taken where they raise the expected loss: where one does not, the image stays and its step
 * size is halved.
 */
export function lineSearchPgd(options: LineSearchOptions = {}): Attack {
  const { steps = 50, stepSize = (epsilon) => epsilon, loss = crossEntropyLoss, onLosses } = options;
  const name = "line-search";
  return {
    name,
    run: async (task) => {
      const { oracle, examples, epsilon } = task;
      const { imageSize } = oracle;
      const rows = allRows(examples.labels.length);
      const ball: Ball = { clean: examples.images, imageSize, epsilon };
      const points = uniformStart(ball, (row) => streamOf(task, row));
      const proposed = points.slice();
      const [answer, ofProposed] = [createAnswer(rows.length, imageSize), createAnswer(rows.length, imageSize)];
      const stepSizes = new Float64Array(rows.length).fill(stepSize(epsilon));
      await oracle.differentiate(pointsAt(task, points), loss, answer);
      onLosses?.(answer.losses.slice());
      for (let step = 0; step < steps; step++) {
        reportStep(task, name, step, steps);
        for (const row of rows) {
          copyRow(points, proposed, row, imageSize);
          signStep(ball, proposed, answer.gradients, stepSizes[row]!, rows.subarray(row, row + 1));
        }
        await oracle.differentiate(pointsAt(task, proposed), loss, ofProposed);
        for (const row of rows) {
          if (!(ofProposed.losses[row]! > answer.losses[row]!)) {
            stepSizes[row]! /= 2;
            continue;
          }
          answer.losses[row] = ofProposed.losses[row]!;
          copyRow(proposed, points, row, imageSize);
          copyRow(ofProposed.gradients, answer.gradients, row, imageSize);
        }
        onLosses?.(answer.losses.slice());
      }
      return points;
    },
  };
}
