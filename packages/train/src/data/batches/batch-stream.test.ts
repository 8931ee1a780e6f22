import { spawn } from "node:child_process";
import { createRandomStream, DovetailError, workerUrl } from "@dovetail/core";
import { afterEach, describe, expect, test } from "vitest";
import { allocateImages, type ImageDataset } from "../dataset.js";
import { createDataset } from "../load.js";
import { augmentationSchema } from "./augmentation.js";
import { allocateBatch, createBatchFiller } from "./batch-plan.js";
import { type Batch, type BatchStream, type BatchStreamOptions, createBatchStream } from "./batch-stream.js";
import { iterateBatches } from "./iterate-batches.js";

const imageShape = [3, 8, 8] as const;
const size = 192;
const augmentation = augmentationSchema.parse({ flip: true, cropPadding: 2, cutout: 3 });

/** Images all of whose bytes are their index. */
function datasetOf(count: number): ImageDataset {
  const part = (length: number) => {
    const target = allocateImages(length, imageShape, 10);
    for (let index = 0; index < length; index++) {
      target.images.fill(index, index * size, (index + 1) * size);
      target.labels[index] = index % 10;
    }
    return target;
  };
  const classNames = Array.from({ length: 10 }, (_, label) => `${label}`);
  const parts = { train: part(count), validation: part(7), test: part(5) };
  return createDataset("indices", { classNames, imageShape }, parts, { files: [], citation: "", licence: "" });
}

const dataset = datasetOf(50);
const open: BatchStream[] = [];

function start(options: Partial<BatchStreamOptions> = {}): BatchStream {
  const random = createRandomStream(3).split("batches");
  const stream = createBatchStream({ dataset, part: "train", batchSize: 8, random, ...options });
  open.push(stream);
  return stream;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((stream) => stream.close()));
});

/** A copy, because the next batch is written over this one. */
const copyOf = ({ epoch, step, count, images, labels }: Batch) => ({
  epoch,
  step,
  count,
  images: Float32Array.from(images),
  labels: Array.from(labels, Number),
});

async function all(stream: BatchStream): Promise<ReturnType<typeof copyOf>[]> {
  const batches: ReturnType<typeof copyOf>[] = [];
  for await (const batch of stream) batches.push(copyOf(batch));
  return batches;
}

const indicesOf = (batches: { images: Float32Array; count: number }[]) =>
  batches.flatMap(({ images, count }) => Array.from({ length: count }, (_, index) => images[index * size]!));

