import { createRandomStream } from "@dovetail/core";
import { type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import {
  type Checkpoint,
  createBatchStream,
  createPredictor,
  sgd,
  type TrainingResult,
  type TrainOptions,
  train,
} from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose } from "../quantizers/testing/draws.js";
import { levelsDataset, smallNetwork } from "../testing/levels.js";
import {
  images,
  initialParameters,
  keyOf,
  mostDistinct,
  operandKinds,
  type TrainingGraph,
  trainingGraph,
} from "../testing/operands.js";
import { quantizeLayers } from "./quantize-layers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const batchSize = 6;
const image = images(batchSize);
const plain = smallNetwork();
const weightNames = plain.parameters.filter(({ role }) => role === "weight").map(({ name }) => name);

async function runFor({ graph, feeds }: TrainingGraph, names: readonly string[]): Promise<Record<string, Tensor>> {
  const unique = [...new Set(names)];
  const segment = await runtime.compile({
    ...graph,
    outputs: unique.map((name) => ({ name, type: graph.types.get(name)! })),
  });
  return segment.run(feeds);
}

describe("the operands of every product", () => {
  it.each([
    { weightBits: 4, activationBits: 3, errorBits: 6, weightGradientBits: 5 },
    { weightBits: 2, activationBits: 8, errorBits: 3, weightGradientBits: 7 },
  ])(
    "take at most 2^bits values at $weightBits, $activationBits, $errorBits, $weightGradientBits bits",
    async (bits) => {
      const training = trainingGraph(quantizeLayers(plain), bits);
      const nodes = training.graph.nodes.filter((node) => keyOf(node) in operandKinds);
      // Six convolutions; the stem's error goes nowhere. One more would be a copy of a forward product that nothing reads.
      expect(nodes.map(keyOf).sort()).toEqual(
        [
          ...Array(6).fill("Conv"),
          ...Array(5).fill("ai.dovetail.ConvInputGradient"),
          ...Array(6).fill("ai.dovetail.ConvWeightGradient"),
        ].sort(),
      );
      const values = await runFor(
        training,
        nodes.flatMap(({ inputs }) => inputs.slice(0, 2)),
      );
      for (const node of nodes) {
        operandKinds[keyOf(node)]!.forEach((kind, operand) => {
          const isDepthwise = node.attributes.group?.value !== 1;
          const axis = kind === "weightBits" ? 0 : kind === "activationBits" && isDepthwise ? 1 : undefined;
          const found = mostDistinct(values[node.inputs[operand]!]!, axis);
          expect(found, `${node.name}: ${kind}`).toBeLessThanOrEqual(2 ** bits[kind]);
          // And no fewer than could be: few bits are used up.
          if (bits[kind] <= 3) expect(found, `${node.name}: ${kind}`).toBe(2 ** bits[kind]);
        });
      }
    },
  );

  it("are quantized in the classifier too, where that is asked for", async () => {
    const bits = { weightBits: 2, activationBits: 2, errorBits: 2, weightGradientBits: 2 };
    const training = trainingGraph(quantizeLayers(plain, { fullPrecision: () => false }), bits);
    const nodes = training.graph.nodes.filter(({ operator }) => operator === "Gemm");
    expect(nodes.length).toBe(3);
    const values = await runFor(
      training,
      nodes.flatMap(({ inputs }) => inputs.slice(0, 2)),
    );
    for (const { inputs } of nodes) {
      for (const name of inputs.slice(0, 2)) {
        const isWeight = values[name]!.dimensions[0] === 4;
        expect(mostDistinct(values[name]!, isWeight ? 0 : undefined)).toBeLessThanOrEqual(4);
      }
    }
  });
});

const gradientNames = weightNames.map((name) => `gradient/${name}`);

it("has the gradients of the plain network at 32 bits", async () => {
  const full = { weightBits: 32, activationBits: 32, errorBits: 32, weightGradientBits: 32 };
  const expected = await runFor(trainingGraph(plain), gradientNames);
  const found = await runFor(trainingGraph(quantizeLayers(plain), full), gradientNames);
  for (const name of gradientNames) {
    const values = tensorNumbers(expected[name]!);
    expectClose(tensorNumbers(found[name]!), values, 1e-4 * Math.max(...values.map(Math.abs)));
  }
});

