import { createRandomStream } from "@dovetail/core";
import { type Tensor, tensorNumbers } from "@dovetail/graph";
import {
  convBatchNorm,
  globalAveragePool,
  initializeParameters,
  linear,
  NetworkBuilder,
  pixels,
} from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createBatchStream, evaluate, sgd, train } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levelsDataset } from "../testing/levels.js";
import { prepareQuantization } from "./prepare.js";

const dataset = levelsDataset();

const network = (() => {
  const n = new NetworkBuilder("small");
  let x = convBatchNorm(n, "stem", pixels(n, { height: 8, width: 8 }), { channels: 8, kernel: 3 });
  x = convBatchNorm(n, "second", x, { channels: 8, kernel: 3, stride: 2 });
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 4 }));
})();

describe("a prepared network", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime({ threads: 1 });
  });
  afterAll(() => runtime.release());

  const training = (epochs: number) => ({
    runtime,
    batchSize: 16,
    epochs,
    optimizer: sgd(),
    learningRate: 0.02,
    random: createRandomStream(2),
    batches: (start: { epoch: number; step: number }) =>
      createBatchStream({ dataset, part: "train", batchSize: 16, random: createRandomStream(3), epochs, start }),
  });

  it("loses by few bits, gains by training with them, and moves its ranges", async () => {
    const weights = initializeParameters(network, createRandomStream(1));
    const float = await train({ ...training(5), network, weights });
    const prepared = await prepareQuantization({ runtime, network, weights: float.weights, dataset });
    const scalars = { weightBits: 2, activationBits: 3 };
    const lossOf = async (trained: ReadonlyMap<string, Tensor>, bits = scalars) =>
      (await evaluate({ runtime, network: prepared.quantized, weights: trained, scalars: bits, dataset, part: "test" }))
        .loss;
    const before = await lossOf(prepared.weights);
    expect(before).toBeGreaterThan(await lossOf(prepared.weights, { weightBits: 8, activationBits: 8 }));
    const tuned = await train({ ...training(3), network: prepared.quantized, weights: prepared.weights, scalars });
    expect(await lossOf(tuned.weights)).toBeLessThan(before);
    const ranges = prepared.quantized.parameters.filter(({ role }) => role === "activationRange");
    expect(ranges.length).toBe(4);
    for (const { name } of ranges) {
      const [old, updated] = [prepared.weights, tuned.weights].map((of) => tensorNumbers(of.get(name)!)[0]!);
      expect(old).toBeGreaterThan(0);
      expect(updated).not.toBe(old);
    }
  });
});
