import { createRandomStream } from "@dovetail/core";
import { tensor, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, trainingForm } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createBatchStream, evaluate, sgd, train } from "@dovetail/train";
import { afterAll, beforeAll, expect, it } from "vitest";
import { quantizeLayers } from "../layers/quantize-layers.js";
import { levelsDataset, smallNetwork } from "../testing/levels.js";
import { rangeNormalization } from "./range-normalization.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const plain = smallNetwork();
const network = rangeNormalization(plain);

it("has a running scale for each running variance, and trains with the batch's own", async () => {
  const count = (role: string, of = network): number => of.parameters.filter((spec) => spec.role === role).length;
  expect([count("runningScale"), count("runningVariance"), count("runningMean")]).toEqual([6, 0, 6]);
  const form = trainingForm(network, { batchSize: 32 });
  expect([...form.updates.keys()].sort()).toEqual(
    network.parameters.flatMap(({ name, role }) => (role.startsWith("running") ? [name] : [])).sort(),
  );
  const weights = initializeParameters(network, createRandomStream(1));
  const random = createRandomStream(2);
  const image = tensor(
    "float32",
    [32, 3, 8, 8],
    Array.from({ length: 6144 }, () => 123 + 62 * random.normal()),
  );
  const stem = "stem.bn.runningScale";
  const convolution = network.observedRanges.find(({ range }) => range === `${stem}:read`)!.observed;
  const outputs = [stem, "stem.bn.runningMean"].map((name) => form.updates.get(name)!);
  const names = [...outputs, convolution];
  const graph = { ...form.graph, outputs: names.map((name) => ({ name, type: form.graph.types.get(name)! })) };
  const segment = await runtime.compile(graph);
  const found = await segment.run({ ...Object.fromEntries(weights), [network.image]: image });
  const [scales, means, values] = names.map((name) => tensorNumbers(found[name]!));
  for (let channel = 0; channel < 8; channel++) {
    const own = values!.filter((_, index) => Math.floor(index / 64) % 8 === channel);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length);
    expect(means![channel]!).toBeCloseTo(0.1 * mean, 4);
    // Momentum 0.1 from 1. On normal values the estimate is good to a fifth (borders of the image are narrower).
    const estimate = (scales![channel]! - 0.9) / 0.1;
    expect(Math.abs(estimate / deviation - 1)).toBeLessThan(0.2);
  }
});

it("learns with the original SBM's quantizers", async () => {
  const dataset = levelsDataset();
  const quantized = quantizeLayers(network, { quantizer: "sbmOriginal" });
  expect(Object.fromEntries(quantized.scalars.map(({ name, value }) => [name, value]))).toEqual({
    weightBits: 8,
    activationBits: 8,
    errorBits: 8,
    weightGradientBits: 32,
  });
  const result = await train({
    runtime,
    network: quantized,
    weights: initializeParameters(quantized, createRandomStream(1)),
    batchSize: 16,
    epochs: 4,
    optimizer: sgd(),
    learningRate: 0.02,
    random: createRandomStream(2),
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize: 16, random: createRandomStream(3), epochs: 4, start }),
  });
  expect(result.history.at(-1)!.loss).toBeLessThan(0.7 * result.history[0]!.loss);
  const { accuracyFraction } = await evaluate({
    runtime,
    network: quantized,
    weights: result.weights,
    dataset,
    part: "test",
  });
  expect(accuracyFraction).toBeGreaterThan(0.5);
});