describe("what is in the batches", () => {
  test("every epoch has every image once, with its label, in an order of its own", async () => {
    const batches = await all(start({ epochs: 2, batchSize: 8, dropLast: false }));
    expect(batches.map((batch) => batch.count)).toEqual([8, 8, 8, 8, 8, 8, 2, 8, 8, 8, 8, 8, 8, 2]);
    const epochs = [0, 1].map((epoch) => indicesOf(batches.filter((batch) => batch.epoch === epoch)));
    for (const indices of epochs) {
      expect([...indices].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(batches.flatMap((batch) => batch.labels)).toEqual(epochs.flat().map((index) => index % 10));
  });

  test("a last batch that is not full is left out by default", async () => {
    const stream = start({ epochs: 1 });
    expect(stream.stepsPerEpoch).toBe(6);
    expect((await all(stream)).map((batch) => batch.count)).toEqual([8, 8, 8, 8, 8, 8]);
  });

  test("without shuffling the data set's order is kept", async () => {
    const batches = await all(start({ epochs: 1, shuffle: false, part: "validation", batchSize: 7 }));
    expect(indicesOf(batches)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test("memory is unshared, of the right types, and used again", async () => {
    const stream = start({ ahead: 1 });
    const first = (await stream.next())!;
    expect(first.images).toBeInstanceOf(Float32Array);
    expect(first.labels).toBeInstanceOf(BigInt64Array);
    expect(first.images.buffer).toBeInstanceOf(ArrayBuffer);
    await stream.next();
    expect(first.images.length).toBe(0);
  });
});

describe("same seed, same bits", () => {
  test("the worker's batches are those that are made without a worker", async () => {
    const batches = await all(start({ epochs: 2, augmentation }));
    const plan = {
      images: dataset.images("train"),
      labels: dataset.labels("train"),
      imageShape,
      batchSize: 8,
      dropLast: true,
      shuffle: true,
      augmentation,
      fill: dataset.channelMean,
    };
    const fill = createBatchFiller(plan, createRandomStream(3).split("batches"));
    const memory = allocateBatch(8, imageShape);
    for (const batch of batches.toReversed()) {
      expect(fill(batch, memory)).toBe(batch.count);
      expect(Buffer.compare(Buffer.from(memory.images.buffer), Buffer.from(batch.images.buffer))).toBe(0);
      expect(Array.from(memory.labels, Number)).toEqual(batch.labels);
    }
  });

  test("neither the number of batches ahead nor draws from the stream change anything; another seed does", async () => {
    const usual = await all(start({ epochs: 1, augmentation }));
    const random = createRandomStream(3).split("batches");
    random.normal();
    expect(await all(start({ epochs: 1, augmentation, ahead: 1, random }))).toEqual(usual);
    expect(await all(start({ epochs: 1, augmentation, random: createRandomStream(4) }))).not.toEqual(usual);
  });

  test("a stream that starts at any position goes on as the first would have", async () => {
    const whole = await all(start({ epochs: 3, augmentation }));
    for (const at of [1, 5, 6, 11, 17]) {
      const first = start({ epochs: 3, augmentation });
      for (let step = 0; step < at; step++) await first.next();
      expect(first.position).toEqual({ epoch: Math.floor(at / 6), step: at % 6 });
      const second = start({ epochs: 3, augmentation, start: first.position });
      expect(await all(second)).toEqual(whole.slice(at));
      expect(second.position).toEqual({ epoch: 3, step: 0 });
    }
  });
});

describe("the end", () => {
  test("behind the last epoch there is nothing, again and again", async () => {
    const stream = start({ epochs: 1, batchSize: 50 });
    expect((await stream.next())?.count).toBe(50);
    expect(await stream.next()).toBeUndefined();
    expect(await stream.next()).toBeUndefined();
    expect(await start({ epochs: 0 }).next()).toBeUndefined();
  });

  test("a closed stream says so, also to whoever is waiting", async () => {
    const stream = start();
    const waiting = stream.next();
    await stream.close();
    await expect(waiting).rejects.toThrow(/stream of batches has been closed/);
    await expect(stream.next()).rejects.toThrow(DovetailError);
  });

  test("a failure of the worker arrives where the batch is awaited", async () => {
    const broken = { ...dataset, labels: () => Float64Array.from({ length: 50 }, () => 0.5) as never };
    const stream = start({ dataset: broken });
    await expect(stream.next()).rejects.toThrow(/the worker that makes batches failed: .*0\.5/);
    await expect(stream.next()).rejects.toThrow(DovetailError);
  });

  test("batches of a size that cannot be, and positions that are not there, are refused", () => {
    expect(() => start({ batchSize: 51 })).toThrow(/^batchSize: .*expected an integer from 1 to 50, received 51/);
    expect(() => start({ batchSize: 0 })).toThrow(/received 0/);
    expect(() => start({ batchSize: 1.5 })).toThrow(/received 1.5/);
    expect(() => start({ start: { epoch: 0, step: 6 } })).toThrow(/a step from 0 to 5, received epoch 0, step 6/);
    expect(() => start({ start: { epoch: -1, step: 0 } })).toThrow(/received epoch -1, step 0/);
  });

  test.each([
    ["unclosed and idle", "await stream.next();"],
    ["closed", "await stream.next(); await stream.close();"],
  ])("a stream that is %s lets the process end", async (_, use) => {
    const program = `
      import { createBatchStream, createDataset } from ${JSON.stringify(workerUrl(import.meta.url, "../../index.js").href)};
      import { createRandomStream } from ${JSON.stringify(import.meta.resolve("@dovetail/core").replace("/src/index.ts", "/dist/index.js"))};
      const part = { images: new Uint8Array(new SharedArrayBuffer(64)), labels: new Uint8Array(new SharedArrayBuffer(4)) };
      const dataset = createDataset("x", { classNames: ["a", "b"], imageShape: [1, 4, 4] }, { train: part, validation: part, test: part }, {});
      const stream = createBatchStream({ dataset, part: "train", batchSize: 2, random: createRandomStream(1) });
      ${use}
      console.log("done");
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
    expect(output).toBe("done\n");
  });
});

test("evaluation sees every image once, in order, the last batch smaller", () => {
  const batches = Array.from(iterateBatches(dataset, "train", 16), copyOf);
  expect(batches.map((batch) => batch.count)).toEqual([16, 16, 16, 2]);
  expect(indicesOf(batches)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(batches[3]!.labels).toEqual([8, 9]);
  expect(batches[3]!.images.length).toBe(2 * size);
});

test("workers of modules in src are taken from dist", () => {
  const place = "file:///home/src/dovetail/packages/train/src/data/a.ts";
  expect(workerUrl(place, "./b.js").href).toBe("file:///home/src/dovetail/packages/train/dist/data/b.js");
  expect(workerUrl("file:///x/dist/data/a.js", "./b.js").href).toBe("file:///x/dist/data/b.js");
});
