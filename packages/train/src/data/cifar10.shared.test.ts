import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOfFile, readWholeFile } from "../files/read-file.js";
import { loadDataset } from "./load.js";
import { locateBundledPack } from "./locate.js";
import { decodePack } from "./pack/read-pack.js";
import { encodePack } from "./pack/write-pack.js";
import { readJpegArchive } from "./sources/cifar10-jpeg-archive.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const environment = { DOVETAIL_DATA: join(shared, "data") };
const archivePath = (name: string) => join(environment.DOVETAIL_DATA, "cifar10", `${name}.zip`);
let cacheFolder: string;

beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), "dovetail-"));
});

afterAll(() => rm(cacheFolder, { recursive: true }));

test("the bundled pack holds the archives' files byte for byte, and can be built anew to the same bits", async () => {
  const pack = await readWholeFile(await locateBundledPack(), 8_000_000);
  const { description, parts } = decodePack(pack);
  const rebuilt = {} as Record<"train" | "test", { files: Uint8Array[]; labels: Uint8Array }>;
  for (const [part, perClass] of [
    ["train", 1500],
    ["test", 1000],
  ] as const) {
    const { entries, classNames } = await readJpegArchive(archivePath(part));
    expect(description.classNames).toEqual(classNames);
    const chosen = classNames.flatMap((_, label) =>
      entries.filter((entry) => entry.label === label).slice(0, perClass),
    );
    expect(parts[part].labels.length).toBe(chosen.length);
    const differing = chosen.filter((entry, index) => Buffer.compare(entry.bytes, parts[part].file(index)) !== 0);
    expect(differing).toEqual([]);
    rebuilt[part] = {
      files: chosen.map((entry) => entry.bytes),
      labels: Uint8Array.from(chosen, (entry) => entry.label),
    };
    const origin = description.originFiles.find((file) => file.name === `${part}.zip`);
    expect(origin?.sha256).toBe(await digestOfFile(archivePath(part)));
  }
  const { prefixBytes: _, parts: __, ...rest } = description;
  expect(Buffer.compare(encodePack(rest, rebuilt), pack)).toBe(0);
});

test("all 60,000 images decode, the cache gives the same, and sharp agrees on a sample", async () => {
  const description = { kind: "cifar10-jpeg-zip", validationImagesPerClass: 0 } as const;
  const decoded = await loadDataset(description, { environment, cacheFolder });
  expect(decoded.parts).toEqual({ train: { count: 50_000 }, validation: { count: 0 }, test: { count: 10_000 } });
  const cached = await loadDataset(description, { environment, cacheFolder });
  const { entries } = await readJpegArchive(archivePath("train"));
  for (const part of ["train", "test"] as const) {
    expect(Buffer.compare(decoded.images(part), cached.images(part))).toBe(0);
    expect(Buffer.compare(decoded.labels(part) as Uint8Array, cached.labels(part) as Uint8Array)).toBe(0);
  }
  for (let index = 0; index < 50_000; index += 499) {
    const expected = await sharp(entries[index]!.bytes).raw().toBuffer();
    const planes = decoded.images("train").subarray(index * 3072, (index + 1) * 3072);
    expect(
      expected.every((value, position) => value === planes[(position % 3) * 1024 + Math.floor(position / 3)]),
    ).toBe(true);
  }
});
