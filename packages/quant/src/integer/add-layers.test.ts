import { createRandomStream } from "@dovetail/core";
import { type Model, type Tensor, tensorFromData, tensorNumbers, writeModel } from "@dovetail/graph";
import { adderConvolution, initializeParameters, type Network, resNet } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createPredictor } from "@dovetail/train";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PreparedNetwork, prepareQuantization } from "../calibration/prepare.js";
import { quantizationPoints } from "../quantizers/points.js";
import { levelsDataset } from "../testing/levels.js";
import { exportQdqModel } from "./export-qdq.js";

const dataset = levelsDataset();
const images = tensorFromData("float32", [40, 3, 8, 8], Float32Array.from(dataset.images("test")));
const stem = "stem.conv.weight";
const bits = { weightBits: 8, activationBits: 8 };

/** Add layers in the blocks; the stem's weights are powers of two, annotated. */
const network: Network = (() => {
  const plain = resNet({ depth: 8, classCount: 4, pixels: { height: 8, width: 8 }, layer: adderConvolution });
  const annotations = new Map([...plain.graph.annotations, [stem, { powerOfTwo: true, bitWidth: 5 }]]);
  return { ...plain, graph: { ...plain.graph, annotations } };
})();

let runtime: Runtime;
let prepared: PreparedNetwork;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  const weights = new Map<string, Tensor>(initializeParameters(network, createRandomStream(3)));
  const { dimensions } = weights.get(stem)!;
  const powers = tensorNumbers(weights.get(stem)!).map(
    (value) => Math.sign(value) * 2 ** -Math.ceil(5 * Math.abs(value)),
  );
  weights.set(stem, tensorFromData("float32", dimensions, Float32Array.from(powers)));
  prepared = await prepareQuantization({ runtime, network, weights, dataset, ...bits });
});
afterAll(() => runtime.release());

async function runPlainly(model: Model): Promise<number[]> {
  const session = await InferenceSession.create(writeModel(model), { logSeverityLevel: 3 });
  const outputs = await session.run({ image: new OrtTensor("float32", images.data as Float32Array, [40, 3, 8, 8]) });
  await session.release();
  return [...(outputs[model.graph.outputs[0]!.name]!.data as Float32Array)];
}

it("gives in plain ONNX Runtime what the quantized network gives", async () => {
  const predictor = await createPredictor({ runtime, network: prepared.quantized, weights: prepared.weights });
  const expected = [...(await predictor.predict(images))];
  await predictor.release();
  const found = await runPlainly(exportQdqModel(prepared.folded, prepared.weights, bits));
  const norm = Math.hypot(...expected);
  expect(Math.hypot(...found.map((value, index) => value - expected[index]!)) / norm).toBeLessThan(0.005);
});

it("holds an add layer's weights at the scale of its input, and none of them is clipped", () => {
  const { distances, weights } = quantizationPoints(prepared.folded);
  // Two 3×3 layers in each of three blocks, and two shortcuts.
  expect(distances.length).toBe(8);
  expect(weights.map(({ value }) => value)).toEqual(["classifier.weight"]);
  const { graph } = exportQdqModel(prepared.folded, prepared.weights, bits);
  for (const { value, input } of distances) {
    const [inputScale] = tensorNumbers(graph.initializers.get(`${input.value}:scale`)!);
    expect(new Set(tensorNumbers(graph.initializers.get(`${value}:scale`)!))).toEqual(new Set([inputScale]));
    const integers = tensorNumbers(graph.initializers.get(`${value}:quantized`)!);
    const given = tensorNumbers(prepared.weights.get(value)!);
    for (const [index, integer] of integers.entries()) {
      expect(Math.abs(integer * inputScale! - given[index]!)).toBeLessThanOrEqual(0.5001 * inputScale!);
    }
  }
});

it("leaves weights that are powers of two as they are, with their annotation", () => {
  const { graph } = exportQdqModel(prepared.folded, prepared.weights, bits);
  expect(graph.annotations.get(stem)).toEqual({ powerOfTwo: true, bitWidth: 5 });
  expect(tensorNumbers(graph.initializers.get(stem)!)).toEqual(tensorNumbers(prepared.weights.get(stem)!));
  expect(graph.annotations.get(`${quantizationPoints(prepared.folded).distances[0]!.value}`)?.bitWidth).toBe(8);
});
