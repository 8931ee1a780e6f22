import { createRandomStream } from "@dovetail/core";
import { type Model, readModel, type Tensor, tensorFromData, tensorNumbers, writeModel } from "@dovetail/graph";
import { foldBatchNorms, initializeParameters, type Network, resNet, zooNetwork } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createDataset, createPredictor, type LabelledImages } from "@dovetail/train";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PreparedNetwork, prepareQuantization } from "../calibration/prepare.js";
import { exportQdqModel } from "./export-qdq.js";

const imageShape = [3, 32, 32] as const;

function noise(count: number): LabelledImages {
  const random = createRandomStream(1).split(count);
  return {
    images: Uint8Array.from({ length: count * 3072 }, () => random.integer(256)),
    labels: new Uint8Array(count),
  };
}

const parts = { train: noise(50), validation: noise(10), test: noise(10) };
const classNames = Array.from({ length: 10 }, (_, index) => `${index}`);
const dataset = createDataset("noise", { classNames, imageShape }, parts, { files: [], citation: "", licence: "" });
const images = tensorFromData("float32", [10, ...imageShape], Float32Array.from(parts.test.images));

/** Random weights with running statistics that are not those of the start. */
function randomWeights(network: Network): Map<string, Tensor> {
  const random = createRandomStream(2);
  const weights = initializeParameters(network, random);
  for (const { name, role, shape } of network.parameters) {
    const draw = random.split(`${name}/statistics`);
    const data = Float32Array.from({ length: shape[0]! }, () => 0.5 + draw.uniform());
    if (role === "runningVariance" || role === "scale") weights.set(name, tensorFromData("float32", shape, data));
    if (role === "runningMean" || role === "shift") {
      weights.set(
        name,
        tensorFromData(
          "float32",
          shape,
          data.map((value) => value - 1),
        ),
      );
    }
  }
  return weights;
}

/** ONNX Runtime with nothing said. */
async function runPlainly(model: Model): Promise<number[]> {
  const session = await InferenceSession.create(writeModel(model), {
    logSeverityLevel: 3,
    graphOptimizationLevel: (process.env.LVL ?? "all") as "all",
  });
  const outputs = await session.run({
    image: new OrtTensor("float32", images.data as Float32Array, images.dimensions),
  });
  await session.release();
  return Array.from(outputs[model.graph.outputs[0]!.name]!.data as Float32Array);
}

function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let error = 0;
  let norm = 0;
  for (let index = 0; index < expected.length; index++) {
    error += (found[index]! - expected[index]!) ** 2;
    norm += expected[index]! ** 2;
  }
  return Math.sqrt(error / norm);
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

async function logitsOf(network: Network, weights: ReadonlyMap<string, Tensor>, bits?: number): Promise<Float32Array> {
  const scalars = bits === undefined ? {} : { weightBits: bits, activationBits: bits };
  const predictor = await createPredictor({ runtime, network, weights, scalars });
  const logits = await predictor.predict(images);
  await predictor.release();
  return logits;
}

describe.each(["resnet8", "preact-resnet18", "mobilenet-v2", "mlperf-tiny-resnet8"])("%s", (name) => {
  const network = zooNetwork(name);
  const weights = randomWeights(network);
  let prepared: PreparedNetwork;
  beforeAll(async () => {
    prepared = await prepareQuantization({ runtime, network, weights, dataset });
  });

  it("computes the same after its batch normalizations are folded", async () => {
    const folded = foldBatchNorms(network, weights);
    expect(
      relativeError(await logitsOf(folded.network, folded.weights), await logitsOf(network, weights)),
    ).toBeLessThan(1e-4);
  });

  it("comes near its float form with 8 bits, and with 32 differs from it by clipped outliers alone", async () => {
    const float = await logitsOf(prepared.folded, prepared.weights);
    const error = async (bits: number) =>
      relativeError(await logitsOf(prepared.quantized, prepared.weights, bits), float);
    const eight = await error(8);
    expect(eight).toBeLessThan(0.2);
    expect(await error(32)).toBeLessThan(Math.min(0.005, eight));
  });
});

