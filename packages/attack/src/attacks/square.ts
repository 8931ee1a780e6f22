import type { RandomStream } from "@dovetail/core";
import { marginLoss } from "../losses/losses.js";
import { allRows, createAnswer, type Rows } from "../model/oracle.js";
import { type Attack, type AttackTask, pointsAt, reportStep, streamOf } from "./attack.js";
import { clamp } from "./ball.js";

export interface SquareOptions {
  /** Proposals after the start, for each image; 5,000 by default. A defence that draws usually gets 1,000. */
  readonly queries?: number | undefined;
  /** Share of the pixels in the first windows; 0.8 by default. */
  readonly firstShare?: number | undefined;
  /** Stretches the schedule, made for 10,000 queries, to `queries`; false by default, as in AutoAttack. */
  readonly rescale?: boolean | undefined;
}

/** Iterations after which the window's share of the pixels is halved, of 10,000. */
const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/** Share of the pixels that the window covers at an iteration, counted from 0. */
export function squareShare(iteration: number, firstShare = 0.8): number {
  return firstShare / 2 ** halvings.filter((end) => iteration > end).length;
}

/** Side of the window in an image of height × width pixels. */
export function squareSide(share: number, height: number, width: number): number {
  return Math.min(Math.max(Math.round(Math.sqrt(share * height * width)), 1), height, width);
}

/**
 * Square (Andriushchenko et al. 2020) in the maximum norm, by forward passes alone: windows of ±epsilon at random places
 * are kept where they lower the expected margin, or the probability that the defence is right. Windows and signs are
 * drawn for each image by itself, and reach the last row and column. An image is done when the defence is never right.
 */
export function square(options: SquareOptions = {}): Attack {
  const { queries = 5000, firstShare = 0.8, rescale = false } = options;
  const name = "square";
  return {
    name,
    run: async (task) => {
      const { oracle, examples } = task;
      const [, height, width] = oracle.imageShape;
      const count = examples.labels.length;
      const best = createAnswer(count, 0);
      const proposed = createAnswer(count, 0);
      const streams = Array.from({ length: count }, (_, row) => streamOf(task, row));
      const points = stripes(task, streams);
      await oracle.evaluate(pointsAt(task, points), marginLoss, best);
      let rows: Rows = allRows(count).filter((row) => best.rightShares[row]! > 0);
      for (let query = 0; query < queries && rows.length > 0; query++) {
        reportStep(task, name, query, queries);
        const iteration = rescale ? Math.floor((query * 10_000) / queries) : query;
        const side = squareSide(squareShare(iteration, firstShare), height, width);
        const before = Array.from(rows, (row) => paintWindow(task, points, row, side, streams[row]!));
        await oracle.evaluate(pointsAt(task, points), marginLoss, proposed, rows);
        for (const [index, row] of rows.entries()) {
          const isBetter =
            proposed.losses[row]! > best.losses[row]! || proposed.rightShares[row]! < best.rightShares[row]!;
          if (isBetter) {
            best.losses[row] = proposed.losses[row]!;
            best.rightShares[row] = proposed.rightShares[row]!;
          } else {
            restoreWindow(points, before[index]!);
          }
        }
        rows = rows.filter((row) => best.rightShares[row]! > 0);
      }
      return points;
    },
  };
}

/** The originals with ±epsilon added to each column of each channel. */
function stripes({ examples, epsilon, oracle }: AttackTask, streams: readonly RandomStream[]): Float32Array {
  const [channels, height, width] = oracle.imageShape;
  const points = new Float32Array(examples.images.length);
  for (const [row, stream] of streams.entries()) {
    for (let channel = 0; channel < channels; channel++) {
      for (let column = 0; column < width; column++) {
        const change = signOf(stream) * epsilon;
        for (let line = 0; line < height; line++) {
          const place = row * oracle.imageSize + (channel * height + line) * width + column;
          points[place] = clamp(examples.images[place]! + change, 0, 1);
        }
      }
    }
  }
  return points;
}

function signOf(stream: RandomStream): number {
  return stream.integer(2) === 0 ? -1 : 1;
}

/** What stood in a window, by place. */
interface Painted {
  readonly places: Int32Array;
  readonly values: Float32Array;
}

/** Paints a window at a random place with ±epsilon around the original, one sign a channel; gives what was there. */
function paintWindow(
  { examples, epsilon, oracle }: AttackTask,
  points: Float32Array,
  row: number,
  side: number,
  stream: RandomStream,
): Painted {
  const [channels, height, width] = oracle.imageShape;
  const top = stream.integer(height - side + 1);
  const left = stream.integer(width - side + 1);
  const places = new Int32Array(channels * side * side);
  const values = new Float32Array(places.length);
  let index = 0;
  for (let channel = 0; channel < channels; channel++) {
    const change = signOf(stream) * epsilon;
    for (let line = top; line < top + side; line++) {
      for (let column = left; column < left + side; column++) {
        const place = row * oracle.imageSize + (channel * height + line) * width + column;
        places[index] = place;
        values[index++] = points[place]!;
        points[place] = clamp(examples.images[place]! + change, 0, 1);
      }
    }
  }
  return { places, values };
}

function restoreWindow(points: Float32Array, { places, values }: Painted): void {
  for (let index = 0; index < places.length; index++) points[places[index]!] = values[index]!;
}
