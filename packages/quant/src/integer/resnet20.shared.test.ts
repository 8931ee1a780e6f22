import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandomStream } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { createBatchStream, evaluate, evaluateModel, loadDataset, oneCycle, sgd, train } from "@dovetail/train";
import { expect, it } from "vitest";
import { prepareQuantization } from "../calibration/prepare.js";
import { exportQdqModel } from "./export-qdq.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));

it("ResNet-20's export at 8 bits is within 0.1 point of ours in plain ONNX Runtime", async () => {
  const runtime = await createRuntime();
  const dataset = await loadDataset({ kind: "cifar10-jpeg-zip", path: join(shared, "data/cifar10") });
  const network = resNet({ depth: 20 });
  const random = createRandomStream(1);
  const [batchSize, steps] = [128, 80];
  const trained = await train({
    runtime,
    network,
    weights: initializeParameters(network, random.split("weights")),
    batchSize,
    epochs: 1,
    steps,
    optimizer: sgd({ nesterov: true, weightDecay: 5e-4 }),
    learningRate: oneCycle({ maximum: 0.2, steps }),
    random: random.split("training"),
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize, random: random.split("batches"), epochs: 1, start }),
  });
  const { folded, quantized, weights } = await prepareQuantization({
    runtime,
    network,
    weights: trained.weights,
    dataset,
  });
  const ours = await evaluate({ runtime, network: quantized, weights, dataset, part: "test" });
  const bytes = writeModel(exportQdqModel(folded, weights, { weightBits: 8, activationBits: 8 }));
  const theirs = await evaluateModel(bytes, { dataset, part: "test" });
  const changed = theirs.predictions.filter((prediction, image) => prediction !== ours.predictions[image]).length;
  process.stdout.write(
    `ours ${ours.accuracyFraction}, ONNX Runtime ${theirs.accuracyFraction}, ${changed} predictions changed\n`,
  );
  expect(ours.accuracyFraction).toBeGreaterThan(0.3);
  expect(Math.abs(theirs.accuracyFraction - ours.accuracyFraction)).toBeLessThanOrEqual(0.001);
  await runtime.release();
}, 3_600_000);
