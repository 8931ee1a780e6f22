import { createRandomStream } from "@dovetail/core";
import { readModel, tensor, tensorNumbers, writeModel } from "@dovetail/graph";
import {
  exportModel,
  globalAveragePool,
  initializeParameters,
  linear,
  type Network,
  NetworkBuilder,
  pixels,
  resNet,
} from "@dovetail/models";
import { createRuntime, openModel, type Runtime } from "@dovetail/runtime";
import { createBatchStream, createDataset, createPredictor, sgd, train } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bakeShiftWeights } from "./bake.js";
import { shiftConvolution, shiftLinear } from "./layers.js";
import { nearestExponentByLogarithm } from "./rounding.js";
import { shiftLayers } from "./shift-layers.js";
import { shiftStart } from "./shift-start.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const pixelOptions = { height: 8, width: 8 };
const plain = resNet({ depth: 8, widths: [4, 4, 8], pixels: pixelOptions, classCount: 4 });
const random = createRandomStream(3);
const image = tensor(
  "float32",
  [2, 3, 8, 8],
  Array.from({ length: 384 }, () => 255 * random.uniform()),
);

async function logitsOf(network: Network, weights: ReadonlyMap<string, ReturnType<typeof tensor>>): Promise<number[]> {
  const predictor = await createPredictor({ runtime, network, weights });
  return [...(await predictor.predict(image))];
}

const isPowerOfTwoOrZero = (value: number): boolean => value === 0 || Number.isInteger(Math.log2(Math.abs(value)));

describe.each(["exponentAndSign", "latent", "fixed"] as const)("%s", (form) => {
  const network = shiftLayers(plain, { form });
  const weights = initializeParameters(network, createRandomStream(1));

  it("bakes to the plain network with powers of two that computes the same, and travels as ordinary ONNX", async () => {
    const baked = await bakeShiftWeights({ runtime, network, weights });
    const names = plain.parameters.map(({ name }) => name).sort();
    expect(baked.network.parameters.map(({ name }) => name).sort()).toEqual(names);
    const layers = baked.network.parameters.filter(({ role }) => role === "weight");
    expect(layers.length).toBe(10);
    for (const { name } of layers) {
      expect(tensorNumbers(baked.weights.get(name)!).every(isPowerOfTwoOrZero), name).toBe(true);
    }
    const found = await logitsOf(baked.network, baked.weights);
    expect(found).toEqual(await logitsOf(network, weights));

    const model = exportModel(baked.network, baked.weights);
    expect(model.graph.nodes.every(({ domain }) => domain === "")).toBe(true);
    const bytes = writeModel(model);
    const read = readModel(bytes);
    const ofShift = [...read.graph.annotations.values()].filter(({ powerOfTwo }) => powerOfTwo);
    expect(ofShift.length).toBe(10);
    expect(new Set(ofShift.map(({ bitWidth }) => bitWidth))).toEqual(new Set([form === "latent" ? 6 : 5]));
    const opened = await openModel(bytes);
    const outputs = await opened.run({ image });
    tensorNumbers(outputs.logits!).forEach((value, index) => {
      expect(value).toBeCloseTo(found[index]!, 4);
    });
  });
});

it("starts half of the weights at zero, the exponents inside their bounds, and decays neither", () => {
  const network = shiftLayers(plain);
  const weights = initializeParameters(network, createRandomStream(1));
  const of = (kind: string) => network.parameters.filter(({ role }) => role === kind);
  const signs = of("sign").flatMap(({ name }) => [...tensorNumbers(weights.get(name)!)]);
  const zeros = signs.filter((value) => Math.abs(value) <= 0.5).length / signs.length;
  expect(zeros).toBeGreaterThan(0.45);
  expect(zeros).toBeLessThan(0.55);
  const exponents = of("exponent").flatMap(({ name }) => [...tensorNumbers(weights.get(name)!)]);
  expect(Math.min(...exponents)).toBeGreaterThanOrEqual(-14);
  expect(Math.max(...exponents)).toBeLessThanOrEqual(0);
  expect([...of("sign"), ...of("exponent")].some(({ decay }) => decay)).toBe(false);
  // Biases and normalizations keep theirs.
  expect(network.parameters.filter(({ decay }) => decay).length).toBe(
    plain.parameters.filter(({ decay, role }) => decay && role !== "weight").length,
  );
});

