import { createRandomStream } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { type SwitchableNetwork, spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { type Checkpoint, cosine, createBatchStream, flipAndCrop, sgd, train } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { evaluatePrecisions, type SwitchableTrainingOptions, trainSwitchable } from "./train-switchable.js";

const dataset = stripes({ train: 64, validation: 32, test: 32 });
const base = resNet({ depth: 8, widths: [6, 8, 8], classCount: 4, pixels: { height: 8, width: 8 } });

function firstWeights(switchable: SwitchableNetwork): Map<string, Tensor> {
  const random = createRandomStream(2);
  const own = initializeParameters(switchable.network, random);
  return new Map([...own, ...spreadOverPrecisions(switchable, initializeParameters(base, random))]);
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

function options(
  bitWidths: readonly number[],
  changes: Partial<SwitchableTrainingOptions> = {},
): SwitchableTrainingOptions {
  const switchable = switchableNetwork(base, { bitWidths });
  return {
    runtime,
    dataset,
    switchable,
    weights: firstWeights(switchable),
    batchSize: 16,
    epochs: 2,
    learningRate: 0.05,
    random: createRandomStream(3),
    ...changes,
  };
}

describe("training one set of weights for several precisions", () => {
  it("with one precision is plain training, bit for bit", async () => {
    const settings = options([4]);
    const { switchable, random } = settings;
    const cascade = await trainSwitchable(settings);
    const plain = await train({
      runtime,
      network: switchable.network,
      weights: settings.weights,
      batches: (start) =>
        createBatchStream({
          dataset,
          part: "train",
          batchSize: 16,
          random: random.split("batches"),
          augmentation: flipAndCrop,
          start,
        }),
      batchSize: 16,
      epochs: 2,
      optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }),
      learningRate: cosine({ value: 0.05, final: 0.001, steps: 8 }),
      random: random.split("training"),
    });
    expect(cascade.weights).toEqual(plain.weights);
    expect(cascade.effort).toEqual(plain.effort);
    expect(cascade.history).toEqual(plain.history);
  });

  it("learns at all of them, each with batch-norm parameters and ranges of its own", async () => {
    const settings = options([3, 8, 32], { epochs: 12, learningRate: 0.1 });
    const { weights, effort } = await trainSwitchable(settings);
    const before = settings.switchable;
    const evaluations = await evaluatePrecisions({ runtime, switchable: before, weights, dataset, part: "test" });
    for (const [, { accuracyFraction }] of evaluations) expect(accuracyFraction).toBeGreaterThan(0.7);
    const steps = effort.optimizerSteps;
    expect(steps).toBe(48);
    const scales = weights.get("stage1.0.first.bn.scale")!;
    const [rows, channels] = scales.dimensions as [number, number];
    const row = (index: number) => [...(scales.data as Float32Array).slice(index * channels, (index + 1) * channels)];
    expect(rows).toBe(3);
    expect(row(0)).not.toEqual(row(1));
    expect(row(1)).not.toEqual(row(2));
  });

  it("steps after each precision where the rule says so, and leaves those alone that it does not visit", async () => {
    const visited = await trainSwitchable(options([3, 8], { rule: "lowToHigh", epochs: 1 }));
    expect(visited.effort.optimizerSteps).toBe(8);
    const sandwich = await trainSwitchable(options([3, 5, 8], { rule: "sandwich", epochs: 1 }));
    expect(sandwich.effort.optimizerSteps).toBe(16);
  });

  it("goes on from a checkpoint to the same bits", async () => {
    const checkpoints: Checkpoint[] = [];
    for (const rule of ["cascade", "sandwich"] as const) {
      checkpoints.length = 0;
      const whole = await trainSwitchable(
        options([3, 8], { rule, onCheckpoint: async (checkpoint) => void checkpoints.push(checkpoint) }),
      );
      expect(await trainSwitchable(options([3, 8], { rule, resume: checkpoints[0] }))).toEqual(whole);
    }
  });
});
