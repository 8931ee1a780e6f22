import { createRandomStream } from "@dovetail/core";
import { tensor, tensorNumbers } from "@dovetail/graph";
import {
  exportModel,
  initializeParameters,
  mobileNetV2,
  type Network,
  networkOfModel,
  preActResNet18,
  resNet,
  vgg,
} from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createBatchStream, createPredictor, sgd, train } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calibrateLayers } from "../calibration/calibrate-layers.js";
import { expectClose } from "../quantizers/testing/draws.js";
import { levelsDataset, smallNetwork } from "../testing/levels.js";
import { quantizerFamilies } from "./plan.js";
import { quantizeLayers } from "./quantize-layers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

type Family = keyof typeof quantizerFamilies;
const families = Object.keys(quantizerFamilies) as Family[];
const dataset = levelsDataset();
const plain = smallNetwork();
const weights = initializeParameters(plain, createRandomStream(1));

describe.each(families)("%s", (quantizer) => {
  it("trains with few bits from calibrated parameters", async () => {
    const bits = { weightBits: 4, activationBits: 4, errorBits: 8, weightGradientBits: 8 };
    const network = quantizeLayers(plain, { quantizer, ...bits });
    const added = network.parameters.filter(({ name }) => !weights.has(name));
    const starting = initializeParameters(network, createRandomStream(1));
    const calibrated = await calibrateLayers({ runtime, network: plain, weights, dataset, quantizer, ...bits });
    for (const [name, value] of calibrated) {
      const spec = added.find((parameter) => parameter.name === name);
      expect(spec?.shape, name).toEqual(value.dimensions);
    }
    const uncalibrated = added.filter(({ name }) => !calibrated.has(name));
    expect(uncalibrated.every(({ role }) => role === "clippingValue")).toBe(true);
    const first = new Map([...starting, ...weights, ...calibrated]);
    const result = await train({
      runtime,
      network,
      weights: first,
      batchSize: 16,
      epochs: 4,
      optimizer: sgd({ weightDecay: 1e-3 }),
      learningRate: 0.02,
      random: createRandomStream(2),
      batches: (start) =>
        createBatchStream({ dataset, part: "train", batchSize: 16, random: createRandomStream(3), epochs: 4, start }),
    });
    expect(result.history.at(-1)!.loss).toBeLessThan(0.85 * result.history[0]!.loss);
    for (const { name, trainable, role } of added) {
      if (name.endsWith(":min")) continue;
      const changed = tensorNumbers(result.weights.get(name)!).some(
        (value, index) => value !== tensorNumbers(first.get(name)!)[index],
      );
      expect(changed, name).toBe(true);
      expect(trainable).toBe(role !== "activationRange");
    }
  });

  it("computes what the network itself does at 32 bits, apart from the clipping of activations", async () => {
    const network = quantizeLayers(plain, { quantizer, weightBits: 32, activationBits: 32 });
    const all = new Map([...initializeParameters(network, createRandomStream(1)), ...weights]);
    // Nothing is above 1, where DoReFa clips.
    const image = tensor(
      "float32",
      [2, 3, 8, 8],
      Array.from({ length: 384 }, (_, index) => 124 + (index % 3)),
    );
    const logits = async (of: Network) => [
      ...(await (await createPredictor({ runtime, network: of, weights: all })).predict(image)),
    ];
    expectClose(await logits(network), await logits(plain), 1e-4);
  });

  it.each([
    ["resnet20", () => resNet({ depth: 20 })],
    ["mobilenet-v2", mobileNetV2],
    ["preact-resnet18", preActResNet18],
    ["vgg", () => vgg({ depth: 11 })],
    ["an imported model", () => networkOfModel(exportModel(plain, weights)).network],
  ] as const)("rewrites %s: every layer but those that the publication leaves", (_, make) => {
    const original = make();
    const network = quantizeLayers(original, { quantizer, gradients: "none" });
    expect(network.graph.outputs).toEqual(original.graph.outputs);
    const left = new Set(
      network.graph.nodes.flatMap(({ operator, inputs }) => (["Conv", "Gemm"].includes(operator) ? [inputs[1]!] : [])),
    );
    const untouched = original.parameters.filter(({ name, role }) => role === "weight" && left.has(name));
    expect(untouched.length).toBe(["minMax", "sbmOriginal"].includes(quantizer) ? 1 : 2);
  });
});

it("puts PACT's clipping value and DoReFa's clip in the place of the ReLU for everything that reads it", () => {
  for (const quantizer of ["pact", "dorefa"] as const) {
    const network = quantizeLayers(resNet({ depth: 8 }), { quantizer });
    const relus = new Set(
      network.graph.nodes.filter(({ operator }) => operator === "Relu").map(({ outputs }) => outputs[0]!),
    );
    // The last one is pooled and read by the classifier, which stays in full precision.
    const readDirectly = network.graph.nodes.filter(
      ({ operator, inputs }) => ["Add", "Conv"].includes(operator) && inputs.some((name) => relus.has(name)),
    );
    expect(readDirectly).toEqual([]);
    const clipping = network.parameters.filter(({ role }) => role === "clippingValue");
    expect(clipping.length).toBe(quantizer === "pact" ? 6 : 0);
    expect(
      clipping.every(
        ({ decay, initialization }) => decay && initialization.kind === "constant" && initialization.value === 10,
      ),
    ).toBe(true);
  }
});

it("starts LSQ's steps at twice the mean magnitude over the root of the largest code", async () => {
  const steps = await calibrateLayers({
    runtime,
    network: plain,
    weights,
    dataset,
    quantizer: "lsq",
    weightBits: 3,
    activationBits: 4,
  });
  const values = tensorNumbers(weights.get("second.conv.weight")!).map(Math.abs);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(tensorNumbers(steps.get("second.conv.weight:step")!)[0]).toBeCloseTo((2 * mean) / Math.sqrt(3), 5);
  expect(tensorNumbers(steps.get("first/Relu:out:step")!)[0]).toBeGreaterThan(0);
});
