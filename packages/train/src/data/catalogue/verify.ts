import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inputError, type Watch } from "@dovetail/core";
import { writeError, writeFileAtomically } from "../../files/atomic-file.js";
import { digestOfFile, readWholeFile } from "../../files/read-file.js";
import type { Labels } from "../dataset.js";
import { datasetDescriptionSchema } from "../description.js";
import type { PlaceOptions } from "../locate.js";
import { openSource } from "../sources/table.js";
import type { KnownDataset } from "./known.js";
import { findKnownFile, knownDataset, usualFolder } from "./status.js";

/** Largest file that is imported. */
const maximumFileBytes = 2 ** 31 - 1;

/** How one file of a data set compares with what its publisher states. */
export interface FileVerification {
  readonly name: string;
  readonly path: string;
  /** `unstated`: the publisher states no hash for this file. */
  readonly verdict: "as published" | "other contents" | "unstated";
  readonly expected?: string | undefined;
  readonly received: string;
}

/** The outcome of `verifyDataset`. */
export interface DatasetVerification {
  readonly name: string;
  readonly files: readonly FileVerification[];
  readonly images: { readonly train: number; readonly test: number };
  /** Each class that has another number of images than published: "train airplane: expected 5000, received 4999". */
  readonly wrongCounts: readonly string[];
  /** No file with other contents, no wrong count. */
  readonly isAsPublished: boolean;
}

/**
 * Checks a known data set: the hash of each file, that every image decodes, the number of images of each class. Looks in
 * `folder`, by default where the data set usually lies. Throws input errors `unknown_dataset`, `dataset_missing` and
 * those of the readers.
 */
export async function verifyDataset(
  name: string,
  options: PlaceOptions & Watch & { readonly folder?: string | undefined } = {},
): Promise<DatasetVerification> {
  const known = await knownDataset(name, options);
  const folder = options.folder === undefined ? known.place : resolve(options.baseFolder ?? ".", options.folder);
  if (folder === undefined)
    throw missing(
      known,
      known.files.map((file) => file.name),
      "DOVETAIL_DATA is not set",
    );
  const files = await verifyFiles(known, folder);
  const path = known.folder === undefined ? join(folder, known.files[0]!.name) : folder;
  const source = await openSource(datasetDescriptionSchema.parse({ ...known.description, path }), options);
  const { train, test, classNames } = await source.decode(options);
  const wrongCounts = known.imagesPerClass
    ? [
        ...wrongCountsOf("train", train.labels, classNames, known.imagesPerClass.train),
        ...wrongCountsOf("test", test.labels, classNames, known.imagesPerClass.test),
      ]
    : [];
  return {
    name,
    files,
    images: { train: train.labels.length, test: test.labels.length },
    wrongCounts,
    isAsPublished: wrongCounts.length === 0 && files.every((file) => file.verdict !== "other contents"),
  };
}

/**
 * Copies the files of a known data set from `folder` to where it usually lies, $DOVETAIL_DATA, after a check that they decode. Throws input errors `import_bundled`, `dataset_missing` and those of `verifyDataset`, and the environment
 * errors of `writeFileAtomically`. Gives the outcome of the check, and where the files are now.
 */
export async function importDataset(
  name: string,
  folder: string,
  options: PlaceOptions & Watch = {},
): Promise<DatasetVerification & { readonly place: string }> {
  const known = await knownDataset(name, options);
  if (known.folder === undefined) throw inputError("import_bundled", `"${name}" comes with Dovetail already`);
  const place = usualFolder(known, options);
  if (place === undefined) {
    throw inputError("data_folder_unset", "nowhere to import to", {
      expected: "the environment variable DOVETAIL_DATA, a folder for data sets",
    });
  }
  const from = resolve(options.baseFolder ?? ".", folder);
  const verification = await verifyDataset(name, { ...options, folder: from });
  await mkdir(place, { recursive: true }).catch((error: unknown) => {
    throw writeError(place, error);
  });
  for (const { name: file, path } of verification.files) {
    await writeFileAtomically(join(place, file), await readWholeFile(path, maximumFileBytes));
  }
  return { ...verification, place };
}

async function verifyFiles(known: KnownDataset, folder: string): Promise<FileVerification[]> {
  const found = await findFiles(known, folder);
  return Promise.all(
    known.files.map(async (file, index): Promise<FileVerification> => {
      const name = found[index]!;
      const path = join(folder, name);
      // What is published is the hash of the gzipped file; nothing is known of an unpacked one.
      const checksum = name === file.name ? file.checksum : undefined;
      const received = await digestOfFile(path, checksum?.algorithm ?? "sha256");
      if (!checksum) return { name, path, verdict: "unstated", received };
      const verdict = received === checksum.value ? "as published" : "other contents";
      return { name, path, verdict, expected: checksum.value, received };
    }),
  );
}

/** The names under which the files of a data set lie in `folder`. Throws when one is missing. */
async function findFiles(known: KnownDataset, folder: string): Promise<string[]> {
  const found: string[] = [];
  const absent: string[] = [];
  for (const { name } of known.files) {
    const place = await findKnownFile(folder, name);
    if (place === undefined) absent.push(name);
    else found.push(place);
  }
  if (absent.length > 0) throw missing(known, absent, folder);
  return found;
}

function wrongCountsOf(part: string, labels: Labels, classNames: readonly string[], expected: number): string[] {
  const counts = new Uint32Array(classNames.length);
  for (const label of labels) counts[label]! += 1;
  return classNames.flatMap((className, label) =>
    counts[label] === expected ? [] : [`${part} ${className}: expected ${expected}, received ${counts[label]}`],
  );
}

function missing(known: KnownDataset, names: readonly string[], place: string): Error {
  return inputError("dataset_missing", `files of ${known.name} are missing: ${names.join(", ")}`, {
    file: place,
    hint: `where to get them: ${known.whereToGet}`,
  });
}
