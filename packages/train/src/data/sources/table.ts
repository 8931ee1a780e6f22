import type { DatasetDescription, DatasetKind, DescriptionOf } from "../description.js";
import type { PlaceOptions } from "../locate.js";
import type { ImageSource } from "../source.js";
import { openBundledCifar10 } from "./bundled-cifar10.js";
import { openCifar10Binary } from "./cifar10-binary.js";
import { openCifar10JpegArchive } from "./cifar10-jpeg-archive.js";
import { openIdx } from "./idx.js";
import { openImageFolder } from "./image-folder.js";

type Opener<Kind extends DatasetKind> = (
  description: DescriptionOf<Kind>,
  options: PlaceOptions,
) => Promise<ImageSource>;

const openers: { readonly [Kind in DatasetKind]: Opener<Kind> } = {
  "bundled-cifar10": openBundledCifar10,
  "cifar10-jpeg-zip": openCifar10JpegArchive,
  "cifar10-binary": openCifar10Binary,
  idx: openIdx,
  "image-folder": openImageFolder,
};

/** Finds and hashes the files of a data set. */
export function openSource(description: DatasetDescription, options: PlaceOptions): Promise<ImageSource> {
  return (openers[description.kind] as Opener<DatasetKind>)(description as never, options);
}
