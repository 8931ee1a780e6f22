import type { Watch } from "@dovetail/core";
import { iterateBatches } from "../data/batches/iterate-batches.js";
import type { DatasetPart, ImageDataset } from "../data/dataset.js";
import { accuracyFraction, argMaxOfRows, correctness } from "../metrics/classification.js";
import { createPredictor, imageTensor, type Predictor, type PredictorOptions } from "./predictor.js";

/** How well a network does on a part of a data set. */
export interface Evaluation {
  readonly accuracyFraction: number;
  /** Mean softmax cross-entropy. */
  readonly loss: number;
  /** Predicted class of each image, in the data set's order. */
  readonly predictions: Int32Array;
  /** 1 where the prediction is right. */
  readonly correct: Uint8Array;
}

export interface EvaluateOptions extends PredictorOptions {
  readonly dataset: ImageDataset;
  readonly part: DatasetPart;
  /** 100 by default. */
  readonly batchSize?: number | undefined;
  readonly watch?: Watch | undefined;
}

/** Accuracy and loss of a network in inference form on a part of a data set. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const predictor = await createPredictor(options);
  try {
    return await evaluatePredictor(predictor, options);
  } finally {
    await predictor.release();
  }
}

/** As `evaluate`, with whatever predicts: one that is compiled already, or another runtime. */
export async function evaluatePredictor(
  predictor: Pick<Predictor, "predict" | "classCount">,
  { dataset, part, batchSize = 100, watch }: Pick<EvaluateOptions, "dataset" | "part" | "batchSize" | "watch">,
): Promise<Evaluation> {
  const labels = dataset.labels(part);
  const predictions = new Int32Array(labels.length);
  let lossSum = 0;
  let done = 0;
  for (const batch of iterateBatches(dataset, part, Math.min(batchSize, labels.length))) {
    watch?.signal?.throwIfAborted();
    const logits = await predictor.predict(imageTensor(batch.images, batch.count, dataset.imageShape));
    predictions.set(argMaxOfRows(logits, predictor.classCount), done);
    for (let row = 0; row < batch.count; row++) {
      lossSum += crossEntropy(logits, row * predictor.classCount, predictor.classCount, labels[done + row]!);
    }
    done += batch.count;
    watch?.onProgress?.({ task: `evaluate ${part}`, done, total: labels.length, unit: "images" });
  }
  const correct = correctness(predictions, labels);
  return { accuracyFraction: accuracyFraction(correct), loss: lossSum / labels.length, predictions, correct };
}

/** log Σ exp(logits) − logit of the label. */
function crossEntropy(logits: Float32Array, start: number, count: number, label: number): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (let index = start; index < start + count; index++) maximum = Math.max(maximum, logits[index]!);
  let sum = 0;
  for (let index = start; index < start + count; index++) sum += Math.exp(logits[index]! - maximum);
  return maximum + Math.log(sum) - logits[start + label]!;
}
