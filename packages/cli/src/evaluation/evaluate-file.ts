import { type DatasetPart, type Evaluation, evaluatePredictor, type ImageDataset } from "@dovetail/train";
import type { NetworkFile } from "../files/read-network.js";
import type { CommandIo, CommandWatch } from "../terminal/command-io.js";
import { type Classifier, type ClassifierOptions, openClassifier } from "./classifier.js";
import { datasetFor } from "./dataset-for.js";

export interface EvaluateOptions extends ClassifierOptions {
  readonly part: DatasetPart;
  readonly data?: string;
  readonly dataOption?: readonly string[];
}

/** The data set that goes with a model, as `datasetFor` finds it, and the model's accuracy on it. `runFolder`: where the model was asked for. */
export async function evaluateWithData(
  runFolder: string,
  file: NetworkFile,
  options: EvaluateOptions,
  io: CommandIo,
  watch: CommandWatch,
): Promise<{ readonly dataset: ImageDataset; readonly evaluation: Evaluation }> {
  return withClassifier(file, options, async (classifier) => {
    const dataset = await datasetFor({ ...classifier, path: file.path, runFolder }, options, io, watch);
    return { dataset, evaluation: await evaluatePredictor(classifier, { dataset, part: options.part, watch }) };
  });
}

/** The accuracy of a model on a data set. */
export async function evaluateFile(
  file: NetworkFile,
  dataset: ImageDataset,
  options: EvaluateOptions,
  watch: CommandWatch,
): Promise<Evaluation> {
  return withClassifier(file, options, (classifier) =>
    evaluatePredictor(classifier, { dataset, part: options.part, watch }),
  );
}

async function withClassifier<T>(
  file: NetworkFile,
  options: ClassifierOptions,
  use: (classifier: Classifier) => Promise<T>,
): Promise<T> {
  const classifier = await openClassifier(file, options);
  try {
    return await use(classifier);
  } finally {
    await classifier.release();
  }
}
