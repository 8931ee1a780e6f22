import { createRandomStream } from "@dovetail/core";
import { tensor } from "@dovetail/graph";
import {
  convBatchNorm,
  countMacs,
  dropout,
  initializeParameters,
  linear,
  NetworkBuilder,
  pixels,
} from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { createBatchStream } from "../data/batches/batch-stream.js";
import type { LabelledImages } from "../data/dataset.js";
import { createDataset } from "../data/load.js";
import { adam } from "../optimizers/adam.js";
import { sgd } from "../optimizers/sgd.js";
import { cosine } from "../schedules/schedule.js";
import { evaluate } from "./evaluate.js";
import { type TrainOptions, train } from "./train.js";

const imageShape = [3, 8, 8] as const;

/** Noise in which the class's rows are brighter. */
function labelledImages(count: number, label: string): LabelledImages {
  const random = createRandomStream(7).split(label);
  const labels = Uint8Array.from({ length: count }, (_, index) => index % 4);
  const images = new Uint8Array(count * 192);
  for (let index = 0; index < images.length; index++) {
    const isBright = Math.floor((index % 64) / 16) === labels[Math.floor(index / 192)];
    images[index] = random.integer(128) + (isBright ? 100 : 0);
  }
  return { images, labels };
}

const dataset = createDataset(
  "stripes",
  { classNames: ["a", "b", "c", "d"], imageShape },
  {
    train: labelledImages(96, "train"),
    validation: labelledImages(40, "validation"),
    test: labelledImages(52, "test"),
  },
  { files: [], citation: "", licence: "" },
);

const network = (() => {
  const n = new NetworkBuilder("small");
  let x = convBatchNorm(n, "stem", pixels(n, { height: 8, width: 8 }), { channels: 8, kernel: 3 });
  x = dropout(n, convBatchNorm(n, "second", x, { channels: 8, kernel: 3, stride: 2 }), { rate: 0.1 });
  const pooled = n.g.averagePool(x, [1, 4]);
  return n.build(linear(n, "classifier", n.g.flatten(pooled), { features: 4 }));
})();

