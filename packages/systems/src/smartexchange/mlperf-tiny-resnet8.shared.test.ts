import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandomStream } from "@dovetail/core";
import { readModel, type Tensor } from "@dovetail/graph";
import { networkOfModel } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { evaluate, loadDataset, noAugmentation } from "@dovetail/train";
import { expect, it } from "vitest";
import { prepareCompression } from "./methods.js";
import { structureFacts } from "./structure-facts.js";
import { trainProjected } from "./train-projected.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));

it("MLPerf Tiny's trained ResNet-8, projected, has every property of the form after saving and reading", async () => {
  const { network, weights } = networkOfModel(
    readModel(await readFile(join(shared, "data/onnx/mlperf-tiny-resnet8-cifar10.onnx"))),
  );
  const facts = structureFacts(network, weights);
  const { changedInFile, changedInModel, outsideForm, wrongAnnotations, rises } = facts;
  expect({ changedInFile, changedInModel, outsideForm, wrongAnnotations, rises }).toEqual({
    changedInFile: 0,
    changedInModel: 0,
    outsideForm: 0,
    wrongAnnotations: 0,
    rises: 0,
  });
  expect(facts.compressionRate).toBeGreaterThan(6);
  const runtime = await createRuntime();
  const dataset = await loadDataset({ kind: "cifar10-jpeg-zip", path: join(shared, "data/cifar10") });
  const prepared = prepareCompression("smartexchange", network, weights, {});
  const projected = (recalibrationSteps: number) =>
    trainProjected({
      ...prepared,
      runtime,
      dataset,
      epochs: 0,
      batchSize: 128,
      learningRate: 0,
      random: createRandomStream(1),
      // It was not trained on images that are black outside.
      augmentation: noAugmentation,
      recalibrationSteps,
    });
  const accuracy = async (of: ReadonlyMap<string, Tensor>) =>
    (await evaluate({ runtime, network, weights: of, dataset, part: "test" })).accuracyFraction;
  const before = await accuracy(weights);
  const plain = await accuracy((await projected(0)).final.weights);
  const after = await accuracy((await projected(30)).final.weights);
  await runtime.release();
  process.stdout.write(
    `${before} before, ${plain} projected, ${after} recalibrated, ${facts.compressionRate.toFixed(2)} times smaller\n`,
  );
  // It takes raw pixels, whose mean the smallest change of the first layer multiplies: statistics must follow.
  expect(before - after).toBeLessThan(0.1);
}, 600_000);
