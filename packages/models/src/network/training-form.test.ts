import { expect, it } from "vitest";
import { dropout, globalAveragePool } from "../layers/activation.js";
import { convBatchNorm, depthwiseSeparable } from "../layers/blocks.js";
import { linear } from "../layers/linear.js";
import { pixels } from "../layers/pixels.js";
import { zooNetwork } from "../zoo/zoo.js";
import { NetworkBuilder } from "./builder.js";
import type { Network } from "./network.js";
import { predictionGraph } from "./prediction-graph.js";
import { chosenRow } from "./rows.js";
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

/** One observed value, its range read through a node; `rows` settings. */
function rangedNetwork(rows: number | undefined, batchInTraining: boolean): Network {
  const n = new NetworkBuilder("ranged");
  const x = globalAveragePool(n, n.g.relu(n.imageInput(3, 8, 8)));
  const shape = rows === undefined ? [] : [rows];
  const role = { role: "activationRange", initialization: { kind: "constant", value: 1 } } as const;
  const parameter = n.parameter("largest", shape, { ...role, row: rows === undefined ? undefined : "setting" });
  const read = rows === undefined ? parameter : chosenRow(n.g, parameter, n.g.input("setting", "float32", []));
  const range = n.g.identity(read);
  const network = n.build(linear(n, "classifier", n.g.div(x, range), { features: 4 }));
  return {
    ...network,
    scalars: rows === undefined ? [] : [{ name: "setting", value: 0 }],
    observedRanges: [{ range: range.name, observed: x.name, statistic: "max", momentum: 0.1, batchInTraining }],
    noises: [],
  };
}

it("averages a range that is read through nodes, and puts the batch's in its place where that is asked for", () => {
  for (const rows of [undefined, 3]) {
    for (const batchInTraining of [false, true]) {
      const network = rangedNetwork(rows, batchInTraining);
      const { graph, updates } = trainingForm(network, { batchSize: 4 });
      expect([...updates]).toEqual([["largest", "largest:next"]]);
      expect(graph.types.get("largest:next")?.shape).toEqual(rows === undefined ? [] : [3]);
      const division = graph.nodes.find(({ operator }) => operator === "Div")!;
      const divisor = graph.nodes.find(({ outputs }) => outputs[0] === division.inputs[1])!;
      expect(divisor.operator).toBe(batchInTraining ? "ReduceMax" : "Identity");
      expect(graph.nodes.filter(({ operator }) => operator === "ReduceMax").length).toBe(1);
    }
  }
});

it("gives noises their sizes, and predictions none", () => {
  const n = new NetworkBuilder("noisy");
  const x = globalAveragePool(n, n.imageInput(3, 8, 8));
  const noise = n.g.input("noise", "float32", ["batch", 3]);
  const [y] = n.g.customGradient(
    [x, noise],
    () => [n.g.identity(x)],
    ([gradient], { g, inputs }) => [gradient && g.add(gradient, inputs[1]!), undefined],
  );
  const network = {
    ...n.build(linear(n, "classifier", y!, { features: 4 })),
    noises: [{ input: "noise", shape: ["batch", 3] }],
  };
  expect(trainingForm(network, { batchSize: 4 }).noises).toEqual([{ input: "noise", shape: [4, 3] }]);
  const prediction = predictionGraph(network);
  expect(prediction.inputs.map(({ name }) => name)).toEqual(["image", "classifier.weight", "classifier.bias"]);
  expect(prediction.customGradients).toEqual([]);
  expect(prediction.nodes).toEqual(network.graph.nodes);
});
