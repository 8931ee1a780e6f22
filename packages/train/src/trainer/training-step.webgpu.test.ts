import { createRandomStream } from "@dovetail/core";
import { scalar, type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { createRuntime, type ProviderName } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { softmaxCrossEntropy } from "../losses/cross-entropy.js";
import { sgd } from "../optimizers/sgd.js";
import { buildTrainingStep } from "./training-step.js";

const batchSize = 4;
const size = 16;

/** Losses of five steps of a small residual network. */
async function losses(provider: ProviderName): Promise<number[]> {
  const network = resNet({ depth: 8, widths: [8, 16, 16], pixels: { height: size, width: size } });
  const step = buildTrainingStep(network, { loss: softmaxCrossEntropy(), optimizer: sgd(), batchSize });
  const runtime = await createRuntime({ provider });
  try {
    const weights = initializeParameters(network, createRandomStream(2));
    const state = runtime.createState(new Map([...weights, ...step.initialMemory()]));
    const segment = await runtime.compile(step.graph, { state, statePairs: step.statePairs });
    const found: number[] = [];
    for (let index = 0; index < 5; index++) {
      const random = createRandomStream(100 + index);
      const images = Float32Array.from({ length: batchSize * 3 * size * size }, () => random.integer(256));
      const labels = BigInt64Array.from({ length: batchSize }, () => BigInt(random.integer(10)));
      const feeds: Record<string, Tensor> = {
        [step.image]: tensorFromData("float32", [batchSize, 3, size, size], images),
        [step.target]: tensorFromData("int64", [batchSize], labels),
        [step.hyperparameters.learningRate!]: scalar(0.05),
        [step.hyperparameters.momentum!]: scalar(0.9),
        [step.hyperparameters.weightDecay!]: scalar(1e-4),
      };
      const outputs = await segment.run(feeds);
      found.push(tensorNumbers(outputs[step.loss]!)[0]!);
    }
    return found;
  } finally {
    await runtime.release();
  }
}

it("a training step on WebGPU gives the CPU's losses", { timeout: 300_000 }, async () => {
  const expected = await losses("cpu");
  const found = await losses("webgpu");
  expect(new Set(expected).size).toBe(5);
  found.forEach((loss, index) => {
    expect(Math.abs(loss - expected[index]!)).toBeLessThanOrEqual(1e-3);
  });
});
