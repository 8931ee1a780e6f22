import { expect, it } from "vitest";
import { dropout, globalAveragePool } from "../layers/activation.js";
import { convBatchNorm, depthwiseSeparable } from "../layers/blocks.js";
import { linear } from "../layers/linear.js";
import { pixels } from "../layers/pixels.js";
import { zooNetwork } from "../zoo/zoo.js";
import { NetworkBuilder } from "./builder.js";
import { trainingForm } from "./training-form.js";

it("gives every batch normalization its batch statistics and both running ones an update", () => {
  const network = zooNetwork("resnet8");
  const { graph, updates } = trainingForm(network, { batchSize: 16 });
  const statistics = network.parameters.filter(({ role }) => role === "runningMean" || role === "runningVariance");
  expect([...updates.keys()].sort()).toEqual(statistics.map(({ name }) => name).sort());
  const outputs = graph.outputs.map(({ name }) => name);
  expect(outputs).toEqual(["logits", ...updates.values()]);
  const operators = graph.nodes.map(({ operator }) => operator);
  expect(operators).not.toContain("BatchNormalization");
  expect(operators.filter((name) => name === "BatchNormalizationTraining").length).toBe(statistics.length / 2);
  for (const [parameter, output] of updates) {
    expect(graph.types.get(output)).toEqual(graph.types.get(parameter));
  }
});

it("fixes the batch size in every type", () => {
  const { graph } = trainingForm(zooNetwork("mobilenet-v2"), { batchSize: 16 });
  expect(graph.types.get("image")?.shape).toEqual([16, 3, 32, 32]);
  expect(graph.types.get("logits")?.shape).toEqual([16, 10]);
  for (const { shape } of graph.types.values()) expect(shape?.every((size) => typeof size === "number")).toBe(true);
});

it("turns dropout into a mask to be fed, and leaves the inference form alone", () => {
  const n = new NetworkBuilder("with dropout");
  let x = convBatchNorm(n, "stem", pixels(n), { channels: 8, kernel: 3, stride: 2 });
  x = dropout(n, depthwiseSeparable(n, "block", x, { channels: 12 }), { rate: 0.25 });
  const network = n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 4 }));
  const { graph, masks } = trainingForm(network, { batchSize: 2 });
  expect(masks).toEqual([{ input: "Dropout:mask", shape: [2, 12, 16, 16], rate: 0.25 }]);
  expect(graph.nodes.some(({ operator }) => operator === "Dropout")).toBe(false);
  expect(network.graph.nodes.some(({ operator }) => operator === "Dropout")).toBe(true);
});