it("leaves the layers that it is told to, and gives groups bit-widths of their own", async () => {
  const network = quantizeLayers(plain, {
    fullPrecision: ({ role }) => role !== "inner" && role !== "depthwise",
    group: ({ role }) => (role === "depthwise" ? "depthwise" : undefined),
  });
  const kinds = ["weightBits", "activationBits", "errorBits", "weightGradientBits"];
  expect(network.scalars.map(({ name }) => name)).toEqual([...kinds, ...kinds.map((kind) => `depthwise.${kind}`)]);
  expect(network.noises.length).toBe(4);
  const at = async (bits: Readonly<Record<string, number>>) => {
    const all = Object.fromEntries(network.scalars.map(({ name }) => [name, 32]));
    return runFor(trainingGraph(network, { ...all, ...bits }), gradientNames);
  };
  const gradient = async (name: string, bits = {}) => tensorNumbers((await at(bits))[`gradient/${name}`]!);
  const differs = async (name: string, bits: Readonly<Record<string, number>>) => {
    const [full, few] = [await gradient(name), await gradient(name, bits)];
    return few.some((value, index) => value !== full[index]);
  };
  expect(await differs("separable.depthwise.conv.weight", { "depthwise.weightGradientBits": 3 })).toBe(true);
  expect(await differs("separable.pointwise.conv.weight", { "depthwise.weightGradientBits": 3 })).toBe(false);
  expect(await differs("separable.pointwise.conv.weight", { weightGradientBits: 3 })).toBe(true);
  expect(await differs("stem.conv.weight", { weightGradientBits: 3 })).toBe(false);
});

describe("activation ranges", () => {
  const network = quantizeLayers(plain, { fullPrecision: ({ role }) => role === "stem", rangeMomentum: 0.25 });
  const ranges = network.parameters.filter(({ role }) => role === "activationRange");

  it("exist once an input, once a channel where convolutions are depth-wise", () => {
    const depthwise = ranges.filter(({ shape }) => shape.length === 1);
    expect(depthwise.map(({ shape }) => shape)).toEqual([[16], [16]]);
    // First convolution and shortcut read the same value; with second, pointwise and classifier that makes four.
    expect(ranges.length).toBe(2 * 5);
  });

  it("are averaged with the batch's, which training itself uses", async () => {
    const training = trainingGraph(network);
    const observed = network.observedRanges.map((range) => range.observed);
    const outputs = await runFor(training, [...observed, ...ranges.map(({ name }) => training.updates.get(name)!)]);
    network.observedRanges.forEach(({ statistic, axis }, index) => {
      const { name } = ranges[index]!;
      const values = tensorNumbers(outputs[observed[index]!]!);
      const extreme = statistic === "min" ? Math.min : Math.max;
      const next = tensorNumbers(outputs[`${name}:next`]!);
      if (axis === undefined) {
        const start = statistic === "min" ? 0 : 1;
        expectClose(next, [0.75 * start + 0.25 * extreme(...values)], 1e-5);
      } else {
        const first = values.filter((_, place) => Math.floor(place / 16) % 16 === 0);
        expect(next[0]).toBeCloseTo(0.75 * (statistic === "min" ? 0 : 1) + 0.25 * extreme(...first), 5);
      }
    });
  });

  it("clip in inference form", async () => {
    const parameters = initialParameters(network);
    const logitsWith = async (max: number): Promise<Float32Array> => {
      for (const { name, shape } of ranges) {
        const count = shape[0] ?? 1;
        parameters.set(name, tensor("float32", shape, Array(count).fill(name.endsWith("min") ? 0 : max)));
      }
      const predictor = await createPredictor({ runtime, network, weights: parameters });
      return predictor.predict(image);
    };
    const [wide, wider, none] = [await logitsWith(50), await logitsWith(60), await logitsWith(0)];
    expect(wide).not.toEqual(wider);
    // With every input clipped to 0, all images give the classifier's bias.
    expectClose([...none.slice(4, 8)], [...none.slice(0, 4)], 1e-6);
  });
});

it("is trained with noises from the training's seed, to the same bits after a break", async () => {
  const dataset = levelsDataset();
  const network = quantizeLayers(plain, { weightBits: 4, activationBits: 6, errorBits: 6, weightGradientBits: 6 });
  const checkpoints: Checkpoint[] = [];
  const training = (seed: number, changes: Partial<TrainOptions> = {}): Promise<TrainingResult> =>
    train({
      runtime,
      network,
      weights: initialParameters(network),
      batchSize: 16,
      epochs: 4,
      optimizer: sgd(),
      learningRate: 0.05,
      random: createRandomStream(seed),
      batches: (start) =>
        createBatchStream({ dataset, part: "train", batchSize: 16, random: createRandomStream(3), epochs: 4, start }),
      ...changes,
    });
  const onCheckpoint = async (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
  const whole = await training(1, { onCheckpoint });
  expect(whole.history.at(-1)!.loss).toBeLessThan(0.7 * whole.history[0]!.loss);
  expect(await training(1, { resume: checkpoints[0] })).toEqual(whole);
  expect((await training(2)).weights.get("stem.conv.weight")).not.toEqual(whole.weights.get("stem.conv.weight"));
});
