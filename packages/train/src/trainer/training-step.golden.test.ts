import { readFileSync } from "node:fs";
import { scalar, type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import { resNet } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { softmaxCrossEntropy } from "../losses/cross-entropy.js";
import { sgd } from "../optimizers/sgd.js";
import { oneCycle } from "../schedules/schedule.js";
import { createPredictor, parametersOf } from "./predictor.js";
import { buildTrainingStep } from "./training-step.js";

type Tensors = Record<string, { shape: number[]; float32: string }>;

interface Golden {
  readonly widths: number[];
  readonly batchSize: number;
  readonly before: Tensors;
  readonly afterOneStep: Tensors;
  readonly losses: number[];
  readonly after: Tensors;
  readonly inferenceLogits: number[];
}

const golden = JSON.parse(readFileSync(new URL("training-step.golden.json", import.meta.url), "utf8")) as Golden;
const { batchSize } = golden;

function tensorsOf(tensors: Tensors): Map<string, Tensor> {
  return new Map(
    Object.entries(tensors).map(([name, { shape, float32 }]) => {
      const bytes = Uint8Array.from(Buffer.from(float32, "base64"));
      return [name, tensorFromData("float32", shape, new Float32Array(bytes.buffer))];
    }),
  );
}

/** The formula of oracles/train.py. */
function hashed(index: number): number {
  let hash = index >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function batchAt(step: number): { images: Tensor; labels: Tensor } {
  const labels = Array.from({ length: batchSize }, (_, index) => hashed(0x10000000 + step * batchSize + index) % 10);
  const images = new Float32Array(batchSize * 3 * 1024);
  for (let index = 0; index < images.length; index++) {
    const row = Math.floor(index / 32) % 32;
    const label = labels[Math.floor(index / 3072)]!;
    const bright = row >= 3 * label && row < 3 * label + 3;
    images[index] = bright ? 255 : hashed(step * images.length + index) & 255;
  }
  return {
    images: tensorFromData("float32", [batchSize, 3, 32, 32], images),
    labels: tensorFromData("int64", [batchSize], BigInt64Array.from(labels, BigInt)),
  };
}

/** ‖a − b‖₂ / ‖b‖₂. */
function relativeError(found: readonly number[], expected: readonly number[]): number {
  const norm = (values: readonly number[]) => Math.hypot(...values);
  return norm(found.map((value, index) => value - expected[index]!)) / norm(expected);
}

function expectNear(
  found: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
  tolerance: number,
): void {
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, tensor] of expected) {
    const error = relativeError(tensorNumbers(found.get(name)!), tensorNumbers(tensor));
    expect(error, name).toBeLessThan(tolerance);
  }
}

it("gives PyTorch's losses over 20 steps, its parameters and running statistics, and its logits after them", async () => {
  const network = resNet({ depth: 8, widths: golden.widths });
  const step = buildTrainingStep(network, {
    loss: softmaxCrossEntropy({ labelSmoothing: 0.1 }),
    optimizer: sgd({ nesterov: true }),
    batchSize,
  });
  const runtime = await createRuntime({ threads: 1 });
  const state = runtime.createState(new Map([...tensorsOf(golden.before), ...step.initialMemory()]));
  const segment = await runtime.compile(step.graph, { state, statePairs: step.statePairs });
  const learningRate = oneCycle({ maximum: 0.2, steps: 20 });
  const values = { momentum: 0.9, weightDecay: 5e-4 };
  for (const [index, expected] of golden.losses.entries()) {
    const { images, labels } = batchAt(index);
    const feeds: Record<string, Tensor> = { [step.image]: images, [step.target]: labels };
    for (const [name, value] of Object.entries({ ...values, learningRate: learningRate(index) })) {
      feeds[step.hyperparameters[name]!] = scalar(value);
    }
    const outputs = await segment.run(feeds);
    expect(Math.abs(tensorNumbers(outputs[step.loss]!)[0]! - expected)).toBeLessThan(1e-3);
    if (index === 0) expectNear(parametersOf(network, state.snapshot()), tensorsOf(golden.afterOneStep), 1e-4);
  }
  // A ReLU whose input lies on its edge may pass a gradient in one and not in the other: parameters drift apart slowly.
  const after = tensorsOf(golden.after);
  expectNear(parametersOf(network, state.snapshot()), after, 0.1);
  const predictor = await createPredictor({ runtime, network, weights: after });
  const logits = await predictor.predict(batchAt(20).images);
  expect(relativeError([...logits], golden.inferenceLogits)).toBeLessThan(1e-5);
  await runtime.release();
});