it("goes on from a trained network's weights, rounded to the nearest powers of two", async () => {
  const trained = initializeParameters(plain, createRandomStream(5));
  const rounded = new Map(
    [...trained].map(([name, value]) => {
      if (!plain.parameters.some((parameter) => parameter.name === name && parameter.role === "weight"))
        return [name, value];
      const powers = tensorNumbers(value).map((weight) => {
        const exponent = Math.max(-14, Math.min(0, nearestExponentByLogarithm(Math.abs(weight))));
        return Math.sign(weight) * 2 ** exponent;
      });
      return [name, tensor("float32", value.dimensions, powers)];
    }),
  );
  for (const form of ["exponentAndSign", "latent"] as const) {
    const network = shiftLayers(plain, { form });
    const { weights } = await bakeShiftWeights({ runtime, network, weights: shiftStart(network, trained) });
    for (const [name, value] of rounded) expect(tensorNumbers(weights.get(name)!)).toEqual(tensorNumbers(value));
  }
});

it("leaves weights that it is told to leave", () => {
  const network = shiftLayers(plain, { weights: ({ name }) => !name.startsWith("stem") });
  expect(network.parameters.some(({ name }) => name === "stem.conv.weight")).toBe(true);
  expect(network.parameters.some(({ name }) => name === "classifier.weight")).toBe(false);
});

it("has layers to build with", async () => {
  const n = new NetworkBuilder("shifts");
  let x = shiftConvolution(n, "first", pixels(n, pixelOptions), { channels: 8, kernel: 3, stride: 2 });
  x = shiftConvolution(n, "depthwise", x, { channels: 8, kernel: 3, groups: 8, form: "latent" });
  x = n.g.flatten(n.g.globalAveragePool(x));
  const network = n.build(shiftLinear(n, "classifier", x, { features: 4 }));
  expect(network.parameters.map(({ name }) => name)).toEqual([
    "first.weight:exponent",
    "first.weight:sign",
    "depthwise.weight:latent",
    "classifier.weight:exponent",
    "classifier.weight:sign",
  ]);
  const weights = initializeParameters(network, createRandomStream(2));
  expect((await logitsOf(network, weights)).every(Number.isFinite)).toBe(true);
  const baked = await bakeShiftWeights({ runtime, network, weights });
  expect(await logitsOf(baked.network, baked.weights)).toEqual(await logitsOf(network, weights));
});

it.each(["exponentAndSign", "latent"] as const)("learns with %s, inside the bounds", async (form) => {
  const draw = createRandomStream(9);
  const labelled = (count: number) => {
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 2);
    const images = Uint8Array.from({ length: count * 192 }, (_, index) => {
      return draw.integer(100) + 150 * labels[Math.floor(index / 192)]!;
    });
    return { images, labels };
  };
  const dataset = createDataset(
    "levels",
    { classNames: ["dark", "bright"], imageShape: [3, 8, 8] },
    { train: labelled(64), validation: labelled(16), test: labelled(16) },
    { files: [], citation: "", licence: "" },
  );
  const n = new NetworkBuilder("small");
  const features = n.g.relu(shiftConvolution(n, "first", pixels(n, pixelOptions), { channels: 8, kernel: 3, form }));
  const network = n.build(linear(n, "classifier", globalAveragePool(n, features), { features: 2 }));
  const start = initializeParameters(network, createRandomStream(2));
  const latent = start.get("first.weight:latent");
  // Some beyond ±1, so that bounds count.
  if (latent)
    start.set(
      "first.weight:latent",
      tensor(
        "float32",
        latent.dimensions,
        [...tensorNumbers(latent)].map((w) => 6 * w),
      ),
    );
  const { weights, history } = await train({
    runtime,
    network,
    weights: start,
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize: 16, random: createRandomStream(4), start }),
    batchSize: 16,
    epochs: 6,
    optimizer: sgd(),
    // So large that parameters reach their bounds.
    learningRate: 0.5,
    random: createRandomStream(6),
  });
  expect(history.at(-1)!.loss).toBeLessThan(0.7 * history[0]!.loss);
  const bounded = network.parameters.filter(({ bounds }) => bounds);
  expect(bounded.length).toBe(1);
  for (const { name, bounds } of bounded) {
    const values = tensorNumbers(weights.get(name)!);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(bounds![0]);
    expect(Math.max(...values)).toBeLessThanOrEqual(bounds![1]);
    expect(values.some((value) => value === bounds![0] || value === bounds![1])).toBe(true);
  }
});
