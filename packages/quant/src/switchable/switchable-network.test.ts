import { createRandomStream } from "@dovetail/core";
import { foldBatchNormalization, foldConstants, type Tensor, tensor, tensorNumbers, writeModel } from "@dovetail/graph";
import { exportModel, initializeParameters } from "@dovetail/models";
import { createRuntime, openModel, type Runtime } from "@dovetail/runtime";
import {
  type Checkpoint,
  createBatchStream,
  createPredictor,
  evaluate,
  sgd,
  type TrainOptions,
  train,
} from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantizeLayers } from "../layers/quantize-layers.js";
import { expectClose } from "../quantizers/testing/draws.js";
import { levelsDataset, smallNetwork } from "../testing/levels.js";
import { precisionIndex, spreadOverPrecisions, switchableNetwork } from "./switchable-network.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const dataset = levelsDataset();
const plain = smallNetwork();
const bitWidths = [2, 4, 32];
const switchable = switchableNetwork(plain, { bitWidths });
const { network } = switchable;
const rowed = network.parameters.filter(({ row }) => row !== undefined);
/** All but the smallest values behind a ReLU, which are 0 from the beginning. */
const changes = rowed.map(({ name }) => name).filter((name) => !name.endsWith(":min"));
const first = initializeParameters(network, createRandomStream(1));

const training = (changes: Partial<TrainOptions> = {}): TrainOptions => ({
  runtime,
  network,
  weights: first,
  batchSize: 16,
  epochs: 2,
  optimizer: sgd({ weightDecay: 1e-3 }),
  learningRate: 0.02,
  random: createRandomStream(2),
  batches: (start) =>
    createBatchStream({ dataset, part: "train", batchSize: 16, random: createRandomStream(3), epochs: 2, start }),
  ...changes,
});

/** A precision's row of a parameter. */
function rowOf(weights: ReadonlyMap<string, Tensor>, name: string, index: number): number[] {
  const values = tensorNumbers(weights.get(name)!);
  const size = values.length / bitWidths.length;
  return values.slice(index * size, (index + 1) * size);
}

/** The weights with this precision's rows alone, for the network quantized at one precision. */
function weightsAt(weights: ReadonlyMap<string, Tensor>, index: number): Map<string, Tensor> {
  return new Map(
    network.parameters.map(({ name, shape, row }) => [
      name,
      row === undefined ? weights.get(name)! : tensor("float32", shape.slice(1), rowOf(weights, name, index)),
    ]),
  );
}

const image = tensor(
  "float32",
  [4, 3, 8, 8],
  Array.from({ length: 768 }, (_, index) => (index * 37) % 256),
);

