// For tests only: a defence that is a formula.

import { allRows, type Oracle } from "../model/oracle.js";

export interface FakeAnswer {
  readonly loss: number;
  readonly rightShare: number;
  /** As long as an image; zeros by default. */
  readonly gradient?: ArrayLike<number> | undefined;
}

export interface FakeOracle extends Oracle {
  /** Images that it was asked about, by question. */
  readonly asked: Float32Array[];
}

/** Answers each image by `answer`, which is told how many questions came before. Images are 1 × 1 × size unless said. */
export function fakeOracle(
  imageShape: readonly [number, number, number],
  answer: (image: Float32Array, row: number, question: number) => FakeAnswer,
): FakeOracle {
  const imageSize = imageShape[0] * imageShape[1] * imageShape[2];
  const asked: Float32Array[] = [];
  const ask =
    (withGradient: boolean): Oracle["evaluate"] =>
    async ({ images, labels }, _, into, rows = allRows(labels.length)) => {
      const question = asked.length;
      asked.push(images.slice());
      for (const row of rows) {
        const image = images.subarray(row * imageSize, (row + 1) * imageSize);
        const { loss, rightShare, gradient } = answer(image, row, question);
        into.losses[row] = loss;
        into.rightShares[row] = rightShare;
        if (withGradient && gradient) into.gradients.set(gradient, row * imageSize);
      }
    };
  return {
    classCount: 10,
    imageSize,
    imageShape,
    asked,
    evaluate: ask(false),
    differentiate: ask(true),
    logits: async (images) => new Float32Array((images.length / imageSize) * 10),
    passes: () => ({ forward: 0, forwardAndBackward: 0 }),
  };
}
