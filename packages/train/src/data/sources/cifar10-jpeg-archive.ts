import { join } from "node:path";
import { inputError, withPlace } from "@dovetail/core";
import { digestOfFile, readWholeFile } from "../../files/read-file.js";
import { cifar10Citation, cifar10Licence, cifar10Shape } from "../cifar10.js";
import type { LabelledImages } from "../dataset.js";
import type { DescriptionOf } from "../description.js";
import { locateDataset, type PlaceOptions } from "../locate.js";
import type { ImageSource } from "../source.js";
import { readZip, type ZipLimits } from "../zip/read-zip.js";
import { decodeJpegs } from "./decode-jpegs.js";

const maximumArchiveBytes = 2 ** 30;
const limits: ZipLimits = { entries: 65_534, entryBytes: 2 ** 16, totalBytes: 2 ** 30 };

/** The JPEG files of one archive, ordered by class and then by name. */
export interface JpegArchive {
  readonly classNames: readonly string[];
  readonly entries: readonly { readonly name: string; readonly label: number; readonly bytes: Uint8Array }[];
}

/** CIFAR-10 as `train.zip` and `test.zip` with entries `CLASS/NUMBER.jpg`. */
export async function openCifar10JpegArchive(
  description: DescriptionOf<"cifar10-jpeg-zip">,
  options: PlaceOptions,
): Promise<ImageSource> {
  const folder = await locateDataset(description.path, "cifar10", options);
  const files = await Promise.all(
    ["train.zip", "test.zip"].map(async (name) => {
      const path = join(folder, name);
      return { name, path, sha256: await digestOfFile(path) };
    }),
  );
  return {
    name: "cifar10",
    files,
    citation: cifar10Citation,
    licence: cifar10Licence,
    options: {},
    async decode(watch) {
      const [trainPath, testPath] = files.map((file) => file.path) as [string, string];
      const trainArchive = await readJpegArchive(trainPath);
      const { classNames } = trainArchive;
      const decodeArchive = (archive: JpegArchive, file: string): Promise<LabelledImages> =>
        decodeJpegs(
          {
            count: archive.entries.length,
            bytes: (index) => archive.entries[index]!.bytes,
            label: (index) => archive.entries[index]!.label,
            name: (index) => archive.entries[index]!.name,
          },
          { name: "cifar10", file, imageShape: cifar10Shape, classCount: classNames.length, watch },
        );
      const train = await decodeArchive(trainArchive, trainPath);
      const test = await decodeArchive(await readJpegArchive(testPath, classNames), testPath);
      return { classNames, imageShape: cifar10Shape, train, test };
    },
  };
}

/**
 * Reads an archive of JPEG files in one folder per class. `classNames`, where given, are the classes that must be there
 * and no others. Throws input errors `archive_entry`, `archive_classes` and those of `readZip`.
 */
export async function readJpegArchive(path: string, classNames?: readonly string[]): Promise<JpegArchive> {
  const archive = await readWholeFile(path, maximumArchiveBytes);
  try {
    const entries = readZip(archive, limits).map(({ name, bytes }) => {
      const [className, file, ...rest] = name.split("/");
      if (!className || !file || rest.length > 0 || !/\.jpe?g$/i.test(file)) {
        throw inputError("archive_entry", "unexpected entry", { expected: "CLASS/NAME.jpg", received: `"${name}"` });
      }
      return { name, className, bytes };
    });
    const found = [...new Set(entries.map((entry) => entry.className))].sort();
    const expected = classNames ?? found;
    if (expected.length < 2 || found.join("/") !== expected.join("/")) {
      throw inputError("archive_classes", "classes do not fit", {
        expected: classNames ? classNames.join(", ") : "at least 2 folders",
        received: found.join(", ") || "none",
      });
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return {
      classNames: expected,
      entries: entries.map(({ name, className, bytes }) => ({ name, bytes, label: expected.indexOf(className) })),
    };
  } catch (error) {
    throw withPlace(error, { file: path });
  }
}
