import { stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { digestOfBytes } from "../files/read-file.js";
import golden from "./cifar10.golden.json" with { type: "json" };
import { cifar10ClassNames } from "./cifar10.js";
import { loadDataset } from "./load.js";

test("the bundled images are Pillow's decoded images of the JPEG archives, to the bit", async () => {
  const dataset = await loadDataset({ kind: "bundled-cifar10", validationImagesPerClass: 0 });
  expect(dataset.classNames).toEqual(cifar10ClassNames);
  expect(dataset.parts.validation.count).toBe(0);
  for (const part of ["train", "test"] as const) {
    const expected = golden[part];
    expect([dataset.parts[part].count, ...dataset.imageShape]).toEqual(expected.shape);
    expect(digestOfBytes(dataset.images(part))).toBe(expected.imagesSha256);
    expect(digestOfBytes(dataset.labels(part) as Uint8Array)).toBe(expected.labelsSha256);
  }
  dataset.channelMean.forEach((mean, channel) => {
    expect(mean).toBeCloseTo(golden.train.channelMean[channel]!, 10);
    expect(dataset.channelStandardDeviation[channel]).toBeCloseTo(golden.train.channelStandardDeviation[channel]!, 8);
  });
  const [file] = dataset.source.files;
  expect((await stat(file!.path)).size).toBeLessThanOrEqual(8_000_000);
});
