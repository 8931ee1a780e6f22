import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { inputError, withPlace } from "@dovetail/core";
import { digestOfFile, isPresent, readWholeFile } from "../../files/read-file.js";
import { allocateImages, type ImageShape, type LabelledImages } from "../dataset.js";
import type { DescriptionOf } from "../description.js";
import { locateDataset, type PlaceOptions } from "../locate.js";
import type { ImageSource } from "../source.js";

// IDX files (http://yann.lecun.com/exdb/mnist): two zero bytes, element type (8: unsigned byte), number of dimensions,
// the dimensions as big-endian 32-bit numbers, the values.

const maximumBytes = 2 ** 30;
const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** Data sets of this format that are known by their folder's name. */
const citations: Readonly<Record<string, string>> = {
  mnist: "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition, 1998",
  "fashion-mnist": "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
};

/** Grey images in MNIST's four files, raw or gzipped, with a dash or a dot before `idx`. */
export async function openIdx(description: DescriptionOf<"idx">, options: PlaceOptions): Promise<ImageSource> {
  const folder = await locateDataset(description.path, "mnist", options);
  const name = basename(folder);
  const stems = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
  const files = await Promise.all(
    stems.map(async (stem) => {
      const path = await findFile(folder, stem);
      return { name: basename(path), path, sha256: await digestOfFile(path) };
    }),
  );
  const classNames = description.classNames ?? digits;
  return {
    name,
    files,
    citation: citations[name] ?? "unknown",
    licence: "see the data set's own page",
    options: { classNames },
    async decode() {
      const [trainImages, trainLabels, testImages, testLabels] = files.map((file) => file.path) as Four;
      const train = await readPart(trainImages, trainLabels, classNames.length);
      const test = await readPart(testImages, testLabels, classNames.length);
      if (train.imageShape.join() !== test.imageShape.join()) {
        throw inputError("idx_shape", "test images have another size than the training images", {
          file: testImages,
          expected: train.imageShape.slice(1).join("×"),
          received: test.imageShape.slice(1).join("×"),
        });
      }
      return { classNames, imageShape: train.imageShape, train, test };
    },
  };
}

type Four = [string, string, string, string];

async function findFile(folder: string, stem: string): Promise<string> {
  const names = [stem, stem.replace("-idx", ".idx")].flatMap((form) => [`${form}-ubyte.gz`, `${form}-ubyte`]);
  for (const name of names) {
    if (await isPresent(join(folder, name))) return join(folder, name);
  }
  throw inputError("file_missing", "file of the data set is missing", { file: folder, expected: names.join(" or ") });
}

async function readPart(
  imagesPath: string,
  labelsPath: string,
  classCount: number,
): Promise<LabelledImages & { readonly imageShape: ImageShape }> {
  const images = await readIdx(imagesPath, 3);
  const labels = await readIdx(labelsPath, 1);
  const [count, height, width] = images.dimensions as [number, number, number];
  if (labels.dimensions[0] !== count) {
    throw inputError("idx_count", "number of labels differs from the number of images", {
      file: labelsPath,
      expected: `${count}`,
      received: `${labels.dimensions[0]}`,
    });
  }
  const bad = labels.values.findIndex((label) => label >= classCount);
  if (bad >= 0) {
    throw inputError("label_range", `label of image ${bad}`, {
      file: labelsPath,
      expected: `0 to ${classCount - 1}`,
      received: `${labels.values[bad]}`,
    });
  }
  const imageShape: ImageShape = [1, height, width];
  const target = allocateImages(count, imageShape, classCount);
  target.images.set(images.values);
  target.labels.set(labels.values);
  return { ...target, imageShape };
}

/** The dimensions and values of an IDX file of unsigned bytes with `rank` dimensions. */
async function readIdx(path: string, rank: number): Promise<{ dimensions: number[]; values: Uint8Array }> {
  const raw = await readWholeFile(path, maximumBytes);
  try {
    return parseIdx(raw[0] === 0x1f && raw[1] === 0x8b ? unzip(raw) : raw, rank);
  } catch (error) {
    throw withPlace(error, { file: path });
  }
}

/** Parses an IDX file in memory. Throws input errors `idx_magic` and `idx_size`. */
export function parseIdx(bytes: Uint8Array, rank: number): { dimensions: number[]; values: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length < 4 ? undefined : view.getUint32(0);
  if (magic !== 0x800 + rank) {
    throw inputError("idx_magic", `not an IDX file of bytes with ${rank} dimensions`, {
      expected: `0x${(0x800 + rank).toString(16).padStart(8, "0")} at the start`,
      received: magic === undefined ? `${bytes.length} bytes` : `0x${magic.toString(16).padStart(8, "0")}`,
    });
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) {
    throw inputError("idx_size", "file is cut short in its header", {
      expected: `${start} bytes`,
      received: `${bytes.length}`,
    });
  }
  const dimensions = Array.from({ length: rank }, (_, index) => view.getUint32(4 + 4 * index));
  const size = dimensions.reduce((product, dimension) => product * dimension, 1);
  if (size === 0 || bytes.length - start !== size) {
    throw inputError("idx_size", `size does not fit dimensions ${dimensions.join("×")}`, {
      expected: size === 0 ? "at least one value" : `${start + size} bytes`,
      received: `${bytes.length}`,
    });
  }
  return { dimensions, values: bytes.subarray(start) };
}

function unzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maximumBytes });
  } catch (error) {
    throw inputError("gzip_corrupt", `corrupt gzip file (${(error as Error).message})`, {
      expected: `a whole file that unpacks to at most ${maximumBytes} bytes`,
    });
  }
}
