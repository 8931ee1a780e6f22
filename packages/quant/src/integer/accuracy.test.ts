import { createRandomStream } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import { initializeParameters } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { createBatchStream, evaluate, evaluateModel, sgd, train } from "@dovetail/train";
import { expect, it } from "vitest";
import { prepareQuantization } from "../calibration/prepare.js";
import { levelsDataset, smallNetwork } from "../testing/levels.js";
import { exportQdqModel } from "./export-qdq.js";

it("a trained network's export at 8 bits is right as often in plain ONNX Runtime as with us", async () => {
  const runtime = await createRuntime({ threads: 1 });
  const dataset = levelsDataset();
  const network = smallNetwork();
  const trained = await train({
    runtime,
    network,
    weights: initializeParameters(network, createRandomStream(1)),
    batchSize: 16,
    epochs: 3,
    optimizer: sgd(),
    learningRate: 0.02,
    random: createRandomStream(2),
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize: 16, random: createRandomStream(3), epochs: 3, start }),
  });
  const float = await evaluate({ runtime, network, weights: trained.weights, dataset, part: "test" });
  const { folded, quantized, weights } = await prepareQuantization({
    runtime,
    network,
    weights: trained.weights,
    dataset,
  });
  const ours = await evaluate({ runtime, network: quantized, weights, dataset, part: "test" });
  const bytes = writeModel(exportQdqModel(folded, weights, { weightBits: 8, activationBits: 8 }));
  const theirs = await evaluateModel(bytes, { dataset, part: "test" });
  expect(float.accuracyFraction).toBeGreaterThan(0.6);
  expect(theirs.accuracyFraction).toBe(ours.accuracyFraction);
  expect(Math.abs(theirs.loss - ours.loss)).toBeLessThan(0.01);
  expect(ours.loss).not.toBe(float.loss);
  await runtime.release();
});
