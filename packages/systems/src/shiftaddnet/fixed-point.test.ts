import { createRandomStream } from "@dovetail/core";
import {
  differentiate,
  eliminateDeadCode,
  type Graph,
  GraphBuilder,
  type Node,
  scalar,
  type Tensor,
  tensorFromData,
  tensorNumbers,
} from "@dovetail/graph";
import { initializeParameters, type Network, trainingForm } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { uniformNoise } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixedPointInputs, fixedPointNetwork } from "./fixed-point.js";
import { shiftAddNetwork } from "./networks.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const options = { depth: 8, widths: [4, 4, 6], pixels: { height: 8, width: 8 } };
const random = createRandomStream(11);
const batchSize = 4;

/** The training form with the gradients of Σ logits² to all that is trained. */
function trainingGraph(network: Network): { readonly graph: Graph; readonly feeds: Record<string, Tensor> } {
  const form = trainingForm(network, { batchSize });
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const logits = g.value(form.logits);
  const trained = network.parameters.filter(({ trainable }) => trainable).map(({ name }) => g.value(name));
  const gradients = differentiate(g, { loss: g.mul(logits, logits), withRespectTo: trained });
  gradients.forEach((gradient, index) => {
    g.output(gradient, `gradient/${trained[index]!.name}`);
  });
  const draw = random.split("images");
  const pixels = Float32Array.from({ length: batchSize * 192 }, () => draw.integer(256));
  const feeds: Record<string, Tensor> = {
    ...Object.fromEntries(initializeParameters(network, random.split("weights"))),
    [network.image]: tensorFromData("float32", [batchSize, 3, 8, 8], pixels),
    ...Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(value)])),
  };
  for (const { input, shape } of form.noises) feeds[input] = uniformNoise(random.split(input), shape);
  return { graph: eliminateDeadCode({ ...g.build(), customGradients: [] }), feeds };
}

async function valuesOf({ graph, feeds }: ReturnType<typeof trainingGraph>, names: readonly string[]) {
  const outputs = [...new Set(names)].map((name) => ({ name, type: graph.types.get(name)! }));
  const segment = await runtime.compile({ ...graph, outputs });
  const read = new Set(graph.inputs.map(({ name }) => name));
  return segment.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => read.has(name))));
}

/** Largest unit 2^k of which all values are multiples, and how many bits the largest one takes with sign. */
function bitsUsed(values: readonly number[]): number {
  const largest = Math.max(...values.map(Math.abs));
  if (largest === 0) return 0;
  let unit = 2 ** Math.ceil(Math.log2(largest));
  while (!values.every((value) => Number.isInteger(value / unit))) unit /= 2;
  return Math.ceil(Math.log2(largest / unit + 1)) + 1;
}

const keyOf = ({ domain, operator }: Node): string => (domain === "" ? operator : `${domain}.${operator}`);

describe("operands of all products", () => {
  it.each([
    { add: 8, shift: 16 },
    { add: 4, shift: 6 },
  ])("fit $add bits in add layers and $shift in shift layers, forward and backward", async (bits) => {
    const network = fixedPointNetwork(shiftAddNetwork("shiftAdd", options), bits);
    const training = trainingGraph(network);
    const { nodes } = training.graph;
    const isShift = (weight: string) => training.graph.annotations.get(weight)?.powerOfTwo === true;
    const adds = nodes.filter((node) => keyOf(node) === "ai.dovetail.AdderConv");
    const addErrors = nodes.filter((node) => keyOf(node) === "ai.dovetail.AdderConvInputGradient");
    const shifts = nodes.filter((node) => keyOf(node) === "Conv");
    const shiftErrors = nodes.filter((node) => keyOf(node) === "ai.dovetail.ConvInputGradient");
    const weightGradients = nodes.filter((node) => keyOf(node) === "ai.dovetail.ConvWeightGradient");
    // Eight add layers; ten shift layers, of which the stem needs no error product.
    expect([adds, addErrors, shifts, shiftErrors, weightGradients].map(({ length }) => length)).toEqual([
      8, 8, 10, 9, 18,
    ]);
    const inputsOfAdds = new Set(adds.map(({ inputs }) => inputs[0]!));
    const values = await valuesOf(
      training,
      [...adds, ...addErrors, ...shifts, ...shiftErrors, ...weightGradients].flatMap(({ inputs }) => inputs),
    );
    const used = (name: string): number => bitsUsed(tensorNumbers(values[name]!));
    for (const { inputs } of adds) {
      // One scale for both: together they fit.
      const both = inputs.flatMap((name) => [...tensorNumbers(values[name]!)]);
      expect(bitsUsed(both)).toBeLessThanOrEqual(bits.add);
    }
    for (const { inputs } of addErrors) expect(used(inputs[0]!)).toBeLessThanOrEqual(bits.add);
    for (const { inputs } of shifts) {
      expect(used(inputs[0]!)).toBeLessThanOrEqual(bits.shift);
      expect(isShift(inputs[1]!)).toBe(true);
    }
    for (const { inputs } of shiftErrors) expect(used(inputs[0]!)).toBeLessThanOrEqual(bits.shift);
    for (const { inputs } of weightGradients) {
      const limit = inputsOfAdds.has(inputs[0]!) ? bits.add : bits.shift;
      for (const name of inputs) expect(used(name)).toBeLessThanOrEqual(limit);
    }
    const gradients = network.parameters.filter(({ role }) => role === "adderWeight").map(({ name }) => name);
    const found = await valuesOf(
      training,
      gradients.map((name) => `gradient/${name}`),
    );
    for (const value of Object.values(found)) expect(bitsUsed(tensorNumbers(value))).toBeLessThanOrEqual(bits.add);
  });
});

it("has the gradients of the network in float32 where no bits are asked for", async () => {
  const plain = shiftAddNetwork("shiftAdd", options);
  const fixed = fixedPointNetwork(plain, { add: 32, shift: 32 });
  const names = plain.parameters.filter(({ trainable }) => trainable).map(({ name }) => `gradient/${name}`);
  const [expected, found] = [
    await valuesOf(trainingGraph(plain), names),
    await valuesOf(trainingGraph(fixed), names),
  ] as const;
  for (const name of names) {
    const values = tensorNumbers(expected[name]!);
    const tolerance = 1e-4 * Math.max(...values.map(Math.abs));
    tensorNumbers(found[name]!).forEach((value, index) => {
      expect(Math.abs(value - values[index]!), name).toBeLessThanOrEqual(tolerance);
    });
  }
});

it("quantizes what multiplies too, stem and classifier included", () => {
  const convolution = fixedPointNetwork(shiftAddNetwork("convolution", options));
  expect(convolution.scalars.map(({ name }) => name)).toEqual([
    "weightBits",
    "activationBits",
    "errorBits",
    "weightGradientBits",
  ]);
  const weights = new Set(convolution.parameters.filter(({ role }) => role === "weight").map(({ name }) => name));
  const unquantized = convolution.graph.nodes.filter(
    ({ operator, inputs }) => ["Conv", "Gemm"].includes(operator) && weights.has(inputs[1]!),
  );
  expect(unquantized).toEqual([]);
  const add = fixedPointNetwork(shiftAddNetwork("add", options));
  expect(add.scalars.map(({ name }) => name)).toContain(fixedPointInputs.add);
  expect(add.scalars.map(({ name }) => name)).not.toContain(fixedPointInputs.shift);
});
