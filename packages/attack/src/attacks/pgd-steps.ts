import { allRows, type Rows } from "../model/oracle.js";
import { type Ball, signStep } from "./ball.js";

/** Gradients at some points, as long as the images. */
export interface GradientsAt {
  readonly gradients: Float32Array;
  /** The images that move; all by default. */
  readonly rows?: Rows | undefined;
}

export interface PgdStepsOptions extends Ball {
  /** Where to begin; not changed. */
  readonly start: Float32Array;
  readonly steps: number;
  /** In the images' unit. */
  readonly stepSize: number;
  /**
   * Decay of the accumulated gradient, each one divided by its image's sum of magnitudes first (Dong et al. 2018);
   * 0 by default: no momentum.
   */
  readonly momentum?: number | undefined;
  /**
   * The gradient of what is raised with respect to the images, at `points`, as an attack or a training step computes
   * it. It is done with before the next call.
   */
  readonly gradientAt: (points: Float32Array, step: number) => Promise<GradientsAt>;
}

/**
 * Projected sign-gradient ascent (Madry et al. 2018) on any gradient: of a network in inference or in training form,
 * exact or expected. Gives the points after the last step.
 */
export async function pgdSteps(options: PgdStepsOptions): Promise<Float32Array> {
  const { start, steps, stepSize, momentum = 0, imageSize, gradientAt } = options;
  const points = start.slice();
  const all = allRows(points.length / imageSize);
  const accumulated = momentum > 0 ? new Float32Array(points.length) : undefined;
  for (let step = 0; step < steps; step++) {
    const { gradients, rows = all } = await gradientAt(points, step);
    if (rows.length === 0) break;
    if (accumulated) accumulate(accumulated, gradients, momentum, imageSize, rows);
    signStep(options, points, accumulated ?? gradients, stepSize, rows);
  }
  return points;
}

/** accumulated ← momentum · accumulated + gradient / ‖gradient‖₁, image by image. */
function accumulate(
  accumulated: Float32Array,
  gradients: Float32Array,
  momentum: number,
  imageSize: number,
  rows: Rows,
): void {
  for (const row of rows) {
    const [first, end] = [row * imageSize, (row + 1) * imageSize];
    let norm = 0;
    for (let index = first; index < end; index++) norm += Math.abs(gradients[index]!);
    const factor = norm > 0 ? 1 / norm : 0;
    for (let index = first; index < end; index++) {
      accumulated[index] = momentum * accumulated[index]! + factor * gradients[index]!;
    }
  }
}
