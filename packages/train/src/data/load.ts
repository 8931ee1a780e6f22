import { DovetailError, type Watch } from "@dovetail/core";
import { channelStatistics } from "./channel-statistics.js";
import type { DatasetPart, DecodedImages, ImageDataset, LabelledImages, Provenance } from "./dataset.js";
import { decodeCached } from "./decoded-cache.js";
import { type DatasetDescription, type DatasetDescriptionInput, datasetDescriptionSchema } from "./description.js";
import type { PlaceOptions } from "./locate.js";
import { openSource } from "./sources/table.js";
import { splitImages } from "./split.js";

/** Where data sets and decoded images lie, and who watches. */
export interface LoadOptions extends PlaceOptions, Watch {
  /** Folder for decoded images, made when missing; without it they are decoded each time. */
  readonly cacheFolder?: string | undefined;
}

/**
 * Finds, checks, decodes and splits a data set. Throws input errors that name the file, what was expected and what was
 * found: `dataset_description`, `dataset_missing`, and each reader's own.
 */
export async function loadDataset(
  description: DatasetDescriptionInput | DatasetDescription,
  options: LoadOptions = {},
): Promise<ImageDataset> {
  const checked = checkDescription(description);
  const source = await openSource(checked, options);
  const decoded = await decodeCached(source, options.cacheFolder, options);
  const { name, files, citation, licence } = source;
  return createDataset(name, decoded, splitImages(decoded, checked), { files, citation, licence });
}

/** A data set from parts that are in memory. */
export function createDataset(
  name: string,
  { classNames, imageShape }: Pick<DecodedImages, "classNames" | "imageShape">,
  parts: Readonly<Record<DatasetPart, LabelledImages>>,
  source: Provenance,
): ImageDataset {
  const { mean, standardDeviation } = channelStatistics(parts.train.images, imageShape);
  const countOf = (part: DatasetPart) => ({ count: parts[part].labels.length });
  return {
    name,
    classNames,
    imageShape,
    parts: { train: countOf("train"), validation: countOf("validation"), test: countOf("test") },
    images: (part) => parts[part].images,
    labels: (part) => parts[part].labels,
    channelMean: mean,
    channelStandardDeviation: standardDeviation,
    source,
  };
}

function checkDescription(description: unknown): DatasetDescription {
  const parsed = datasetDescriptionSchema.safeParse(description);
  if (parsed.success) return parsed.data;
  throw new DovetailError(
    parsed.error.issues.map((issue) => ({
      code: "dataset_description",
      kind: "input",
      message: issue.message,
      path: issue.path.filter((step) => typeof step !== "symbol"),
    })),
  );
}
