import { createRandomStream } from "@dovetail/core";
import { type Tensor, tensorFromData } from "@dovetail/graph";
import {
  batchNormalization,
  convolution,
  globalAveragePool,
  initializeParameters,
  linear,
  NetworkBuilder,
  pixels,
} from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crossEntropyLoss, targetedDlrLoss } from "../losses/losses.js";
import { buildImageGradient, type ImageGradientOptions } from "./image-gradient.js";
import { withImageRange } from "./image-range.js";

const batchSize = 4;
const shape = [batchSize, 3, 6, 6] as const;

/** A network whose batch normalization makes a difference between the two forms. */
const network = (() => {
  const n = new NetworkBuilder("normalized");
  const x = convolution(n, "conv", pixels(n, { height: 6, width: 6 }), { channels: 8, kernel: 3 });
  const y = n.g.sigmoid(batchNormalization(n, "bn", x));
  return n.build(linear(n, "classifier", globalAveragePool(n, y), { features: 5 }));
})();
const weights = initializeParameters(network, createRandomStream(2));
for (const value of ["conv.weight", "classifier.weight"]) {
  const data = weights.get(value)!.data as Float32Array;
  for (let index = 0; index < data.length; index++) data[index]! *= 5;
}
const random = createRandomStream(7);
const raw = Float32Array.from({ length: batchSize * 108 }, () => 255 * random.uniform());
const int64 = (...values: number[]): Tensor => ({
  elementType: "int64",
  dimensions: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

async function compiled(of: typeof network, options: Omit<ImageGradientOptions, "batchSize">) {
  const form = buildImageGradient(of, { ...options, batchSize });
  const segment = await runtime.compile(form.graph, { state: runtime.createState(weights) });
  return async (images: Float32Array) => {
    const feeds: Record<string, Tensor> = {
      [form.image]: tensorFromData("float32", shape, images),
      [form.label]: int64(0, 1, 2, 3),
    };
    if (form.target) feeds[form.target] = int64(1, 2, 3, 4);
    const outputs = await segment.run(feeds);
    const of = (name: string) => outputs[name]!.data as Float32Array;
    return { losses: of(form.losses), logits: of(form.logits), gradient: of(form.gradient!) };
  };
}

const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

describe.each(["inference", "training"] as const)("in %s form", (form) => {
  it.each([crossEntropyLoss, targetedDlrLoss])("is the slope of the losses' sum: $name", async (loss) => {
    const at = await compiled(network, { loss, form });
    const { gradient } = await at(raw);
    // Along the gradient itself, where the slope is its squared length.
    const squared = gradient.reduce((total, value) => total + value * value, 0);
    const step = 0.05 / Math.sqrt(squared) / Math.sqrt(squared);
    const moved = (sign: number) => raw.map((value, index) => value + sign * step * gradient[index]!);
    const difference = sum((await at(moved(1))).losses) - sum((await at(moved(-1))).losses);
    expect(difference / (2 * step * squared)).toBeCloseTo(1, 1);
  });
});

describe("images", () => {
  it("do not depend on each other in inference form, but in training form", async () => {
    const changed = raw.slice();
    for (let index = 0; index < 108; index++) changed[index] = 255 - changed[index]!;
    for (const form of ["inference", "training"] as const) {
      const at = await compiled(network, { loss: crossEntropyLoss, form });
      const [before, after] = [await at(raw), await at(changed)];
      const others = (of: Float32Array) => Array.from(of.subarray(108));
      if (form === "inference") expect(others(after.gradient)).toEqual(others(before.gradient));
      else expect(others(after.gradient)).not.toEqual(others(before.gradient));
    }
  });

  it("may have another range: logits stay, gradients scale", async () => {
    const other = withImageRange(network, [-1, 1]);
    expect(other.imageRange).toEqual([-1, 1]);
    const [own, ranged] = [
      await compiled(network, { loss: crossEntropyLoss }),
      await compiled(other, { loss: crossEntropyLoss }),
    ];
    const [expected, found] = [await own(raw), await ranged(raw.map((value) => value / 127.5 - 1))];
    for (const [index, logit] of expected.logits.entries()) expect(found.logits[index]).toBeCloseTo(logit, 4);
    for (const [index, slope] of expected.gradient.entries()) {
      expect(Math.abs(found.gradient[index]! / 127.5 - slope)).toBeLessThan(1e-6);
    }
  });
});

it("refuses losses that need more classes", () => {
  const n = new NetworkBuilder("two");
  const two = n.build(linear(n, "classifier", n.g.flatten(pixels(n, { height: 2, width: 2 })), { features: 2 }));
  expect(() => buildImageGradient(two, { loss: targetedDlrLoss, batchSize: 1 })).toThrow(
    /loss "targeted-dlr" on network "two": expected at least 4 classes, received 2/,
  );
});
