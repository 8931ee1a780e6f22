import { type Watch, withPlace } from "@dovetail/core";
import { allocateImages, type ImageShape, imageBytes, type LabelledImages } from "../dataset.js";
import { createJpegDecoder } from "../jpeg/decoder.js";
import { decodingStride, reportDecoding } from "../source.js";

/** JPEG files to be decoded: `bytes(i)`, with the label and a name for error messages. */
export interface JpegList {
  readonly count: number;
  bytes(index: number): Uint8Array;
  label(index: number): number;
  name(index: number): string;
}

/** What `decodeJpegs` needs to know besides the files. */
export interface DecodeJpegsOptions {
  /** For progress. */
  readonly name: string;
  /** For errors. */
  readonly file: string;
  readonly imageShape: ImageShape;
  readonly classCount: number;
  readonly watch: Watch;
}

/** Decodes JPEG files of one size. An error names the file and the image. */
export async function decodeJpegs(list: JpegList, options: DecodeJpegsOptions): Promise<LabelledImages> {
  const { imageShape, watch } = options;
  const decoder = createJpegDecoder(imageShape[1], imageShape[2]);
  const target = allocateImages(list.count, imageShape, options.classCount);
  const size = imageBytes(imageShape);
  for (let index = 0; index < list.count; index++) {
    if (index % decodingStride === 0) await reportDecoding(watch, options.name, index, list.count);
    try {
      decoder.decode(list.bytes(index), target.images, index * size);
    } catch (error) {
      throw withPlace(error, { file: options.file, path: [list.name(index)] });
    }
    target.labels[index] = list.label(index);
  }
  await reportDecoding(watch, options.name, list.count, list.count);
  return target;
}
