import type { RandomStream } from "@dovetail/core";
import { crossEntropyLoss } from "../losses/losses.js";
import { allRows, createAnswer, type Rows } from "../model/oracle.js";
import { type Attack, type AttackTask, pointsAt, reportStep, streamOf } from "./attack.js";
import { clamp } from "./ball.js";
import { createBestPoints } from "./best-points.js";

export interface BanditsOptions {
  /** Queries an image, two of them a step; 10,000 by default, the budget of Ilyas et al. */
  readonly queries?: number | undefined;
  /** Step of the image along the prior's signs, in [0, 1]; 0.01 by default. */
  readonly imageStep?: number | undefined;
  /** Step of the prior's exponentiated gradient; 100 by default. */
  readonly priorStep?: number | undefined;
  /** Length of the prior's exploration; 1 by default. */
  readonly exploration?: number | undefined;
  /** Distance of the two points of a finite difference from the image; 0.1 by default. */
  readonly differenceStep?: number | undefined;
  /** The prior has one value for so many pixels in each direction; 1 by default. */
  readonly tile?: number | undefined;
}

/**
 * Bandit attack with a prior over time (Ilyas et al. 2019), by forward passes alone: two queries on either side of the
 * prior estimate how it should change. The defaults are those of its authors for ImageNet in the maximum norm, without
 * tiles. An image is done when the defence is never right on it.
 */
export function bandits(options: BanditsOptions = {}): Attack {
  const { queries = 10_000, imageStep = 0.01, priorStep = 100, exploration = 1, differenceStep = 0.1 } = options;
  const name = "bandits";
  const steps = Math.floor(queries / 2);
  return {
    name,
    run: async (task) => {
      const { imageSize } = task.oracle;
      const count = task.examples.labels.length;
      const prior = createPrior(task, options.tile ?? 1);
      const points = task.examples.images.slice();
      const probes = [points.slice(), points.slice()] as const;
      const answers = [createAnswer(count, 0), createAnswer(count, 0), createAnswer(count, 0)] as const;
      await task.oracle.evaluate(pointsAt(task, points), crossEntropyLoss, answers[2]);
      const best = createBestPoints(points, imageSize, "accuracy");
      let rows: Rows = allRows(count).filter((row) => answers[2].rightShares[row]! > 0);
      for (let step = 0; step < steps && rows.length > 0; step++) {
        reportStep(task, name, step, steps);
        const noises = Array.from(rows, (row) => prior.drawNoise(row, exploration));
        for (const [index, row] of rows.entries()) {
          for (const [side, sign] of [1, -1].entries()) {
            const direction = prior.shifted(row, noises[index]!, sign);
            const factor = differenceStep / Math.max(lengthOf(direction), 1e-12);
            for (let place = 0; place < imageSize; place++) {
              const at = row * imageSize + place;
              probes[side]![at] = points[at]! + factor * direction[place]!;
            }
          }
        }
        await task.oracle.evaluate(pointsAt(task, probes[0]), crossEntropyLoss, answers[0], rows);
        await task.oracle.evaluate(pointsAt(task, probes[1]), crossEntropyLoss, answers[1], rows);
        for (const [index, row] of rows.entries()) {
          const slope = (answers[0].losses[row]! - answers[1].losses[row]!) / (differenceStep * exploration);
          prior.follow(row, noises[index]!, slope * priorStep);
          stepImage(task, points, row, prior.of(row), imageStep);
        }
        await task.oracle.evaluate(pointsAt(task, points), crossEntropyLoss, answers[2], rows);
        best.offer(points, answers[2], rows);
        rows = rows.filter((row) => answers[2].rightShares[row]! > 0);
      }
      return best.images;
    },
  };
}

/** What is believed about each image's gradient: values in ±1, one for each tile of pixels. */
interface Prior {
  /** Normal noise of expected length `exploration`. */
  drawNoise(row: number, exploration: number): Float64Array;
  /** The prior with `sign` · noise added, one value a pixel. */
  shifted(row: number, noise: Float64Array, sign: number): Float64Array;
  /** The prior, one value a pixel. */
  of(row: number): Float64Array;
  /** Exponentiated-gradient step along the noise. */
  follow(row: number, noise: Float64Array, step: number): void;
}

function createPrior(task: AttackTask, tile: number): Prior {
  const [channels, height, width] = task.oracle.imageShape;
  const [rowsOfTiles, columns] = [Math.ceil(height / tile), Math.ceil(width / tile)];
  const size = channels * rowsOfTiles * columns;
  const count = task.examples.labels.length;
  const values = new Float64Array(count * size);
  const streams: RandomStream[] = Array.from({ length: count }, (_, row) => streamOf(task, row));
  const spread = (valueAt: (index: number) => number): Float64Array => {
    const pixels = new Float64Array(task.oracle.imageSize);
    for (let place = 0; place < pixels.length; place++) {
      const channel = Math.floor(place / (height * width));
      const [line, column] = [Math.floor(place / width) % height, place % width];
      pixels[place] = valueAt((channel * rowsOfTiles + Math.floor(line / tile)) * columns + Math.floor(column / tile));
    }
    return pixels;
  };
  return {
    drawNoise: (row, exploration) => {
      const factor = exploration / Math.sqrt(size);
      return Float64Array.from({ length: size }, () => factor * streams[row]!.normal());
    },
    shifted: (row, noise, sign) => spread((index) => values[row * size + index]! + sign * noise[index]!),
    of: (row) => spread((index) => values[row * size + index]!),
    follow: (row, noise, step) => {
      for (let index = 0; index < size; index++) {
        const share = (values[row * size + index]! + 1) / 2;
        // share·e^s / (share·e^s + (1 − share)·e^−s), without overflow.
        const odds = Math.exp(clamp(-2 * step * noise[index]!, -80, 80));
        values[row * size + index] = (2 * share) / (share + (1 - share) * odds) - 1;
      }
    },
  };
}

function lengthOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

function stepImage(task: AttackTask, points: Float32Array, row: number, prior: Float64Array, step: number): void {
  const { examples, epsilon } = task;
  for (let place = 0; place < prior.length; place++) {
    const at = row * prior.length + place;
    const original = examples.images[at]!;
    const moved = points[at]! + step * Math.sign(prior[place]!);
    points[at] = clamp(clamp(moved, original - epsilon, original + epsilon), 0, 1);
  }
}
