import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cifar10ClassNames } from "./cifar10.js";
import type { DatasetDescriptionInput } from "./description.js";
import { type LoadOptions, loadDataset } from "./load.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), contents);
}

const load = (description: DatasetDescriptionInput, options: LoadOptions = {}) =>
  loadDataset({ validationFraction: 0.5, ...description }, { environment: {}, baseFolder: folder, ...options });

const square = (size: number, shade: number) =>
  sharp({ create: { width: size, height: size, channels: 3, background: { r: shade, g: 255 - shade, b: 7 } } });

/** Records of CIFAR-10: label, then 3,072 bytes that equal the label plus `shift`. */
function records(labels: readonly number[], shift = 0): Buffer {
  return Buffer.concat(labels.map((label) => Buffer.from([label, ...Array<number>(3072).fill(label + shift)])));
}

describe("CIFAR-10's binary files", () => {
  const balanced = Array.from({ length: 20 }, (_, index) => index % 10);
  const description = { kind: "cifar10-binary", path: "bin" } as const;

  beforeEach(async () => {
    for (let batch = 1; batch <= 5; batch++) await put(`bin/data_batch_${batch}.bin`, records(balanced, batch));
    await put("bin/test_batch.bin", records(balanced, 100));
  });

  test("are read file by file, and the images keep their labels", async () => {
    const dataset = await load({ ...description, validationFraction: 0 });
    expect(dataset).toMatchObject({ name: "cifar10", classNames: cifar10ClassNames, imageShape: [3, 32, 32] });
    expect(dataset.parts).toEqual({ train: { count: 100 }, validation: { count: 0 }, test: { count: 20 } });
    expect(Array.from(dataset.labels("train").subarray(0, 12))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    expect(dataset.images("train")[99 * 3072 + 5]).toBe(9 + 5);
    expect(dataset.images("test")[3 * 3072]).toBe(103);
    expect(dataset.channelMean).toEqual([7.5, 7.5, 7.5]);
    expect(dataset.source.files.map((file) => file.name)).toContain("data_batch_3.bin");
    expect(dataset.images("train").buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test("batches.meta.txt gives the names, where it is there", async () => {
    const names = "abcdefghij".split("");
    await put("bin/batches.meta.txt", `${names.join("\n")}\n\n`);
    expect((await load(description)).classNames).toEqual(names);
    await put("bin/batches.meta.txt", "one\ntwo\n");
    await expect(load(description)).rejects.toThrow(
      /batches.meta.txt: class names do not fit.*10 different names.* 2$/,
    );
  });

  test("malformed files are named", async () => {
    await put("bin/data_batch_2.bin", records(balanced).subarray(0, -1));
    await expect(load(description)).rejects.toThrow(
      /data_batch_2\.bin: file is not made of whole records: expected a multiple of 3073 bytes .* received 61459/,
    );
    await put("bin/data_batch_2.bin", records([1, 10]));
    await expect(load(description)).rejects.toThrow(
      /data_batch_2\.bin: label of record 1: expected 0 to 9, received 10/,
    );
    await rm(join(folder, "bin/data_batch_2.bin"));
    await expect(load(description)).rejects.toThrow(/data_batch_2\.bin: no such file or folder/);
  });
});

describe("CIFAR-10 as JPEG archives", () => {
  const description = { kind: "cifar10-jpeg-zip", path: "zips" } as const;
  const archiveOf = (entries: Record<string, Uint8Array>) => zipSync(entries, { level: 0, mtime: "2020-01-01" });
  let entries: Record<string, Uint8Array>;

  beforeEach(async () => {
    entries = {};
    for (const [label, className] of ["bird", "ant"].entries()) {
      for (let index = 0; index < 4; index++) {
        entries[`${className}/${index}.jpg`] = await square(32, 40 * label + 10 * index)
          .jpeg({ quality: 95 })
          .toBuffer();
      }
    }
    await put("zips/train.zip", archiveOf(entries));
    await put("zips/test.zip", archiveOf(entries));
  });

  test("are decoded class by class, in the order of their names", async () => {
    const dataset = await load({ ...description, validationFraction: 0 });
    expect(dataset.classNames).toEqual(["ant", "bird"]);
    expect(Array.from(dataset.labels("test"))).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    const expected = await sharp(entries["ant/1.jpg"]!).raw().toBuffer();
    expect([0, 1024, 2048].map((at) => dataset.images("train")[3072 + at])).toEqual([...expected.subarray(0, 3)]);
  });

  test("a corrupt image is named, and so are strange entries and classes", async () => {
    const jpeg = entries["ant/2.jpg"]!;
    await put("zips/train.zip", archiveOf({ ...entries, "ant/2.jpg": jpeg.subarray(0, -9) }));
    await expect(load(description)).rejects.toThrow(/train\.zip: ant\/2\.jpg: corrupt JPEG: no end marker/);
    const large = await square(33, 5).jpeg().toBuffer();
    await put("zips/train.zip", archiveOf({ ...entries, "ant/2.jpg": large }));
    await expect(load(description)).rejects.toThrow(
      /ant\/2\.jpg: image has another size: expected 32×32 pixels, received 33×33/,
    );
    await put("zips/train.zip", archiveOf({ ...entries, "readme.txt": jpeg }));
    await expect(load(description)).rejects.toThrow(
      /train\.zip: unexpected entry: expected CLASS\/NAME\.jpg, received "readme/,
    );
    await put("zips/train.zip", archiveOf({ ...entries, "../ant/2.jpg": jpeg }));
    await expect(load(description)).rejects.toThrow(/train\.zip: entry with an unsafe name/);
    await put("zips/train.zip", archiveOf({ "ant/1.jpg": jpeg }));
    await expect(load(description)).rejects.toThrow(
      /train\.zip: classes do not fit: expected at least 2 folders, received ant/,
    );
    await put("zips/train.zip", archiveOf(entries));
    await put("zips/test.zip", archiveOf({ ...entries, "cow/1.jpg": jpeg }));
    await expect(load(description)).rejects.toThrow(
      /test\.zip: classes do not fit: expected ant, bird, received ant, bird, cow/,
    );
    await put("zips/test.zip", "PK");
    await expect(load(description)).rejects.toThrow(/test\.zip: corrupt archive: no end-of-directory record/);
  });
});

describe("IDX files", () => {
  const description = { kind: "idx" as const, path: "mnist", classNames: ["odd", "even"] };

  function idx(dimensions: readonly number[], values: readonly number[], magic = 0x800 + dimensions.length): Buffer {
    const head = Buffer.alloc(4 + 4 * dimensions.length);
    head.writeUInt32BE(magic);
    dimensions.forEach((size, index) => {
      head.writeUInt32BE(size, 4 + 4 * index);
    });
    return Buffer.concat([head, Buffer.from(values)]);
  }

  beforeEach(async () => {
    const pixels = Array.from({ length: 24 }, (_, index) => index);
    await put("mnist/train-images-idx3-ubyte.gz", gzipSync(idx([4, 2, 3], pixels)));
    await put("mnist/train-labels-idx1-ubyte", idx([4], [0, 1, 1, 0]));
    await put("mnist/t10k-images.idx3-ubyte", idx([4, 2, 3], pixels));
    await put("mnist/t10k-labels-idx1-ubyte.gz", gzipSync(idx([4], [1, 1, 0, 0])));
  });

  test("are read gzipped or raw, with a dash or a dot", async () => {
    const dataset = await load({ ...description, validationFraction: 0 });
    expect(dataset).toMatchObject({ name: "mnist", imageShape: [1, 2, 3], classNames: ["odd", "even"] });
    expect(Array.from(dataset.labels("train"))).toEqual([0, 1, 1, 0]);
    expect(Array.from(dataset.images("test"))).toEqual(Array.from({ length: 24 }, (_, index) => index));
  });

  test("DOVETAIL_DATA is where relative paths are looked for last", async () => {
    const elsewhere = { baseFolder: join(folder, "nowhere"), environment: { DOVETAIL_DATA: folder } };
    expect((await load({ ...description, path: undefined }, elsewhere)).parts.test.count).toBe(4);
    expect((await load(description, elsewhere)).parts.test.count).toBe(4);
    await expect(load(description, { ...elsewhere, environment: {} })).rejects.toThrow(
      /mnist: data set not found: expected one of .*nowhere\/mnist \(`dovetail data` tells/,
    );
    await expect(load({ kind: "idx" })).rejects.toThrow(/not found \(mnist\): expected a path, or .* DOVETAIL_DATA/);
  });

  test("malformed files are named", async () => {
    const labels = "mnist/train-labels-idx1-ubyte";
    const cases: [string, Uint8Array, RegExp][] = [
      [
        labels,
        idx([4], [0, 1, 1, 0], 0x803),
        /train-labels-idx1-ubyte: not an IDX file .* expected 0x00000801 .*0x00000803/,
      ],
      [labels, Buffer.from([0, 0]), /not an IDX file of bytes with 1 dimensions: .* received 2 bytes/],
      [labels, idx([4], [0, 1, 1]), /size does not fit dimensions 4: expected 12 bytes, received 11/],
      [labels, idx([0], []), /expected at least one value/],
      [labels, idx([3], [0, 1, 1]), /number of labels differs .* expected 4, received 3/],
      [labels, idx([4], [0, 1, 2, 0]), /label of image 2: expected 0 to 1, received 2/],
      [labels, Buffer.from([0x1f, 0x8b, 1]), /corrupt gzip file/],
      [
        "mnist/t10k-images.idx3-ubyte",
        idx([4, 3, 2], Array<number>(24).fill(0)),
        /another size .* expected 2×3, received 3×2/,
      ],
      ["mnist/t10k-images.idx3-ubyte", idx([4, 3, 2], []).subarray(0, 9), /cut short in its header/],
    ];
    for (const [name, contents, message] of cases) {
      const before = await readFile(join(folder, name));
      await put(name, contents);
      await expect(load(description)).rejects.toThrow(message);
      await put(name, before);
    }
    await rm(join(folder, labels));
    await expect(load(description)).rejects.toThrow(
      /mnist: file of the data set is missing: expected train-labels-idx1-ubyte.gz or train-labels-idx1-ubyte or/,
    );
  });
});

describe("folders of images", () => {
  const imageSize: [number, number] = [4, 6];
  const description = { kind: "image-folder" as const, path: "pets", imageSize };

  async function fill(prefix: string, count: number): Promise<void> {
    for (const [label, className] of ["cat", "dog"].entries()) {
      for (let index = 0; index < count; index++) {
        const formats = ["png", "webp", "jpeg"] as const;
        const format = formats[index % 3]!;
        const options = { quality: 100, lossless: true, chromaSubsampling: "4:4:4" };
        const extension = ["png", "webp", "JPG"][index % 3]!;
        await put(
          `${prefix}/${className}/${index}.${extension}`,
          await square(8, 100 * label + 4 * index)
            .toFormat(format, options)
            .toBuffer(),
        );
      }
    }
  }

  test("train and test folders; every format; colour and grey; other files are ignored", async () => {
    await fill("pets/train", 4);
    await fill("pets/test", 2);
    await put("pets/train/cat/notes.txt", "");
    const dataset = await load({ ...description, validationFraction: 0 });
    expect(dataset).toMatchObject({ name: "pets", classNames: ["cat", "dog"], imageShape: [3, 4, 6] });
    expect(dataset.parts).toEqual({ train: { count: 8 }, validation: { count: 0 }, test: { count: 4 } });
    const image = dataset.images("train").subarray(4 * 72, 5 * 72);
    expect(Array.from(image)).toEqual([100, 155, 7].flatMap((shade) => Array<number>(24).fill(shade)));
    const grey = await load({ ...description, channels: 1, validationFraction: 0 });
    expect(grey.imageShape).toEqual([1, 4, 6]);
    expect(grey.images("test").length).toBe(4 * 24);
    expect(new Set(grey.images("test").subarray(2 * 24, 3 * 24)).size).toBe(1);
  });

  test("without a test folder the same share of each class is held out, by the seed", async () => {
    await fill("pets", 10);
    const dataset = await load({
      ...description,
      testFraction: 0.3,
      validationImagesPerClass: 2,
      validationFraction: undefined,
    });
    expect(dataset.parts).toEqual({ train: { count: 10 }, validation: { count: 4 }, test: { count: 6 } });
    const shades = (["train", "validation", "test"] as const).flatMap((part) =>
      Array.from(dataset.labels(part), (label, index) => [label, dataset.images(part)[index * 72]!].join()),
    );
    expect(new Set(shades).size).toBe(20);
    const other = await load({ ...description, testFraction: 0.3, seed: 1 });
    expect(Array.from(other.images("test"))).not.toEqual(Array.from(dataset.images("test")));
  });

  test("fit: contain adds black borders, cover does not", async () => {
    await fill("pets", 3);
    const borders = async (fit: "contain" | "cover" | "fill") =>
      (await load({ ...description, fit })).images("test")[0]!;
    const filled = await load({ ...description, fit: "cover" });
    expect(await borders("contain")).toBe(0);
    expect(
      filled
        .images("test")
        .subarray(2 * 24, 3 * 24)
        .every((value) => value === 7),
    ).toBe(true);
  });

  test("malformed folders and images are named", async () => {
    await expect(load(description)).rejects.toThrow(/pets: data set not found/);
    await fill("pets", 3);
    await put("pets/dog/1.webp", (await readFile(join(folder, "pets/dog/1.webp"))).subarray(0, 30));
    await expect(load(description)).rejects.toThrow(
      /pets\/dog\/1\.webp: cannot decode the image \(.*\): expected a whole JPEG/,
    );
    await put("pets/empty/notes.txt", "");
    await expect(load(description)).rejects.toThrow(
      /pets\/empty: no image in this class's folder: .* received 1 other files/,
    );
    await put("pets/train/x", "");
    await expect(load(description)).rejects.toThrow(/pets: there is a folder train, but no folder test beside it/);
    await put("lonely/cat/x.png", "");
    await expect(load({ ...description, path: "lonely" })).rejects.toThrow(/at least 2 folders, received 1/);
    await fill("two/train", 1);
    await fill("two/test", 1);
    await put("two/test/cow/x.png", "");
    await expect(load({ ...description, path: "two" })).rejects.toThrow(
      /other classes than train: expected cat, dog, received cat, cow, dog/,
    );
    await put("file", "");
    await expect(load({ ...description, path: "file" })).rejects.toThrow(
      /file: a part of the path is a file, not a folder/,
    );
  });
});

describe("the cache of decoded images", () => {
  const description = { kind: "cifar10-binary", path: "bin", validationFraction: 0 } as const;
  let warnings: string[];
  let progress: number;
  const options = (): LoadOptions => ({
    cacheFolder: join(folder, "cache"),
    log: { info: () => undefined, warn: (message) => warnings.push(message) },
    onProgress: () => {
      progress += 1;
    },
  });
  const cacheFiles = () => readdir(join(folder, "cache"));

  beforeEach(async () => {
    warnings = [];
    progress = 0;
    for (let batch = 1; batch <= 5; batch++) {
      await put(`bin/data_batch_${batch}.bin`, records([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], batch));
    }
    await put("bin/test_batch.bin", records([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 50));
  });

  test("is written once, read again, and gives the same images for every split", async () => {
    const first = await load(description, options());
    expect(progress).toBeGreaterThan(0);
    progress = 0;
    const second = await load(description, options());
    expect(progress).toBe(0);
    expect((await cacheFiles()).length).toBe(1);
    for (const part of ["train", "test"] as const) {
      expect(Buffer.compare(first.images(part), second.images(part))).toBe(0);
      expect(Array.from(first.labels(part))).toEqual(Array.from(second.labels(part)));
    }
    expect(second.images("train").buffer).toBeInstanceOf(SharedArrayBuffer);
    await load({ ...description, validationImagesPerClass: 1, validationFraction: undefined }, options());
    expect((await cacheFiles()).length).toBe(1);
    expect(warnings).toEqual([]);
  });

  test("changed source files are decoded anew", async () => {
    await load(description, options());
    await put("bin/test_batch.bin", records([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 60));
    expect((await load(description, options())).images("test")[0]).toBe(60);
    expect((await cacheFiles()).length).toBe(2);
  });

  test("a damaged cache is made again, wherever the damage is", async () => {
    await load(description, options());
    const path = join(folder, "cache", (await cacheFiles())[0]!);
    const original = await readFile(path);
    const headerBytes = Number(original.readBigUInt64LE());
    const damages = [
      original.subarray(0, 5),
      original.subarray(0, -1),
      Buffer.alloc(0),
      Buffer.from(original.toString("latin1").replace("[50,3,32,32]", "[50,32,3,32]"), "latin1"),
      Buffer.from(original.toString("latin1").replace("airplane", "airplone"), "latin1"),
      Buffer.concat([
        original.subarray(0, 8 + headerBytes + 77),
        Buffer.from([1]),
        original.subarray(8 + headerBytes + 78),
      ]),
    ];
    for (const damaged of damages) {
      expect(damaged.equals(original)).toBe(false);
      warnings = [];
      progress = 0;
      await writeFile(path, damaged);
      expect((await load(description, options())).images("test")[0]).toBe(50);
      expect(warnings).toEqual([expect.stringMatching(/is damaged and is made again/)]);
      expect(progress).toBeGreaterThan(0);
      expect((await readFile(path)).equals(original)).toBe(true);
    }
  });

  test("a cache that cannot be written is only a warning", async () => {
    await put("cache", "a file, not a folder");
    expect((await load(description, options())).parts.test.count).toBe(10);
    expect(warnings).toEqual([
      expect.stringMatching(/not kept for the next time: .*cache.*: a part of the path is a file/),
    ]);
    expect((await stat(join(folder, "cache"))).isFile()).toBe(true);
  });

  test("loading stops when it is cancelled", async () => {
    const reason = new Error("enough");
    await expect(load(description, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test("descriptions that make no sense are refused with the field's name", async () => {
  const bad = (value: object) => loadDataset(value as never);
  await expect(bad({ kind: "cifar11" })).rejects.toThrow(/^kind: /);
  await expect(bad({ kind: "idx", colour: 3 })).rejects.toThrow(/colour/);
  await expect(bad({ kind: "bundled-cifar10", validationFraction: 1 })).rejects.toThrow(/^validationFraction: /);
  await expect(bad({ kind: "bundled-cifar10", validationFraction: 0.1, validationImagesPerClass: 1 })).rejects.toThrow(
    /^validationImagesPerClass: give validationFraction or validationImagesPerClass, not both/,
  );
  await expect(bad({ kind: "image-folder", path: "x" })).rejects.toThrow(/^imageSize: /);
});