describe("training", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime({ threads: 1 });
  });
  afterAll(() => runtime.release());

  const batchSize = 16;
  const options = (changes: Partial<TrainOptions> = {}): TrainOptions => {
    const random = createRandomStream(3);
    return {
      runtime,
      network,
      weights: initializeParameters(network, random.split("weights")),
      batches: (start) =>
        createBatchStream({ dataset, part: "train", batchSize, random: random.split("batches"), start, epochs: 3 }),
      batchSize,
      epochs: 3,
      optimizer: sgd({ weightDecay: 1e-4 }),
      learningRate: cosine({ value: 0.1, steps: 18 }),
      random: random.split("training"),
      validation: { dataset, part: "validation" },
      ...changes,
    };
  };

  it("learns, reports its history, and counts its effort", async () => {
    const done: number[] = [];
    const watch = { onProgress: (event: { done: number; total: number }) => void done.push(event.done / event.total) };
    const result = await train(options({ watch }));
    const [first, , last] = result.history;
    expect(last!.loss).toBeLessThan(0.7 * first!.loss);
    expect(last!.validationAccuracyFraction).toBeGreaterThan(0.8);
    expect(done).toEqual(Array.from({ length: 18 }, (_, index) => (index + 1) / 18));
    expect(result.effort).toEqual({ optimizerSteps: 18, trainingMacs: 3 * 18 * 16 * countMacs(network.graph) });
    const evaluation = await evaluate({ runtime, network, weights: result.weights, dataset, part: "validation" });
    expect(evaluation.accuracyFraction).toBe(last!.validationAccuracyFraction);
  });

  it("gives the same bits again, after a break at any step too", async () => {
    const checkpoints: Checkpoint[] = [];
    const onCheckpoint = async (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
    for (const optimizer of [sgd(), adam()]) {
      checkpoints.length = 0;
      const settings = { optimizer, epochs: 2, learningRate: 0.01, maximumNorm: 1 };
      const whole = await train(options({ ...settings, onCheckpoint, checkpointEverySteps: 5 }));
      expect(checkpoints.length).toBe(4);
      for (const checkpoint of checkpoints) {
        const resume: Checkpoint = { ...checkpoint, state: JSON.parse(JSON.stringify(checkpoint.state)) };
        expect(await train(options({ ...settings, resume }))).toEqual(whole);
      }
    }
  });

  it("stops when it is told to, with a checkpoint to go on from", async () => {
    const controller = new AbortController();
    const checkpoints: Checkpoint[] = [];
    const cancelled = train(
      options({
        watch: { signal: controller.signal, onProgress: ({ done }) => done === 4 && controller.abort("enough") },
        onCheckpoint: async (checkpoint) => void checkpoints.push(checkpoint),
      }),
    );
    await expect(cancelled).rejects.toBe("enough");
    expect(checkpoints.map(({ state }) => state)).toMatchObject([{ epoch: 0, step: 4, optimizerSteps: 4 }]);
    const resumed = await train(options({ resume: checkpoints[0] }));
    expect(resumed).toEqual(await train(options()));
  });

  it("takes other weights at the end of an epoch, before the validation", async () => {
    const epochs: number[] = [];
    const zeros = new Map([["classifier.weight", tensor("float32", [4, 32], new Float32Array(128))]]);
    const { weights, history } = await train(
      options({
        epochs: 2,
        onEpochEnd: async ({ epoch, weights: current, replace }) => {
          epochs.push(epoch);
          expect(current().get("classifier.weight")!.data).not.toEqual(new Float32Array(128));
          if (epoch === 1) replace(zeros);
        },
      }),
    );
    expect(epochs).toEqual([0, 1]);
    expect(weights.get("classifier.weight")).toEqual(zeros.get("classifier.weight"));
    const evaluation = await evaluate({ runtime, network, weights, dataset, part: "validation" });
    expect(history[1]!.validationAccuracyFraction).toBe(evaluation.accuracyFraction);
  });

  it("leaves alone what it is told not to train, but for running statistics", async () => {
    const settings = options({ epochs: 1, trains: (name) => name.startsWith("classifier") });
    const { weights } = await train(settings);
    expect(weights.get("stem.conv.weight")).toEqual(settings.weights.get("stem.conv.weight"));
    expect(weights.get("classifier.weight")).not.toEqual(settings.weights.get("classifier.weight"));
    expect(weights.get("stem.bn.runningMean")).not.toEqual(settings.weights.get("stem.bn.runningMean"));
  });

  it("says what is wrong", async () => {
    await expect(train(options({ learningRate: 1e30 }))).rejects.toThrow(/no longer a number.*a lower learning rate/);
    await expect(train(options({ trains: () => false }))).rejects.toThrow(/no parameter to train/);
    await expect(train(options({ weights: new Map() }))).rejects.toThrow(/expected a tensor "stem.conv.weight"/);
    const resume = { tensors: new Map(), state: { step: 1 } };
    await expect(train(options({ resume }))).rejects.toThrow(/not that of a training/);
  });

  it("evaluates every image once, in order, whatever the batch size", async () => {
    const weights = initializeParameters(network, createRandomStream(5));
    const whole = await evaluate({ runtime, network, weights, dataset, part: "test", batchSize: 52 });
    const parts = await evaluate({ runtime, network, weights, dataset, part: "test", batchSize: 12 });
    expect(parts.predictions).toEqual(whole.predictions);
    expect(parts.loss).toBeCloseTo(whole.loss, 5);
    expect(whole.correct.length).toBe(52);
    expect(whole.accuracyFraction).toBe(whole.correct.reduce((sum, right) => sum + right, 0) / 52);
  });
});
