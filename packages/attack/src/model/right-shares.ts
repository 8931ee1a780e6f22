import { crossEntropyLoss } from "../losses/losses.js";
import { createAnswer, type Oracle } from "./oracle.js";

/** Probability that the defence is right on each image, by a forward pass of each variant. */
export async function rightShares(oracle: Oracle, images: Float32Array, labels: Int32Array): Promise<Float64Array> {
  const answer = createAnswer(labels.length, 0);
  await oracle.evaluate({ images, labels }, crossEntropyLoss, answer);
  return answer.rightShares;
}