describe("a QDQ export", () => {
  const network = resNet({ depth: 8 });
  let prepared: PreparedNetwork;
  beforeAll(async () => {
    prepared = await prepareQuantization({ runtime, network, weights: randomWeights(network), dataset });
  });

  it.each([
    [8, "smallest"],
    [5, "smallest"],
    [4, "smallest"],
    [3, "smallest"],
    [3, "bytes"],
    [10, "smallest"],
    [16, "smallest"],
  ] as const)(
    "with %i bits in the %s containers gives in plain ONNX Runtime what the quantized network gives in training",
    async (bits, containers) => {
      const widths = { weightBits: bits, activationBits: bits, containers };
      const model = exportQdqModel(prepared.folded, prepared.weights, widths);
      const expected = await logitsOf(prepared.quantized, prepared.weights, bits);
      // Values on the edge between two levels may round to the other one.
      expect(relativeError(await runPlainly(model), expected)).toBeLessThan(0.005);
    },
  );

  it("keeps the bias of a channel whose weights have vanished", async () => {
    const weights = new Map(prepared.weights);
    const { name, shape } = prepared.folded.parameters.find(({ role }) => role === "weight")!;
    const values = new Float32Array(weights.get(name)!.data as Float32Array);
    values.fill(0, 0, shape[1]! * shape[2]! * shape[3]!);
    weights.set(name, tensorFromData("float32", shape, values));
    const bits = { weightBits: 8, activationBits: 8 };
    const found = await runPlainly(exportQdqModel(prepared.folded, weights, bits));
    expect(relativeError(found, await logitsOf(prepared.quantized, weights, 8))).toBeLessThan(0.005);
    expect(relativeError(found, await logitsOf(prepared.folded, weights))).toBeLessThan(0.1);
  });

  it("holds integers of the width that its annotations say, with a scale a channel", () => {
    const { graph } = exportQdqModel(prepared.folded, prepared.weights, {
      weightBits: 4,
      activationBits: 6,
      containers: "bytes",
    });
    const convolutions = graph.nodes.filter(({ operator }) => operator === "Conv");
    expect(convolutions.length).toBe(9);
    for (const node of convolutions) {
      const widths = [...node.inputs.slice(0, 2), node.outputs[0]!].map(
        (value) => graph.annotations.get(value)?.bitWidth,
      );
      expect(widths).toEqual([6, 4, 6]);
    }
    const weights = [...graph.initializers].filter(([, { elementType }]) => elementType === "int8");
    const tensors = weights.filter(([, { dimensions }]) => dimensions.length > 1);
    expect(tensors.length).toBe(10);
    for (const [, integers] of tensors) {
      expect(Math.max(...tensorNumbers(integers).map(Math.abs))).toBe(7);
    }
    expect(graph.annotations.get("logits")).toEqual({ bitWidth: 32 });
  });

  it("writes four bits as four, and says in the metadata what holds the others", () => {
    const export4 = (containers: "smallest" | "bytes") =>
      exportQdqModel(prepared.folded, prepared.weights, { weightBits: 4, activationBits: 12, containers });
    const small = export4("smallest");
    expect(JSON.parse(small.metadata.get("quantization")!)).toEqual({
      weightBits: 4,
      activationBits: 12,
      containerBits: { weights: 4, activations: 16 },
    });
    expect(writeModel(small).length).toBeLessThan(0.7 * writeModel(export4("bytes")).length);
    const read = readModel(writeModel(small));
    expect(read.opsets.get("")).toBe(21);
    const weights = [...read.graph.initializers.values()].filter(({ elementType }) => elementType === "int4");
    const tensors = weights.filter(({ dimensions }) => dimensions.length > 1);
    expect(tensors.length).toBe(10);
    for (const integers of tensors) expect(Math.max(...tensorNumbers(integers).map(Math.abs))).toBe(7);
  });

  it("refuses other widths, and ranges that were not measured", () => {
    const bits = { weightBits: 8, activationBits: 8 };
    expect(() => exportQdqModel(prepared.folded, prepared.weights, { ...bits, weightBits: 17 })).toThrow(
      /in \[2, 16\]/,
    );
    const folded = foldBatchNorms(network, randomWeights(network));
    expect(() => exportQdqModel(folded.network, folded.weights, bits)).toThrow(/calibrate the network first/);
  });
});
