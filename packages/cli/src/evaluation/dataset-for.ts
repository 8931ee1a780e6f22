import { inputError } from "@dovetail/core";
import { type ImageDataset, loadDataset } from "@dovetail/train";
import { dataDescription } from "../recipes/data-option.js";
import { dataOfRun } from "../runs/data-of-run.js";
import { cacheFolder } from "../terminal/cache-folder.js";
import type { CommandIo, CommandWatch } from "../terminal/command-io.js";
import type { Classifier } from "./classifier.js";

/** What a data set is looked for by: the classifier's form, the file for messages, the run that may say which one. */
export interface Asking extends Pick<Classifier, "imageShape" | "classCount"> {
  readonly path: string;
  readonly runFolder: string;
}

/**
 * The data set that `--data` and `--data-option` name; without them the run's own, else the bundled images. Throws input
 * errors when there is none, or when it does not go together with the classifier.
 */
export async function datasetFor(
  asking: Asking,
  { data, dataOption }: { readonly data?: string; readonly dataOption?: readonly string[] },
  io: CommandIo,
  watch: CommandWatch,
): Promise<ImageDataset> {
  const ofRun = data === undefined && dataOption === undefined ? await dataOfRun(asking.runFolder) : undefined;
  const description = ofRun ?? (await dataDescription(data ?? "cifar10-bundled", dataOption, asking.imageShape));
  const dataset = await loadDataset(description, {
    ...watch,
    environment: io.environment,
    cacheFolder: cacheFolder(io.environment),
  });
  requireFit(asking, dataset);
  return dataset;
}

function requireFit({ path, imageShape, classCount }: Asking, dataset: ImageDataset): void {
  const differs = imageShape.join("×") !== dataset.imageShape.join("×");
  if (!differs && classCount === dataset.classNames.length) return;
  throw inputError("data_mismatch", "the model does not fit the data set", {
    file: path,
    expected: `images of ${dataset.imageShape.join("×")}, ${dataset.classNames.length} classes (${dataset.name})`,
    received: `images of ${imageShape.join("×")}, ${classCount} classes`,
  });
}
