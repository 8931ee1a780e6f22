import { createRandomStream } from "@dovetail/core";
import { scalar, type Tensor, tensor, tensorNumbers, withGradients } from "@dovetail/graph";
import {
  convBatchNorm,
  globalAveragePool,
  initializeParameters,
  linear,
  type Network,
  NetworkBuilder,
  pixels,
} from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { uniformNoise } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantizeLayers } from "../layers/quantize-layers.js";
import { quantizeAffine } from "./affine.js";
import { fakeQuantize } from "./fake-quantize.js";
import { gradientQuantizers, quantizeGradients, withGradientPrecision } from "./gradient-precision.js";
import { compileFunction } from "./testing/compile.js";
import { distinct, expectClose } from "./testing/draws.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const normals = (count: number, seed: number): number[] => {
  const random = createRandomStream(seed);
  return Array.from({ length: count }, () => Math.fround(random.normal()));
};

/** a [m, k] · b [k, n]. */
function product(a: readonly number[], b: readonly number[], [m, k, n]: readonly [number, number, number]): number[] {
  return Array.from({ length: m * n }, (_, index) => {
    const [row, column] = [Math.floor(index / n), index % n];
    let sum = 0;
    for (let inner = 0; inner < k; inner++) sum += a[row * k + inner]! * b[inner * n + column]!;
    return sum;
  });
}

const transposed = (a: readonly number[], rows: number, columns: number): number[] =>
  Array.from({ length: a.length }, (_, index) => a[(index % rows) * columns + Math.floor(index / rows)]!);

function nearest(values: readonly number[], bits: number): number[] {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const step = (max - min) / (2 ** bits - 1);
  return values.map((value) => Math.round((value - min) / step) * step + min);
}

it("computes each gradient product from the gradient at its own precision", async () => {
  const layer = await compileFunction(
    runtime,
    { x: [4, 3], w: [3, 5], error: [], weightGradient: [] },
    (g, { x, w, error, weightGradient }) =>
      withGradientPrecision(g, { operator: "MatMul", attributes: {} }, [x!, w!], {
        errorBits: error!,
        weightGradientBits: weightGradient!,
        quantizer: gradientQuantizers.minMax,
      }),
    ["x", "w"],
  );
  const [x, w, upstream] = [normals(12, 1), normals(15, 2), normals(20, 3)];
  for (const [error, weightGradient] of [
    [3, 6],
    [8, 32],
    [0, 2],
  ] as const) {
    const { y, gradients } = await layer.run({ x, w, error, weightGradient, upstream });
    const at = (bits: number) => (bits === 0 || bits === 32 ? upstream : nearest(upstream, bits));
    expectClose(y, product(x, w, [4, 3, 5]), 1e-5);
    expectClose(gradients.x!, product(at(error), transposed(w, 3, 5), [4, 5, 3]), 1e-5);
    expectClose(gradients.w!, product(transposed(x, 4, 3), at(weightGradient), [3, 4, 5]), 1e-5);
  }
});

describe("stochastic rounding", () => {
  it("gives the value on average, one of its neighbours each time, and the same for the same seed", async () => {
    const quantizer = await compileFunction(
      runtime,
      { x: [6, 500], noise: [6, 500], bits: [], min: [], max: [] },
      (g, { x, noise, bits, min, max }) => quantizeAffine(g, x!, { bits: bits!, min: min!, max: max!, noise: noise! }),
    );
    const values = [-1, -0.7, -0.05, 0.3, 0.62, 1];
    const x = values.flatMap((value) => Array<number>(500).fill(value));
    const noise = tensorNumbers(uniformNoise(createRandomStream(5), [6, 500]));
    expect(tensorNumbers(uniformNoise(createRandomStream(5), [6, 500]))).toEqual(noise);
    const { y } = await quantizer.run({ x, noise, bits: 3, min: -1, max: 1 });
    const step = 2 / 7;
    values.forEach((value, row) => {
      const rounded = y.slice(row * 500, row * 500 + 500);
      const mean = rounded.reduce((sum, entry) => sum + entry, 0) / 500;
      // Five deviations of a mean of 500 draws whose own deviation is at most half a step.
      expect(Math.abs(mean - value)).toBeLessThan((5 * step) / 2 / Math.sqrt(500));
      expectClose(rounded, Array(500).fill(value), step);
      expect(distinct(rounded)).toBe(Math.abs(value) === 1 ? 1 : 2);
    });
  });
});

