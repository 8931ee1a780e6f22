// A ResNet-8 of add layers, trained end to end.

import { createRandomStream } from "@dovetail/core";
import {
  expandOwnOperators,
  modelOf,
  scalar,
  type Tensor,
  tensorFromData,
  tensorNumbers,
  writeModel,
} from "@dovetail/graph";
import { adderConvolution, initializeParameters, resNet } from "@dovetail/models";
import { createRuntime, openModel } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { softmaxCrossEntropy } from "../losses/cross-entropy.js";
import { sgd } from "../optimizers/sgd.js";
import { buildTrainingStep } from "./training-step.js";

const batchSize = 8;
const network = resNet({ depth: 8, layer: adderConvolution, pixels: { height: 16, width: 16 } });
const step = buildTrainingStep(network, { loss: softmaxCrossEntropy(), optimizer: sgd(), batchSize });
const random = createRandomStream(3);
const state = new Map([...initializeParameters(network, random.split("weights")), ...step.initialMemory()]);

/** One batch of noise with labels, again and again. */
const feeds: Record<string, Tensor> = {
  [step.image]: tensorFromData(
    "float32",
    [batchSize, 3, 16, 16],
    Float32Array.from({ length: batchSize * 3 * 256 }, () => random.integer(256)),
  ),
  [step.target]: tensorFromData(
    "int64",
    [batchSize],
    BigInt64Array.from({ length: batchSize }, (_, index) => BigInt(index)),
  ),
};
for (const [name, value] of Object.entries({ learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 })) {
  feeds[step.hyperparameters[name]!] = scalar(value);
}

/** ‖a − b‖₂ / ‖b‖₂. */
function relativeError(found: readonly number[], expected: readonly number[]): number {
  return Math.hypot(...found.map((value, index) => value - expected[index]!)) / Math.max(Math.hypot(...expected), 1e-9);
}

it("takes the step that its expansion takes in ONNX Runtime alone", async () => {
  const runtime = await createRuntime({ threads: 2 });
  const inputs = { ...Object.fromEntries(state), ...feeds };
  const found = await (await runtime.compile(step.graph)).run(inputs);
  const plain = await openModel(writeModel(modelOf(expandOwnOperators(step.graph))), { threads: 1 });
  const expected = await plain.run(inputs);
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, tensor] of Object.entries(expected)) {
    expect(relativeError(tensorNumbers(found[name]!), tensorNumbers(tensor)), name).toBeLessThan(1e-3);
  }
  await plain.release();
  await runtime.release();
});

it("learns a batch by heart", async () => {
  const runtime = await createRuntime({ threads: 2 });
  const store = runtime.createState(state);
  const segment = await runtime.compile(step.graph, { state: store, statePairs: step.statePairs });
  const losses: number[] = [];
  for (let index = 0; index < 40; index++) losses.push(tensorNumbers((await segment.run(feeds))[step.loss]!)[0]!);
  expect(losses[0]).toBeGreaterThan(1.5);
  expect(losses.at(-1)).toBeLessThan(0.2 * losses[0]!);
  await runtime.release();
});
