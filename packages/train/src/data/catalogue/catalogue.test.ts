import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { datasetDescriptionSchema } from "../description.js";
import { locateBundledPack } from "../locate.js";
import { knownDatasetTable } from "./known.js";
import { knownDataset, knownDatasets } from "./status.js";
import { importDataset, verifyDataset } from "./verify.js";

let folder: string;
let environment: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-"));
  environment = { DOVETAIL_DATA: join(folder, "data") };
});

afterEach(() => rm(folder, { recursive: true }));

/** Official-looking files with a few images. */
async function putBinaryFiles(place: string): Promise<void> {
  await mkdir(place, { recursive: true });
  const records = Buffer.concat(
    Array.from({ length: 10 }, (_, label) => Buffer.from([label, ...Array<number>(3072).fill(9)])),
  );
  for (const name of ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]) {
    await writeFile(join(place, `${name}.bin`), records);
  }
}

test("every known data set has a description that a recipe can use, and says where to get it", async () => {
  for (const known of knownDatasetTable) {
    expect(datasetDescriptionSchema.safeParse(known.description).success).toBe(true);
    expect(known.whereToGet.length).toBeGreaterThan(10);
  }
  const bare = await knownDatasets({ environment: {} });
  expect(bare.map(({ name, place, missing }) => [name, place !== undefined, missing.length])).toEqual([
    ["cifar10-bundled", true, 0],
    ["cifar10-jpeg", false, 2],
    ["cifar10-binary", false, 6],
    ["mnist", false, 4],
    ["fashion-mnist", false, 4],
  ]);
});

test("what is there and what is missing, a gzipped file may have been unpacked", async () => {
  await mkdir(join(folder, "data", "mnist"), { recursive: true });
  await writeFile(join(folder, "data", "mnist", "train-images-idx3-ubyte"), "");
  const { place, missing } = await knownDataset("mnist", { environment });
  expect(place).toBe(join(folder, "data", "mnist"));
  expect(missing).toEqual(["train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]);
  await expect(knownDataset("minst")).rejects.toThrow(/received "minst" \(did you mean "mnist"\?\)/);
});

test("the bundled images are as they were published; another file is not", async () => {
  const verification = await verifyDataset("cifar10-bundled");
  expect(verification).toMatchObject({ isAsPublished: true, wrongCounts: [], images: { train: 15_000, test: 10_000 } });
  expect(verification.files.map((file) => file.verdict)).toEqual(["as published"]);
  await copyFile(await locateBundledPack(), join(folder, "cifar10.dvpack"));
  expect((await verifyDataset("cifar10-bundled", { folder })).isAsPublished).toBe(true);
  await writeFile(join(folder, "cifar10.dvpack"), "DVPACK");
  await expect(verifyDataset("cifar10-bundled", { folder })).rejects.toThrow(
    /cifar10\.dvpack: corrupt pack: not a pack/,
  );
});

test("import checks and copies; classes with too few images are told", async () => {
  await putBinaryFiles(join(folder, "download"));
  const outcome = await importDataset("cifar10-binary", "download", { environment, baseFolder: folder });
  expect(outcome.place).toBe(join(folder, "data", "cifar-10-batches-bin"));
  expect(outcome.isAsPublished).toBe(false);
  expect(outcome.wrongCounts[0]).toBe("train airplane: expected 5000, received 5");
  expect(outcome.wrongCounts.length).toBe(20);
  expect((await readdir(outcome.place)).length).toBe(6);
  expect((await knownDataset("cifar10-binary", { environment })).missing).toEqual([]);
  expect((await verifyDataset("cifar10-binary", { environment })).files[0]?.verdict).toBe("unstated");
});

test("import refuses what is incomplete, broken or without a place to go, and copies nothing then", async () => {
  await putBinaryFiles(join(folder, "download"));
  const options = { environment, baseFolder: folder };
  await expect(importDataset("cifar10-binary", "download", { ...options, environment: {} })).rejects.toThrow(
    /nowhere to import to: expected the environment variable DOVETAIL_DATA/,
  );
  await expect(importDataset("cifar10-bundled", "download", options)).rejects.toThrow(/comes with Dovetail already/);
  await writeFile(join(folder, "download", "data_batch_3.bin"), "short");
  await expect(importDataset("cifar10-binary", "download", options)).rejects.toThrow(
    /data_batch_3\.bin: file is not made/,
  );
  await rm(join(folder, "download", "test_batch.bin"));
  await expect(importDataset("cifar10-binary", "download", options)).rejects.toThrow(
    /download: files of cifar10-binary are missing: test_batch\.bin \(where to get them: unpack https:/,
  );
  await expect(verifyDataset("mnist", { environment: {} })).rejects.toThrow(/DOVETAIL_DATA is not set: files of mnist/);
  expect(await readdir(folder)).toEqual(["download"]);
});
