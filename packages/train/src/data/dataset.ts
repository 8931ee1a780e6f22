/** The parts of a data set. Validation images are always held out of the source's training images. */
export type DatasetPart = "train" | "validation" | "test";

/** Class numbers, one an image; 16 bits where there are more than 256 classes. */
export type Labels = Uint8Array | Uint16Array;

/** [channels, height, width]. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** A file that a data set was read from. */
export interface SourceFile {
  /** Short and the same on every machine, e.g. `train.zip`. */
  readonly name: string;
  /** Where it was read. */
  readonly path: string;
  /** In hexadecimal. For a folder of images: of the list of its files' names and hashes. */
  readonly sha256: string;
}

/** Where a data set comes from. */
export interface Provenance {
  readonly files: readonly SourceFile[];
  /** Who made it, as its authors ask to be cited. */
  readonly citation: string;
  readonly licence: string;
}

/** Images with class labels, decoded and in memory. */
export interface ImageDataset {
  /** E.g. `cifar10`. */
  readonly name: string;
  readonly classNames: readonly string[];
  readonly imageShape: ImageShape;
  readonly parts: Readonly<Record<DatasetPart, { readonly count: number }>>;
  /**
   * All images of a part: count × channels × height × width bytes, 0–255 (N, C, H, W). The memory is shared (a
   * SharedArrayBuffer), so workers read it without a copy. Not to be written to.
   */
  images(part: DatasetPart): Uint8Array;
  /** The class of each image of a part. */
  labels(part: DatasetPart): Labels;
  /** Mean of each channel over the training part, in 0–255. */
  readonly channelMean: readonly number[];
  /** Standard deviation of each channel over the training part, in 0–255. */
  readonly channelStandardDeviation: readonly number[];
  readonly source: Provenance;
}

/** Images and labels as they lie in memory. */
export interface LabelledImages {
  readonly images: Uint8Array;
  readonly labels: Labels;
}

/** What a source gives: its training and its test images, before anything is held out. */
export interface DecodedImages {
  readonly classNames: readonly string[];
  readonly imageShape: ImageShape;
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

/** Zeroed shared memory for `count` images and their labels. */
export function allocateImages(count: number, imageShape: ImageShape, classCount: number): LabelledImages {
  const images = new Uint8Array(new SharedArrayBuffer(count * imageBytes(imageShape)));
  return { images, labels: allocateLabels(count, classCount) };
}

/** Zeroed shared memory for `count` labels. */
export function allocateLabels(count: number, classCount: number): Labels {
  return classCount <= 256
    ? new Uint8Array(new SharedArrayBuffer(count))
    : new Uint16Array(new SharedArrayBuffer(2 * count));
}

/** Bytes of one image. */
export function imageBytes(imageShape: ImageShape): number {
  return imageShape[0] * imageShape[1] * imageShape[2];
}
