import { rebuildWeights, structuredAnnotation, structuredBits } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { differentiate, GraphBuilder, type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import {
  convolution,
  globalAveragePool,
  initializeParameters,
  linear,
  type Network,
  NetworkBuilder,
} from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CoefficientForm, type FactoredNetwork, factorLayers } from "./factored-network.js";
import { decomposedStart, structuredLayers } from "./structured-tensors.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

/** A kernel of 3×3, one of 1×1 whose rows are filled up, one with pieces, and a linear layer. */
const network: Network = (() => {
  const n = new NetworkBuilder("small");
  let x = convolution(n, "first", n.imageInput(8, 4, 4), { channels: 6, kernel: 3 });
  x = convolution(n, "pointwise", n.g.relu(x), { channels: 70, kernel: 1 });
  x = convolution(n, "pieces", x, { channels: 4, kernel: 3 });
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 3 }));
})();
const names = ["first", "pointwise", "pieces", "classifier"].map((name) => `${name}.weight`);

function start(form: CoefficientForm): { factored: FactoredNetwork; tensors: Map<string, Tensor> } {
  const factored = factorLayers(network, { form });
  const weights = initializeParameters(network, createRandomStream(3));
  const tensors = decomposedStart(factored, weights, { keptRowShare: 0.75 });
  return { factored, tensors: new Map([...initializeParameters(factored.network, createRandomStream(3)), ...tensors]) };
}

/** The weights as the graph rebuilds them. */
async function rebuilt({ factored, tensors }: ReturnType<typeof start>): Promise<Map<string, number[]>> {
  const { graph } = factored.network;
  const readers = graph.nodes.filter(({ operator }) => operator === "Conv" || operator === "Gemm");
  const g = GraphBuilder.from({ ...graph, outputs: [] });
  for (const { inputs } of readers) g.output(g.value(inputs[1]!));
  const segment = await runtime.compile(g.build(), { state: runtime.createState(tensors) });
  const outputs = await segment.run({ image: tensor("float32", [1, 8, 4, 4], new Array<number>(128).fill(0)) });
  return new Map(readers.map(({ inputs }, index) => [names[index]!, [...tensorNumbers(outputs[inputs[1]!]!)]]));
}

describe.each(["codes", "latent"] as const)("a network factored with %s", (form) => {
  it("computes with exactly the weights of its stored form", async () => {
    const begun = start(form);
    const stored = structuredLayers(begun.factored, begun.tensors);
    const weights = await rebuilt(begun);
    expect([...stored.keys()]).toEqual(names);
    for (const name of names) expect(weights.get(name)).toEqual([...rebuildWeights(stored.get(name)!)]);
  });

  it("has no dense weight left among its parameters, and rows that are zero for good", () => {
    const { factored, tensors } = start(form);
    const inputs = factored.network.graph.inputs.map(({ name }) => name);
    for (const name of names) {
      expect(inputs).not.toContain(name);
      expect(factored.network.parameters.map((spec) => spec.name)).not.toContain(name);
    }
    for (const layer of structuredLayers(factored, tensors).values()) {
      const annotation = structuredAnnotation(layer);
      expect(annotation.keptRows).toBeLessThanOrEqual(
        layer.shape.outputChannels * Math.round(0.75 * layer.form.rowsPerFilter),
      );
      expect(structuredBits(annotation)).toBeLessThan(32 * layer.shape.outputChannels * layer.form.filterWeights);
    }
  });

  it("passes gradients straight through: ∂C = ∂W · Bᵀ and ∂B = Cᵀ · ∂W", async () => {
    const { factored, tensors } = start(form);
    const layer = factored.layers[0]!;
    const g = GraphBuilder.from({ ...factored.network.graph, outputs: [] });
    const loss = g.reduceSum(g.mul(g.value(factored.network.logits), g.input("slope", "float32", [1, 3])), [0, 1]);
    const weight = g.value(factored.network.graph.nodes.find(({ operator }) => operator === "Conv")!.inputs[1]!);
    const coefficients = g.value(form === "codes" ? `${layer.coefficients}:value` : layer.coefficients);
    const gradients = differentiate(g, { loss, withRespectTo: [weight, coefficients, g.value(layer.basis)] });
    for (const [index, gradient] of gradients.entries()) g.output(gradient, `gradient${index}`);
    const segment = await runtime.compile(g.build(), { state: runtime.createState(tensors) });
    const random = createRandomStream(5);
    const image = tensor(
      "float32",
      [1, 8, 4, 4],
      Array.from({ length: 128 }, () => random.normal()),
    );
    const outputs = await segment.run({ image, slope: tensor("float32", [1, 3], [1, -2, 0.5]) });
    const [dW, dC, dB] = [0, 1, 2].map((index) => tensorNumbers(outputs[`gradient${index}`]!));
    const structured = structuredLayers(factored, tensors).get(layer.weight)!;
    const { rowsPerFilter: rows } = layer.form;
    const codeValue = (index: number): number => {
      const code = structured.codes[index]!;
      return code === 0 ? 0 : Math.sign(code) * 2 ** (1 - Math.abs(code));
    };
    const mask = layer.mask ? tensorNumbers(tensors.get(layer.mask)!) : undefined;
    for (let filter = 0; filter < 6; filter++) {
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          let sum = 0;
          for (let row = 0; row < rows; row++) {
            sum += codeValue((filter * rows + row) * 3 + i) * dW![(filter * rows + row) * 3 + j]!;
          }
          expect(dB![(filter * 3 + i) * 3 + j]).toBeCloseTo(sum, 4);
        }
      }
      for (let index = filter * rows * 3; index < (filter + 1) * rows * 3; index++) {
        const [row, i] = [Math.floor(index / 3), index % 3];
        let sum = 0;
        for (let j = 0; j < 3; j++) {
          const basis = structured.bases[(filter * 3 + i) * 3 + j]! * 2 ** structured.scaleExponents[filter]!;
          sum += dW![row * 3 + j]! * basis;
        }
        expect(dC![index]).toBeCloseTo(mask ? sum * mask[index]! : sum, 4);
      }
    }
  });
});

it("rounds rebuilt weights to 8 bits a channel, zero exact, but the classifier's", async () => {
  const { tensors, factored } = start("codes");
  const plain = await rebuilt({ factored, tensors });
  const rounded = await rebuilt({ factored: factorLayers(network, { form: "codes", weightBits: 8 }), tensors });
  for (const name of names) {
    const [exact, ours] = [plain.get(name)!, rounded.get(name)!];
    if (name === "classifier.weight") {
      expect(ours).toEqual(exact);
      continue;
    }
    const { weightShape } = factored.layers.find(({ weight }) => weight === name)!;
    const size = ours.length / weightShape[0]!;
    for (let channel = 0; channel < weightShape[0]!; channel++) {
      const [before, after] = [exact, ours].map((values) => values.slice(channel * size, (channel + 1) * size));
      const step = (Math.max(0, ...before!) - Math.min(0, ...before!)) / 255;
      for (const [index, value] of after!.entries()) {
        // On a grid of 256 values through zero; where the grid is moved to pass through it, the ends are half a step off.
        expect(Math.abs(value / step - Math.round(value / step))).toBeLessThan(1e-3);
        expect(Math.abs(value - before![index]!)).toBeLessThan(1.001 * step);
        if (before![index] === 0) expect(Math.abs(value)).toBe(0);
      }
    }
  }
});

it("refuses a network that has been factored", () => {
  expect(() => factorLayers(start("codes").factored.network, { form: "codes" })).toThrow(/no layer whose weight/);
});