describe("a network with quantized gradients", () => {
  const plain = (() => {
    const n = new NetworkBuilder("small");
    const stem = convBatchNorm(n, "stem", pixels(n, { height: 8, width: 8 }), { channels: 4, kernel: 3 });
    const second = convBatchNorm(n, "second", stem, { channels: 4, kernel: 3, stride: 2 });
    return n.build(linear(n, "classifier", globalAveragePool(n, second), { features: 4 }));
  })();
  const quantized = fakeQuantize(plain);
  const random = createRandomStream(4);
  const weights = initializeParameters(quantized, random);
  const image = tensor(
    "float32",
    [2, 3, 8, 8],
    Array.from({ length: 384 }, () => random.integer(256)),
  );

  async function gradientsOf(network: Network, feeds: Readonly<Record<string, Tensor>> = {}) {
    const names = ["stem.conv.weight", "second.conv.weight", "classifier.weight"];
    const graph = withGradients(network.graph, { loss: network.logits, withRespectTo: names });
    const segment = await runtime.compile(graph);
    const scalars = Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(value)]));
    const outputs = await segment.run({ ...Object.fromEntries(weights), ...scalars, [network.image]: image, ...feeds });
    return [network.logits, ...names.map((name) => `gradient/${name}`)].map((name) => tensorNumbers(outputs[name]!));
  }

  it("computes the same forward, and the same gradients at full precision", async () => {
    const expected = await gradientsOf(quantized);
    const full = quantizeGradients(quantized, { errorBits: 32, weightGradientBits: 0 });
    const found = await gradientsOf(full);
    found.forEach((values, index) => {
      expectClose(values, expected[index]!, 1e-5 * Math.max(1, ...expected[index]!.map(Math.abs)));
    });
  });

  it("has every layer's products quantized, apart from each other", async () => {
    const [logits, ...expected] = await gradientsOf(quantized);
    const differs = (found: readonly (readonly number[])[]) =>
      found.map((values, layer) => {
        const largest = Math.max(...expected[layer]!.map(Math.abs));
        return values.some((value, index) => Math.abs(value - expected[layer]![index]!) > 1e-3 * largest);
      });
    const at = async (errorBits: number, weightGradientBits: number) => {
      const network = quantizeGradients(quantized, { errorBits, weightGradientBits });
      const [same, ...found] = await gradientsOf(network);
      expect(same).toEqual(logits);
      return differs(found);
    };
    // The logits' gradient is all ones, which every quantizer keeps: the classifier's weight gradient is exact.
    expect(await at(32, 2)).toEqual([true, true, false]);
    // The error of the second convolution reaches the stem alone; the classifier's is exact, for the same reason.
    expect(await at(2, 32)).toEqual([true, false, false]);
  });

  it("takes noise for each layer where it rounds stochastically", async () => {
    const network = quantizeGradients(quantized, { errorBits: 4, weightGradientBits: 4, stochastic: true });
    expect(network.noises.map(({ shape }) => shape.slice(1))).toEqual([[4, 8, 8], [4, 4, 4], [4]]);
    const draw = (seed: number) =>
      gradientsOf(
        network,
        Object.fromEntries(
          network.noises.map(({ input, shape }) => [
            input,
            uniformNoise(createRandomStream(seed).split(input), [2, ...(shape.slice(1) as number[])]),
          ]),
        ),
      );
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again).toEqual(first);
    expect(other[1]).not.toEqual(first[1]);
  });

  it("is not quantized further", () => {
    const gradientsOnly = quantizeGradients(plain);
    for (const rewrite of [fakeQuantize, quantizeLayers]) {
      expect(() => rewrite(gradientsOnly)).toThrow(/quantized first and once, gradients then.*"errorBits"/);
      expect(() => rewrite(quantized)).toThrow(/quantized already/);
    }
  });
});
