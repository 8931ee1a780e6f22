import { signStep } from "../attacks/ball.js";
import { crossEntropyLoss } from "../losses/losses.js";
import { allRows, createAnswer } from "../model/oracle.js";
import type { ProtocolOptions } from "../protocols/transfer.js";

/** Expected cross-entropy around images, on a plane through each. */
export interface LossSurface {
  /** Places along both axes, in units of epsilon. */
  readonly places: readonly number[];
  /** Mean over the images, by [place along the gradient's signs][place along random signs]. */
  readonly losses: readonly (readonly number[])[];
}

/**
 * The loss where images move along the signs of their gradient and along random signs, brought into [0, 1]. A surface
 * that is flat at the image and rises elsewhere, or that is rugged, is a sign of masked gradients.
 */
export async function lossSurface(
  options: ProtocolOptions & { readonly places?: readonly number[] | undefined },
): Promise<LossSurface> {
  const {
    defence,
    examples,
    epsilon,
    random,
    watch,
    places = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1],
  } = options;
  const { imageSize, oracle } = defence;
  const { images, labels } = examples;
  const rows = allRows(labels.length);
  const answer = createAnswer(labels.length, imageSize);
  await oracle.differentiate({ images, labels }, crossEntropyLoss, answer);
  const along = answer.gradients.map(Math.sign);
  const across = new Float32Array(images.length);
  for (const row of rows) {
    const stream = random.split("surface").split(examples.ids[row]!);
    for (let index = row * imageSize; index < (row + 1) * imageSize; index++) across[index] = 2 * stream.integer(2) - 1;
  }
  // Twice epsilon is the furthest corner: the ball only brings the points into [0, 1].
  const box = { clean: images, imageSize, epsilon: 2 * epsilon };
  const losses: number[][] = [];
  for (const first of places) {
    const row: number[] = [];
    for (const second of places) {
      watch?.signal?.throwIfAborted();
      const points = images.slice();
      signStep(box, points, along, first * epsilon, rows);
      signStep(box, points, across, second * epsilon, rows);
      await oracle.evaluate({ images: points, labels }, crossEntropyLoss, answer);
      row.push(answer.losses.reduce((sum, loss) => sum + loss, 0) / labels.length);
    }
    losses.push(row);
  }
  return { places, losses };
}
