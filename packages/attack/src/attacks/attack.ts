import type { RandomStream, Watch } from "@dovetail/core";
import type { Oracle, Points } from "../model/oracle.js";

/** Images to attack. */
export interface Examples {
  /** N × channels × height × width values in [0, 1]. */
  readonly images: Float32Array;
  /** N class numbers. */
  readonly labels: Int32Array;
  /**
   * N numbers that tell the images apart: what is drawn for an image depends on its number, not on its place or on the
   * other images.
   */
  readonly ids: Int32Array;
}

/** What an attack works on. */
export interface AttackTask {
  readonly oracle: Oracle;
  readonly examples: Examples;
  /** Largest change of a value, in [0, 1]. */
  readonly epsilon: number;
  /** Only its identity counts: each image has a stream of its own, split off by its id. */
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
}

/** An attack with its settings. */
export interface Attack {
  /** As the command line names it. */
  readonly name: string;
  /** Number of classes below which its loss is not defined; 2 by default. */
  readonly leastClasses?: number | undefined;
  /**
   * Gives changed images, N × channels × height × width in [0, 1], none further than epsilon (maximum norm) from its
   * original unless the attack is one without a bound. Attacks that look for misclassified points give the original
   * back where they found none.
   */
  run(task: AttackTask): Promise<Float32Array>;
}

/** The stream of draws for an image. */
export function streamOf({ random, examples }: AttackTask, row: number): RandomStream {
  return random.split(examples.ids[row]!);
}

/** Points with the examples' labels. */
export function pointsAt({ examples }: AttackTask, images: Float32Array, targets?: Int32Array): Points {
  return { images, labels: examples.labels, targets };
}

/** Some of the examples, their images copied. */
export function selectExamples({ images, labels, ids }: Examples, rows: Int32Array): Examples {
  const imageSize = images.length / labels.length;
  const chosen = new Float32Array(rows.length * imageSize);
  for (const [index, row] of rows.entries()) {
    chosen.set(images.subarray(row * imageSize, (row + 1) * imageSize), index * imageSize);
  }
  return {
    images: chosen,
    labels: Int32Array.from(rows, (row) => labels[row]!),
    ids: Int32Array.from(rows, (row) => ids[row]!),
  };
}

/** Copies one image to the same place in another memory. */
export function copyRow(from: Float32Array, to: Float32Array, row: number, imageSize: number): void {
  to.set(from.subarray(row * imageSize, (row + 1) * imageSize), row * imageSize);
}

/** Throws the reason of a cancellation, and tells how far an attack is. */
export function reportStep({ watch }: AttackTask, name: string, done: number, total: number): void {
  watch?.signal?.throwIfAborted();
  watch?.onProgress?.({ task: `attack ${name}`, done, total, unit: "steps" });
}
