import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, tensor } from "@dovetail/graph";
import { initializeParameters, type Network, networkOfModel, resNet } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createPredictor } from "@dovetail/train";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Factorization, factorizableLayers, factorizeNetwork, rankFor } from "./factorize-network.js";
import { singularValues } from "./truncated-svd.js";

const size = fc.integer({ min: 1, max: 9 });

describe("singular values", () => {
  it("of a matrix give it back, and what a rank leaves out is the sum of the other squares", () => {
    fc.assert(
      fc.property(size, size, fc.integer(), fc.nat(), (rows, columns, seed, draw) => {
        const random = createRandomStream(seed >>> 0);
        const matrix = Float64Array.from({ length: rows * columns }, () => random.normal());
        const { squares, factors } = singularValues(matrix, rows, columns);
        for (let index = 1; index < squares.length; index++)
          expect(squares[index]).toBeLessThanOrEqual(squares[index - 1]!);
        const rank = 1 + (draw % squares.length);
        const { left, right } = factors(rank);
        let error = 0;
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            let product = 0;
            for (let k = 0; k < rank; k++) product += left[i * rank + k]! * right[k * columns + j]!;
            error += (matrix[i * columns + j]! - product) ** 2;
          }
        }
        expect(error).toBeCloseTo(
          squares.slice(rank).reduce((sum, square) => sum + square, 0),
          8,
        );
      }),
    );
  });
});

describe("a factorized network", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime({ threads: 1 });
  });
  afterAll(() => runtime.release());

  const network = resNet({ depth: 8 });
  const weights = initializeParameters(network, createRandomStream(1));
  const images = tensor(
    "float32",
    [2, 3, 32, 32],
    Float32Array.from({ length: 6144 }, (_, index) => (index * 37) % 256),
  );
  const logits = async (of: Network, values: typeof weights): Promise<Float32Array> => {
    const predictor = await createPredictor({ runtime, network: of, weights: values });
    const result = (await predictor.predict(images)).slice();
    await predictor.release();
    return result;
  };

  it.each<Factorization>(["channel", "spatial"])(
    "of full rank computes the same, of a lower one is smaller (%s)",
    async (form) => {
      const layers = factorizableLayers(network, weights, form);
      expect(layers.length).toBe(10);
      const full = new Map(layers.map((entry) => [entry.layer.name, rankFor(entry, 1)]));
      const whole = factorizeNetwork(network, weights, layers, full);
      const expected = await logits(network, weights);
      const found = await logits(whole.network, whole.weights);
      found.forEach((value, index) => void expect(value).toBeCloseTo(expected[index]!, 2));
      const low = new Map(layers.map((entry) => [entry.layer.name, rankFor(entry, 0.5)]));
      const small = factorizeNetwork(network, weights, layers, low);
      const count = (values: typeof weights) =>
        [...values.values()].reduce((sum, { data }) => sum + (data as Float32Array).length, 0);
      expect(count(small.weights)).toBeLessThan(count(weights));
      expect((await logits(small.network, small.weights)).every(Number.isFinite)).toBe(true);
    },
  );

  it("has matrices on either side of a product", async () => {
    const g = new GraphBuilder("products");
    const x = g.input("image", "float32", ["batch", 1, 2, 2]);
    const random = createRandomStream(2);
    const matrix = (dimensions: [number, number]) =>
      g.constant(
        tensor(
          "float32",
          dimensions,
          Float32Array.from({ length: dimensions[0] * dimensions[1] }, () => random.normal()),
        ),
      );
    const hidden = g.relu(g.op("MatMul", [g.flatten(x), matrix([4, 5])]));
    g.output(
      g.op("Gemm", [hidden, matrix([3, 5]), g.constant(tensor("float32", [3], [1, 2, 3]))], { transB: 1 }),
      "scores",
    );
    const graph = g.build();
    const imported = networkOfModel({ graph, opsets: new Map([["", 18]]), metadata: new Map(), functions: [] });
    const layers = factorizableLayers(imported.network, imported.weights, "channel");
    const ranks = new Map(layers.map((entry) => [entry.layer.name, rankFor(entry, 1)]));
    const found = factorizeNetwork(imported.network, imported.weights, layers, ranks);
    const run = async (of: Network, values: typeof weights) => {
      const predictor = await createPredictor({ runtime, network: of, weights: values });
      const result = [...(await predictor.predict(tensor("float32", [1, 1, 2, 2], [1, -2, 3, 0.5])))];
      await predictor.release();
      return result;
    };
    const expected = await run(imported.network, imported.weights);
    (await run(found.network, found.weights)).forEach(
      (value, index) => void expect(value).toBeCloseTo(expected[index]!, 4),
    );
  });
});
