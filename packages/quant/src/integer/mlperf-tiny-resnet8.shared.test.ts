import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readModel, writeModel } from "@dovetail/graph";
import { networkOfModel } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { evaluate, evaluateModel, loadDataset } from "@dovetail/train";
import { expect, it } from "vitest";
import { prepareQuantization } from "../calibration/prepare.js";
import { exportQdqModel } from "./export-qdq.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));

it("MLPerf Tiny's ResNet-8 loses less than half a point with 8-bit integers, in plain ONNX Runtime", async () => {
  const runtime = await createRuntime();
  const bytes = await readFile(join(shared, "data/onnx/mlperf-tiny-resnet8-cifar10.onnx"));
  const dataset = await loadDataset({ kind: "cifar10-jpeg-zip", path: join(shared, "data/cifar10") });
  const prepared = await prepareQuantization({ runtime, ...networkOfModel(readModel(bytes)), dataset });
  const model = exportQdqModel(prepared.folded, prepared.weights, { weightBits: 8, activationBits: 8 });
  const integer = await evaluateModel(writeModel(model), { dataset, part: "test" });
  expect(Math.abs(integer.accuracyFraction - 0.7548)).toBeLessThan(0.005);
  const { quantized, weights } = prepared;
  const simulated = await evaluate({ runtime, network: quantized, weights, dataset, part: "test" });
  const differing = simulated.predictions.filter((prediction, image) => prediction !== integer.predictions[image]);
  // ONNX Runtime's integer kernels round sums elsewhere than float arithmetic does.
  expect(differing.length).toBeLessThan(100);
  expect(Math.abs(simulated.accuracyFraction - integer.accuracyFraction)).toBeLessThan(0.002);
  await runtime.release();
}, 300_000);
