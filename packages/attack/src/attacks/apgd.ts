import type { AttackLoss } from "../losses/loss.js";
import { crossEntropyLoss, dlrLoss, targetedDlrLoss } from "../losses/losses.js";
import { allRows, type Rows } from "../model/oracle.js";
import { rightShares } from "../model/right-shares.js";
import { apgdRun } from "./apgd-run.js";
import { type Attack, type AttackTask, copyRow, reportStep, streamOf } from "./attack.js";
import { clamp } from "./ball.js";
import { rankedTargets } from "./targets.js";

export interface ApgdOptions {
  readonly name?: string | undefined;
  /** 100 by default. */
  readonly steps?: number | undefined;
  /** Runs from different starts; 1 by default. */
  readonly restarts?: number | undefined;
  /**
   * `misclassify` (default): gives a point where the defence is right least often; further runs see the images that it
   * still gets right. `loss`: gives the point of the largest loss, of all runs over all images.
   */
  readonly goal?: "misclassify" | "loss" | undefined;
  /** False goes on with images that are wrong already, as the authors' code does: the points lie deeper. True by default. */
  readonly stopWhenWrong?: boolean | undefined;
}

/** Auto-PGD on cross-entropy. */
export function apgdCe(options: ApgdOptions = {}): Attack {
  return apgd("apgd-ce", crossEntropyLoss, options);
}

/** Auto-PGD on the difference of logits ratio; for 3 classes and more. */
export function apgdDlr(options: ApgdOptions = {}): Attack {
  return apgd("apgd-dlr", dlrLoss, options);
}

/** Auto-PGD on any loss of the logits. */
export function apgd(defaultName: string, loss: AttackLoss, options: ApgdOptions = {}): Attack {
  const { name = defaultName, steps = 100, restarts = 1, goal = "misclassify", stopWhenWrong = true } = options;
  return {
    name,
    leastClasses: loss.leastClasses,
    run: async (task) => {
      const found = await beginSearch(task);
      const losses = new Float64Array(found.shares.length).fill(Number.NEGATIVE_INFINITY);
      for (let restart = 0; restart < restarts; restart++) {
        const rows = goal === "loss" ? allRows(found.shares.length) : stillRight(found);
        const result = await apgdRun(task, {
          loss,
          steps,
          rows,
          start: normalizedStart(task, restart),
          stopWhenWrong: goal === "misclassify" && stopWhenWrong,
          cleanShares: found.clean,
          onStep: (step) => reportStep(task, name, restart * steps + step, restarts * steps),
        });
        for (const row of rows) {
          const isBetter =
            goal === "loss" ? result.bestLosses[row]! > losses[row]! : result.rightShares[row]! < found.shares[row]!;
          if (!isBetter) continue;
          losses[row] = result.bestLosses[row]!;
          found.shares[row] = result.rightShares[row]!;
          copyRow(goal === "loss" ? result.best : result.adversarial, found.images, row, task.oracle.imageSize);
        }
      }
      return found.images;
    },
  };
}

export interface ApgdTargetedOptions extends Pick<ApgdOptions, "steps" | "restarts" | "stopWhenWrong"> {
  /** How many target classes; 9 by default, at most all others. */
  readonly targets?: number | undefined;
}

/** Auto-PGD on the targeted difference of logits ratio, towards the classes that the originals' logits rank next. */
export function apgdT(options: ApgdTargetedOptions = {}): Attack {
  const { steps = 100, restarts = 1, targets = 9, stopWhenWrong = true } = options;
  const name = "apgd-t";
  return {
    name,
    leastClasses: targetedDlrLoss.leastClasses,
    run: async (task) => {
      const found = await beginSearch(task);
      const ranked = await rankedTargets(task, targets);
      const runs = ranked.length * restarts;
      for (let run = 0; run < runs; run++) {
        const rows = stillRight(found);
        if (rows.length === 0) break;
        const result = await apgdRun(task, {
          loss: targetedDlrLoss,
          steps,
          rows,
          targets: ranked[Math.floor(run / restarts)]!,
          start: normalizedStart(task, run),
          stopWhenWrong,
          cleanShares: found.clean,
          onStep: (step) => reportStep(task, name, run * steps + step, runs * steps),
        });
        for (const row of rows) {
          if (!(result.rightShares[row]! < found.shares[row]!)) continue;
          found.shares[row] = result.rightShares[row]!;
          copyRow(result.adversarial, found.images, row, task.oracle.imageSize);
        }
      }
      return found.images;
    },
  };
}

interface Found {
  /** Probability that the defence is right on the originals. */
  readonly clean: Float64Array;
  /** … and on the points found so far. */
  readonly shares: Float64Array;
  readonly images: Float32Array;
}

async function beginSearch({ oracle, examples }: AttackTask): Promise<Found> {
  const clean = await rightShares(oracle, examples.images, examples.labels);
  return { clean, shares: clean.slice(), images: examples.images.slice() };
}

function stillRight({ shares }: Found): Rows {
  return allRows(shares.length).filter((row) => shares[row]! > 0);
}

/** x + ε·u/‖u‖∞ with u uniform in ±1, brought into [0, 1]. */
function normalizedStart(task: AttackTask, run: number): Float32Array {
  const { examples, epsilon, oracle } = task;
  const start = examples.images.slice();
  const draw = new Float64Array(oracle.imageSize);
  for (let row = 0; row < examples.labels.length; row++) {
    const stream = streamOf(task, row).split(run);
    let largest = 0;
    for (let index = 0; index < draw.length; index++) {
      draw[index] = 2 * stream.uniform() - 1;
      largest = Math.max(largest, Math.abs(draw[index]!));
    }
    const first = row * draw.length;
    for (let index = 0; index < draw.length; index++) {
      start[first + index] = clamp(start[first + index]! + (epsilon * draw[index]!) / largest, 0, 1);
    }
  }
  return start;
}
