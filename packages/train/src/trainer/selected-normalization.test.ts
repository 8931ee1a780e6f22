import { createRandomStream } from "@dovetail/core";
import { differentiate, GraphBuilder, type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import {
  batchNormalization,
  convolution,
  initializeParameters,
  type Network,
  NetworkBuilder,
  trainingForm,
} from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";

// Batch normalization over some of a batch's samples equals that of the same samples as a batch of their own.

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const size = 4;
const pixels = 3 * size * size;

/** Images whose first pixel says whether they count. */
function images(active: readonly boolean[], seed: number): number[][] {
  const random = createRandomStream(seed);
  return active.map((isActive) => {
    const image = Array.from({ length: pixels }, () => random.normal() * 2 + 1);
    image[0] = isActive ? 1 : -1;
    return image;
  });
}

/** Convolution and batch normalization of the samples that count; the output of others is zero. */
function networkOf(isZeroElsewhere: boolean): Network {
  const n = new NetworkBuilder("selected");
  const { g } = n;
  const image = n.imageInput(3, size, size);
  const first = g.slice(g.flatten(image), [0], [1], [1]);
  const active = g.cast(g.greater(first, 0), "float32");
  const column = g.reshape(active, [-1, 1, 1, 1]);
  const x = isZeroElsewhere ? g.mul(image, column) : image;
  const y = convolution(n, "conv", x, { channels: 16, kernel: 3, bias: false });
  const normalized = batchNormalization(n, "bn", y);
  const logits = g.flatten(g.globalAveragePool(g.mul(g.relu(normalized), column)));
  const network = n.build(logits);
  const node = network.graph.nodes.find(({ operator }) => operator === "BatchNormalization")!.name;
  return { ...network, selections: [{ node, active: active.name, isZeroElsewhere }] };
}

/** Logits, gradients of Σ logits² to all trainable parameters, and the new running statistics. */
async function stepOf(network: Network, batch: readonly (readonly number[])[], weights: ReadonlyMap<string, Tensor>) {
  const form = trainingForm(network, { batchSize: batch.length });
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const logits = g.value(form.logits);
  const trained = network.parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
  const gradients = differentiate(g, {
    loss: g.mul(logits, logits),
    withRespectTo: trained.map((name) => g.value(name)),
  });
  g.output(logits, "result:logits");
  gradients.forEach((gradient, index) => {
    g.output(gradient, `result:${trained[index]}`);
  });
  for (const output of form.updates.values()) g.output(g.value(output));
  const segment = await runtime.compile(g.build());
  const feeds = {
    ...Object.fromEntries(weights),
    [network.image]: tensor("float32", [batch.length, 3, size, size], batch.flat()),
  };
  const outputs = await segment.run(feeds);
  await segment.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, [...tensorNumbers(value)]]));
}

const active = [true, false, true, true, false, true, false, true];

it.each([true, false])("where the input of others is zero already: %s", async (isZeroElsewhere) => {
  const network = networkOf(isZeroElsewhere);
  const weights = initializeParameters(network, createRandomStream(3));
  const batch = images(active, 1);
  const selected = await stepOf(network, batch, weights);
  const { selections: _, ...plain } = network;
  const alone = await stepOf(
    plain,
    batch.filter((_, index) => active[index]),
    weights,
  );
  const channels = 16;
  const rows = active.flatMap((isActive, row) =>
    isActive ? selected["result:logits"]!.slice(row * channels, (row + 1) * channels) : [],
  );
  for (const [name, expected] of Object.entries(alone)) {
    const ours = name === "result:logits" ? rows : selected[name]!;
    const scale = Math.max(...expected.map(Math.abs));
    expect(scale).toBeGreaterThan(1e-3);
    expected.forEach((value, index) => {
      expect(Math.abs(ours[index]! - value), name).toBeLessThan(2e-4 * scale);
    });
  }
});

it("keeps running statistics, and gives finite gradients, where no sample counts", async () => {
  const network = networkOf(true);
  const weights = initializeParameters(network, createRandomStream(3));
  const result = await stepOf(network, images([false, false], 2), weights);
  for (const name of ["bn.runningMean", "bn.runningVariance"]) {
    expect(result[`${name}:next`]).toEqual([...tensorNumbers(weights.get(name)!)]);
  }
  expect(Object.values(result).flat().every(Number.isFinite)).toBe(true);
});