describe("a switchable network", () => {
  it("has statistics, normalization and ranges once a precision, everything else once", () => {
    expect(rowed.map(({ role }) => role)).toEqual(
      expect.arrayContaining(["scale", "shift", "runningMean", "runningVariance", "activationRange"]),
    );
    for (const { shape } of rowed) expect(shape[0]).toBe(3);
    expect(network.parameters.filter(({ row }) => row === undefined).map(({ role }) => role)).toEqual([
      ...Array(6).fill("weight"),
      "weight",
      "bias",
    ]);
    expect(switchable.setting(4)).toEqual({ precisionIndex: 1, weightBits: 4, activationBits: 4 });
    expect(() => switchable.setting(8)).toThrow(/expected 2, 4, 32.*received 8|precision/);
  });

  it("trains at one precision without touching a bit of what others have for themselves", async () => {
    const { weights } = await train(training({ scalars: switchable.setting(4) }));
    for (const { name } of rowed) {
      for (const index of [0, 2]) expect(rowOf(weights, name, index), name).toEqual(rowOf(first, name, index));
      if (changes.includes(name)) expect(rowOf(weights, name, 1), name).not.toEqual(rowOf(first, name, 1));
    }
    // As if the others were not there.
    const alone = quantizeLayers(plain, {
      gradients: "none",
      fullPrecision: ({ role }) => role === "stem" || role === "classifier",
    });
    const scalars = { weightBits: 4, activationBits: 4 };
    const single = await train(training({ network: alone, weights: weightsAt(first, 1), scalars }));
    for (const [name, values] of weightsAt(weights, 1)) {
      expectClose(tensorNumbers(values), tensorNumbers(single.weights.get(name)!), 1e-4);
    }
  });

  it("changes its precision from step to step, and gives the same bits after a break", async () => {
    const settings = [switchable.setting(2), switchable.setting(32), switchable.setting(4)];
    const scalars = Object.fromEntries(
      Object.keys(settings[0]!).map((name) => [name, (step: number) => settings[step % 3]![name]!]),
    );
    const checkpoints: Checkpoint[] = [];
    const onCheckpoint = async (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
    const whole = await train(training({ scalars, onCheckpoint, checkpointEverySteps: 7 }));
    for (const name of changes) {
      for (const index of [0, 1, 2]) expect(rowOf(whole.weights, name, index)).not.toEqual(rowOf(first, name, index));
    }
    const resume = checkpoints.find(({ state }) => (state as { optimizerSteps: number }).optimizerSteps === 7)!;
    expect(await train(training({ scalars, resume }))).toEqual(whole);
    const losses = await Promise.all(
      bitWidths.map(async (bits) => {
        const options = { runtime, network, weights: whole.weights, scalars: switchable.setting(bits), dataset };
        return (await evaluate({ ...options, part: "test" })).loss;
      }),
    );
    for (const loss of losses) expect(loss).toBeLessThan(Math.log(4));
    expect(new Set(losses).size).toBe(3);
  });

  it("switches one compiled graph by what it is fed", async () => {
    let compiled = 0;
    const counting: Runtime = {
      ...runtime,
      compile: (...given) => {
        compiled += 1;
        return runtime.compile(...given);
      },
    };
    let bits = 2;
    const weights = (await train(training())).weights;
    const predictor = await createPredictor({
      runtime: counting,
      network,
      weights,
      scalars: () => switchable.setting(bits),
    });
    for (const [index, precision] of bitWidths.entries()) {
      bits = precision;
      const alone = quantizeLayers(plain, {
        gradients: "none",
        fullPrecision: ({ role }) => role === "stem" || role === "classifier",
      });
      const single = await createPredictor({
        runtime,
        network: alone,
        weights: weightsAt(weights, index),
        scalars: { weightBits: precision, activationBits: precision },
      });
      expectClose([...(await predictor.predict(image))], [...(await single.predict(image))], 1e-4);
    }
    expect(compiled).toBe(1);
  });

  it("is exported at one precision, where constants and normalizations fold", async () => {
    const { weights } = await train(training({ scalars: switchable.setting(4) }));
    const scalars = switchable.setting(4);
    const predictor = await createPredictor({ runtime, network, weights, scalars });
    const expected = [...(await predictor.predict(image))];
    const model = exportModel(network, weights, { scalars });
    const graph = foldBatchNormalization(foldConstants({ ...model.graph, customGradients: [] }));
    const operators = graph.nodes.map(({ operator }) => operator);
    expect(operators).not.toContain("BatchNormalization");
    expect(operators).not.toContain("Gather");
    for (const exported of [model, { ...model, graph }]) {
      const session = await openModel(writeModel(exported));
      const outputs = await session.run({ image });
      expectClose(tensorNumbers(outputs.logits!), expected, 1e-4);
      await session.release();
    }
  });

  it("starts every precision from a trained network's weights", async () => {
    const weights = initializeParameters(plain, createRandomStream(5));
    const spread = spreadOverPrecisions(switchable, weights);
    expect(spread.size).toBe(weights.size);
    for (const { name, role } of rowed) {
      if (role === "activationRange") continue;
      for (const index of [0, 1, 2]) expect(rowOf(spread, name, index)).toEqual(tensorNumbers(weights.get(name)!));
    }
  });

  it("says what is wrong with its precisions", () => {
    for (const wrong of [[], [4, 4], [2.5], [0]]) {
      expect(() => switchableNetwork(plain, { bitWidths: wrong })).toThrow(/different positive integers/);
    }
    expect(() => switchableNetwork(network, { bitWidths })).toThrow(/quantized already/);
    expect(network.scalars.find(({ name }) => name === precisionIndex)?.value).toBe(2);
  });
});
