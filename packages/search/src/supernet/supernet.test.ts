import { createRandomStream } from "@dovetail/core";
import { scalar, type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { buildTrainingStep, type Optimizer, radam, sgd, softmaxCrossEntropy } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { networkOf, smallImageSpace } from "../space/space.js";
import { createSupernet, type Supernet } from "./supernet.js";

const batchSize = 4;
const space = smallImageSpace({ widths: [16, 32, 64], depths: [1, 1, 2], pixels: { height: 8, width: 8 } });
const hyperparameters = { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-3 };

let runtime: Runtime;
let supernet: Supernet;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

function open(optimizer: Optimizer = sgd({ momentum: 0.9 })): Supernet {
  return createSupernet({
    space,
    runtime,
    batchSize,
    optimizer,
    loss: softmaxCrossEntropy(),
    random: createRandomStream(5),
  });
}

function batch(seed: number): { images: Tensor; labels: Tensor } {
  const random = createRandomStream(seed);
  const images = Float32Array.from({ length: batchSize * 3 * 64 }, () => random.integer(256));
  const labels = BigInt64Array.from({ length: batchSize }, () => BigInt(random.integer(10)));
  return {
    images: tensorFromData("float32", [batchSize, 3, 8, 8], images),
    labels: tensorFromData("int64", [batchSize], labels),
  };
}

describe("supernet", () => {
  it.each([
    ["SGD", sgd({ momentum: 0.9 })],
    ["RAdam, which counts steps", radam()],
  ])("steps a path exactly as the network that the path makes: %s", async (_, optimizer) => {
    for (const path of [
      [0, 1, 2, 6],
      [3, 4, 5, 6],
      [6, 6, 0, 3],
    ]) {
      supernet = open(optimizer);
      const network = networkOf(space, path, "path");
      const step = buildTrainingStep(network, {
        loss: softmaxCrossEntropy(),
        optimizer,
        batchSize,
      });
      const before = supernet.state.snapshot();
      const state = runtime.createState(
        new Map([...network.parameters.map(({ name }) => [name, before.get(name)!] as const), ...step.initialMemory()]),
      );
      const segment = await runtime.compile(step.graph, { state, statePairs: step.statePairs });
      for (let index = 0; index < 2; index++) {
        const { images, labels } = batch(index);
        const feeds: Record<string, Tensor> = { [step.image]: images, [step.target]: labels };
        const scalars = optimizer.feeds({ ...optimizer.hyperparameters, ...hyperparameters }, index);
        for (const [name, input] of Object.entries(step.hyperparameters)) feeds[input] = scalar(scalars[name]!);
        const expected = await segment.run(feeds);
        const loss = await supernet.trainPath(path, { images, labels }, hyperparameters);
        expect(loss).toBeCloseTo(tensorNumbers(expected[step.loss]!)[0]!, 4);
      }
      for (const { name, trainable } of network.parameters) {
        if (!trainable) continue;
        const ours = tensorNumbers(supernet.state.read(name));
        const theirs = tensorNumbers(state.read(name));
        const difference = Math.hypot(...ours.map((value, index) => value - theirs[index]!));
        expect(difference).toBeLessThanOrEqual(1e-3 * (Math.hypot(...theirs) + 1e-3));
      }
      await segment.release();
      await supernet.release();
    }
  });

  it("probes without changing weights: the loss of the first path, its products, and none for a skipped identity", async () => {
    supernet = open();
    const active = [
      [0, 3],
      [1, 4],
      [6, 2],
      [2, 5],
    ] as const;
    const before = supernet.state.snapshot();
    const first = await supernet.probe(active, batch(1));
    const again = await supernet.probe(active, batch(1));
    expect(again).toEqual(first);
    for (const [name, tensor] of supernet.state.snapshot()) expect(tensor.data).toEqual(before.get(name)!.data);
    expect(first.products).toHaveLength(4);
    expect(first.products.flat().every(Number.isFinite)).toBe(true);
    const swapped = await supernet.probe([active[0], active[1], active[2], [5, 2]], batch(1));
    expect(swapped.loss).not.toBe(first.loss);
    await supernet.release();
  });
});
