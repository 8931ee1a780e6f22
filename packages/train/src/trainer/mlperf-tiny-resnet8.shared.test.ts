import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandomStream } from "@dovetail/core";
import { readModel, writeModel } from "@dovetail/graph";
import { exportModel, networkOfModel } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBatchStream } from "../data/batches/batch-stream.js";
import type { ImageDataset } from "../data/dataset.js";
import { loadDataset } from "../data/load.js";
import { confusionMatrix } from "../metrics/classification.js";
import { sgd } from "../optimizers/sgd.js";
import { oneCycle } from "../schedules/schedule.js";
import { evaluate } from "./evaluate.js";
import { evaluateModel } from "./evaluate-model.js";
import { train } from "./train.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));

// From the README beside the file: correct per class, of 1,000 each.
const correctPerClass = [740, 749, 631, 578, 786, 514, 919, 803, 932, 896];

describe("MLPerf Tiny's trained ResNet-8", () => {
  let runtime: Runtime;
  let dataset: ImageDataset;
  let bytes: Uint8Array;
  beforeAll(async () => {
    runtime = await createRuntime();
    bytes = await readFile(join(shared, "data/onnx/mlperf-tiny-resnet8-cifar10.onnx"));
    dataset = await loadDataset({ kind: "cifar10-jpeg-zip", path: join(shared, "data/cifar10") });
  }, 120_000);
  afterAll(() => runtime.release());

  it("is right as often as its source says, imported, exported and read again", async () => {
    const { network, weights } = networkOfModel(readModel(bytes));
    const imported = await evaluate({ runtime, network, weights, dataset, part: "test" });
    expect(Math.abs(imported.accuracyFraction - 0.7548)).toBeLessThanOrEqual(5e-4);
    const confusion = confusionMatrix(imported.predictions, dataset.labels("test"), 10);
    confusion.forEach((row, label) => {
      expect(Math.abs(row[label]! - correctPerClass[label]!)).toBeLessThanOrEqual(1);
    });

    const file = writeModel(exportModel(network, weights, { classNames: dataset.classNames }));
    const plain = await evaluateModel(file, { dataset, part: "test" });
    expect(Math.abs(plain.accuracyFraction - 0.7548)).toBeLessThanOrEqual(5e-4);
    const again = networkOfModel(readModel(file));
    expect(again.weights).toEqual(weights);
    const reimported = await evaluate({ runtime, ...again, dataset, part: "test" });
    expect(reimported.predictions).toEqual(imported.predictions);
  }, 120_000);

  it("reaches 80 % after one epoch of fine-tuning on the JPEG images", async () => {
    const { network, weights } = networkOfModel(readModel(bytes));
    const random = createRandomStream(1);
    const batchSize = 128;
    const steps = Math.floor(dataset.parts.train.count / batchSize);
    const result = await train({
      runtime,
      network,
      weights,
      batches: (start) =>
        createBatchStream({
          dataset,
          part: "train",
          batchSize,
          random: random.split("batches"),
          augmentation: { flip: true, cropPadding: 4, cutout: 0 },
          epochs: 1,
          start,
        }),
      batchSize,
      epochs: 1,
      optimizer: sgd({ nesterov: true, weightDecay: 1e-4 }),
      learningRate: oneCycle({ maximum: 0.02, steps }),
      random: random.split("training"),
    });
    const { accuracyFraction } = await evaluate({ runtime, network, weights: result.weights, dataset, part: "test" });
    expect(accuracyFraction).toBeGreaterThanOrEqual(0.8);
  }, 600_000);
});
