import { join } from "node:path";
import { inputError, type Watch } from "@dovetail/core";
import { digestOfFile, isPresent, readWholeFile } from "../../files/read-file.js";
import { cifar10Citation, cifar10ClassNames, cifar10Licence, cifar10Shape } from "../cifar10.js";
import { allocateImages, type LabelledImages } from "../dataset.js";
import type { DescriptionOf } from "../description.js";
import { locateDataset, type PlaceOptions } from "../locate.js";
import { type ImageSource, reportDecoding } from "../source.js";

export const cifar10BinaryTrainFiles = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);
export const cifar10BinaryTestFile = "test_batch.bin";
const namesFile = "batches.meta.txt";

const pixelBytes = 3 * 32 * 32;
const recordBytes = 1 + pixelBytes;
/** An official file holds 10,000 images. */
const maximumFileBytes = 100_000 * recordBytes;

/** CIFAR-10's official binary files: records of 1 label byte and 3,072 pixel bytes, channel by channel. */
export async function openCifar10Binary(
  description: DescriptionOf<"cifar10-binary">,
  options: PlaceOptions,
): Promise<ImageSource> {
  const folder = await locateDataset(description.path, "cifar-10-batches-bin", options);
  const names = [...cifar10BinaryTrainFiles, cifar10BinaryTestFile];
  if (await isPresent(join(folder, namesFile))) names.push(namesFile);
  const files = await Promise.all(
    names.map(async (name) => ({ name, path: join(folder, name), sha256: await digestOfFile(join(folder, name)) })),
  );
  return {
    name: "cifar10",
    files,
    citation: cifar10Citation,
    licence: cifar10Licence,
    options: {},
    async decode(watch) {
      const classNames = names.includes(namesFile) ? await readClassNames(join(folder, namesFile)) : cifar10ClassNames;
      const trainPaths = cifar10BinaryTrainFiles.map((name) => join(folder, name));
      const train = await readRecords(trainPaths, classNames.length, watch);
      const test = await readRecords([join(folder, cifar10BinaryTestFile)], classNames.length, watch);
      return { classNames, imageShape: cifar10Shape, train, test };
    },
  };
}

async function readClassNames(path: string): Promise<string[]> {
  const text = new TextDecoder().decode(await readWholeFile(path, 10_000));
  const names = text.split(/\r?\n/).flatMap((line) => line.trim() || []);
  if (names.length !== cifar10ClassNames.length || new Set(names).size !== names.length) {
    throw inputError("class_names", "class names do not fit CIFAR-10", {
      file: path,
      expected: `${cifar10ClassNames.length} different names, one a line`,
      received: `${names.length}`,
    });
  }
  return names;
}

async function readRecords(paths: readonly string[], classCount: number, watch: Watch): Promise<LabelledImages> {
  const contents: Uint8Array[] = [];
  for (const path of paths) contents.push(await readWholeFile(path, maximumFileBytes));
  contents.forEach((bytes, index) => {
    if (bytes.length > 0 && bytes.length % recordBytes === 0) return;
    throw inputError("cifar10_size", "file is not made of whole records", {
      file: paths[index],
      expected: `a multiple of ${recordBytes} bytes (official files: ${10_000 * recordBytes})`,
      received: `${bytes.length}`,
    });
  });
  const count = contents.reduce((sum, bytes) => sum + bytes.length / recordBytes, 0);
  const target = allocateImages(count, cifar10Shape, classCount);
  let image = 0;
  for (const [index, bytes] of contents.entries()) {
    await reportDecoding(watch, "cifar10", image, count);
    for (let start = 0; start < bytes.length; start += recordBytes, image++) {
      const label = bytes[start]!;
      if (label >= classCount) {
        throw inputError("label_range", `label of record ${start / recordBytes}`, {
          file: paths[index],
          expected: `0 to ${classCount - 1}`,
          received: `${label}`,
        });
      }
      target.labels[image] = label;
      target.images.set(bytes.subarray(start + 1, start + recordBytes), image * pixelBytes);
    }
  }
  await reportDecoding(watch, "cifar10", count, count);
  return target;
}
