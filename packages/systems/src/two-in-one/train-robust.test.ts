import { createRandomStream } from "@dovetail/core";
import { type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { type Checkpoint, createPredictor } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { type RobustTrainingOptions, trainRobust } from "./train-robust.js";
import { type AttackedForm, pgdAdversary } from "./training-attack.js";

const batchSize = 16;
const dataset = stripes({ train: 64, validation: 16, test: 16 });
const base = resNet({ depth: 8, widths: [4, 4, 6], classCount: 4, pixels: { height: 8, width: 8 } });
const switchable = switchableNetwork(base, { bitWidths: [4, 6, 8] });
const { network, setting } = switchable;
const random = createRandomStream(3);
const weights = new Map<string, Tensor>([
  ...initializeParameters(network, random),
  ...spreadOverPrecisions(switchable, initializeParameters(base, random)),
]);
const statistics = network.parameters.filter(({ role }) => role === "runningMean" || role === "runningVariance");

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const images = tensorFromData(
  "float32",
  [batchSize, 3, 8, 8],
  Float32Array.from(dataset.images("test").slice(0, batchSize * 192)),
);
const labels = tensorFromData(
  "int64",
  [batchSize],
  BigInt64Array.from({ length: batchSize }, (_, index) => BigInt(index % 4)),
);
const epsilon = 8 / 255;

async function attacked(form: AttackedForm, steps = 7) {
  const state = runtime.createState(weights);
  const adversary = pgdAdversary({
    runtime,
    network,
    batchSize,
    epsilon,
    steps,
    stepSize: epsilon / 4,
    scalars: setting(6),
    form,
    random: createRandomStream(9),
  });
  const open = await adversary.open(state);
  const changed = await open.perturb({ images, labels, step: 5 });
  const again = await open.perturb({ images, labels, step: 5 });
  await open.release();
  return { state, changed, again };
}

describe("adversarial examples for a training step", () => {
  it("lie in the ball and in the image's range, and cost the network at that precision its loss", async () => {
    const { changed, again } = await attacked("inference");
    expect(again.data).toEqual(changed.data);
    const clean = images.data as Float32Array;
    const points = changed.data as Float32Array;
    points.forEach((value, index) => {
      expect(Math.abs(value - clean[index]!)).toBeLessThanOrEqual(8 + 1e-4);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(255);
    });
    const predictor = await createPredictor({ runtime, network, weights, scalars: setting(6) });
    const lossOf = async (of: Tensor): Promise<number> => {
      const logits = await predictor.predict(of);
      let sum = 0;
      for (let row = 0; row < batchSize; row++) {
        const own = [...logits.subarray(4 * row, 4 * row + 4)];
        sum += Math.log(own.reduce((total, value) => total + Math.exp(value), 0)) - own[row % 4]!;
      }
      return sum / batchSize;
    };
    expect(await lossOf(changed)).toBeGreaterThan((await lossOf(images)) + 0.01);
    await predictor.release();
  });

  it.each([
    ["inference", false],
    ["training", false],
    ["trainingWithUpdates", true],
  ] as const)("%s: running statistics move: %s", async (form, moves) => {
    const { state } = await attacked(form, 2);
    for (const { name } of statistics) {
      const before = tensorNumbers(weights.get(name)!);
      const after = tensorNumbers(state.read(name));
      const width = before.length / 3;
      // The attacked precision is the second.
      const isEqual = (row: number): boolean =>
        before.slice(row * width, (row + 1) * width).every((value, index) => value === after[row * width + index]);
      expect([isEqual(0), isEqual(1), isEqual(2)]).toEqual([true, !moves, true]);
    }
  });
});

function options(changes: Partial<RobustTrainingOptions> = {}): RobustTrainingOptions {
  return {
    runtime,
    dataset,
    switchable,
    weights,
    method: "fgsm-rs",
    precisions: [4, 6, 8],
    epsilon,
    batchSize,
    epochs: 2,
    random: createRandomStream(4),
    ...changes,
  };
}

describe("training with random precision", () => {
  it("moves the batch-norm parameters of the drawn precisions alone", async () => {
    const { weights: trained } = await trainRobust(options({ precisions: [4, 8], epochs: 3 }));
    for (const { name, row } of network.parameters) {
      if (row === undefined) continue;
      const [before, after] = [tensorNumbers(weights.get(name)!), tensorNumbers(trained.get(name)!)];
      const width = before.length / 3;
      expect(after.slice(width, 2 * width)).toEqual(before.slice(width, 2 * width));
    }
    const scale = "stem.bn.scale";
    expect(tensorNumbers(trained.get(scale)!).slice(0, 4)).not.toEqual(tensorNumbers(weights.get(scale)!).slice(0, 4));
    expect(tensorNumbers(trained.get(scale)!).slice(8)).not.toEqual(tensorNumbers(weights.get(scale)!).slice(8));
  });

  it.each(["natural", "fgsm-rs", "free"] as const)("%s goes on from a checkpoint to the same bits", async (method) => {
    const checkpoints: Checkpoint[] = [];
    const onCheckpoint = async (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
    const epochs = method === "free" ? 8 : 2;
    const whole = await trainRobust(options({ method, epochs, onCheckpoint }));
    expect(checkpoints.length).toBe(2);
    expect(whole.effort.optimizerSteps).toBe(method === "free" ? 32 : 8);
    expect(await trainRobust(options({ method, epochs, resume: checkpoints[0] }))).toEqual(whole);
  });
});
