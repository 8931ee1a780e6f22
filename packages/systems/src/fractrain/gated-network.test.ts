import { createRandomStream } from "@dovetail/core";
import {
  differentiate,
  eliminateDeadCode,
  GraphBuilder,
  type Node,
  scalar,
  type Tensor,
  tensor,
  tensorFromData,
  tensorNumbers,
} from "@dovetail/graph";
import { initializeParameters, mobileNetV2, resNet, trainingForm } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createPredictor, uniformNoise } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { choicePercent, isSkip } from "./cost.js";
import { gatedNames } from "./gate-plan.js";
import { gateBlocks } from "./gated-network.js";
import { methodOf } from "./methods.js";
import { prepareTraining } from "./prepare.js";
import { residualBlocks } from "./residual-blocks.js";
import { createSkippingPredictor } from "./skipping-predictor.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const batchSize = 16;
const plain = resNet({ depth: 8, pixels: { height: 16, width: 16 } });
const prepared = prepareTraining(plain, methodOf({ kind: "dfq" }), { batchSize, steps: 10 });
const gated = prepared.gated!;
const { network } = prepared;
const random = createRandomStream(4);
const images = tensor(
  "float32",
  [batchSize, 3, 16, 16],
  Array.from({ length: batchSize * 768 }, (_, index) => random.integer(64) + 12 * Math.floor(index / 768)),
);

/** First values with gates that decide differently for different samples. */
function decidedWeights(): Map<string, Tensor> {
  const weights = initializeParameters(network, random.split("weights"));
  for (const [name, value] of weights) {
    if (!name.startsWith("gates.")) continue;
    // Far apart, so that some samples skip.
    const factor = name.endsWith("bias") ? 0 : 6;
    weights.set(
      name,
      tensor(
        "float32",
        value.dimensions,
        [...tensorNumbers(value)].map((entry) => entry * factor),
      ),
    );
  }
  return weights;
}
const weights = decidedWeights();

const keyOf = ({ domain, operator }: Node): string => (domain === "" ? operator : `${domain}.${operator}`);
const products = ["Conv", "ai.dovetail.ConvInputGradient", "ai.dovetail.ConvWeightGradient"];

/** A training step's graph with all gradients, and what it is fed. */
function trainingStep() {
  const form = trainingForm(network, { batchSize });
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const { elementType, shape } = prepared.loss.target(g.value(form.logits).type.shape!);
  const target = g.input("target", elementType, shape);
  const loss = prepared.loss.build(g, g.value(form.logits), target);
  const trained = network.parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
  const gradients = differentiate(g, { loss, withRespectTo: trained.map((name) => g.value(name)) });
  gradients.forEach((gradient, index) => {
    g.output(gradient, `gradient/${trained[index]}`);
  });
  g.output(g.value(gatedNames.cost));
  g.output(g.value(gatedNames.counts));
  const feeds: Record<string, Tensor> = {
    ...Object.fromEntries(weights),
    [network.image]: images,
    target: tensorFromData(
      "int64",
      [batchSize],
      BigInt64Array.from({ length: batchSize }, (_, row) => BigInt(row % 10)),
    ),
  };
  const scalars = prepared.controller.scalars();
  for (const { name, value } of network.scalars) feeds[name] = scalar(scalars[name] ?? value);
  for (const { input, shape: sizes } of form.noises) feeds[input] = uniformNoise(random.split(input), sizes);
  return { graph: eliminateDeadCode({ ...g.build(), customGradients: [] }), feeds };
}

/** These values of the graph in a run. */
async function valuesOf(names: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
  const { graph, feeds } = trainingStep();
  const segment = await runtime.compile({
    ...graph,
    outputs: names.map((name) => ({ name, type: graph.types.get(name)! })),
  });
  const outputs = await segment.run(feeds);
  await segment.release();
  return new Map(Object.entries(outputs));
}

const rowsOf = (value: Tensor, count = batchSize): number[][] => {
  const all = [...tensorNumbers(value)];
  const size = all.length / count;
  return Array.from({ length: count }, (_, row) => all.slice(row * size, (row + 1) * size));
};
const choicesOf = (mask: Tensor): number[] => rowsOf(mask).map((row) => row.indexOf(1));
const distinct = (rows: readonly number[][]): number => new Set(rows.flat()).size;

describe("precision is what the counters say", () => {
  it("in every product of a training step: distinct values of both operands, sample by sample", async () => {
    const { graph } = trainingStep();
    const nodes = graph.nodes.filter((node) => products.includes(keyOf(node)));
    const operands = [...new Set(nodes.flatMap(({ inputs }) => inputs.slice(0, 2)))];
    const values = await valuesOf([...operands, ...gated.blocks.map(({ mask }) => mask)]);
    const seen = new Map<number, number>();
    let checked = 0;
    for (const { name, block } of gated.layers) {
      const choices = choicesOf(values.get(gated.blocks[block]!.mask)!);
      for (const index of choices) seen.set(index, (seen.get(index) ?? 0) + 1);
      const forward = nodes.find((node) => node.name === name)!;
      const data = rowsOf(values.get(forward.inputs[0]!)!);
      const filters = rowsOf(
        values.get(forward.inputs[1]!)!,
        forward && (graph.types.get(forward.inputs[1]!)!.shape![0] as number),
      );
      for (const filter of filters) expect(new Set(filter).size).toBeLessThanOrEqual(2 ** 4);
      const gradient = rowsOf(values.get(gradientOperand(graph.nodes, nodes, forward))!);
      gated.choices.forEach((choice, index) => {
        const members = choices.flatMap((chosen, row) => (chosen === index ? [row] : []));
        const at = (rows: number[][]): number[][] => members.map((row) => rows[row]!);
        if (isSkip(choice)) {
          expect(
            at(data)
              .flat()
              .every((value) => value === 0),
          ).toBe(true);
          expect(
            at(gradient)
              .flat()
              .every((value) => value === 0),
          ).toBe(true);
          return;
        }
        expect(distinct(at(data))).toBeLessThanOrEqual(2 ** choice.activationBits);
        expect(distinct(at(gradient))).toBeLessThanOrEqual(2 ** choice.gradientBits);
        checked += members.length;
      });
    }
    expect(checked).toBeGreaterThan(0);
    // Gates that all chose alike would show little.
    expect(seen.size).toBeGreaterThan(2);
    expect(seen.get(0)).toBeGreaterThan(0);
  });

  it("layers outside the blocks have at most 2^8 values", async () => {
    const { graph } = trainingStep();
    const inBranches = new Set(gated.layers.map(({ name }) => name));
    const outer = graph.nodes.filter((node) => node.operator === "Conv" && !inBranches.has(node.name));
    expect(outer.length).toBe(3);
    const values = await valuesOf(outer.flatMap(({ inputs }) => inputs.slice(0, 2)));
    for (const { inputs } of outer)
      expect(new Set(tensorNumbers(values.get(inputs[0]!)!)).size).toBeLessThanOrEqual(256);
  });
});

/** The gradient that a convolution's weight-gradient product takes. */
function gradientOperand(all: readonly Node[], nodes: readonly Node[], forward: Node): string {
  const weightGradient = nodes.find(
    ({ operator, inputs }) =>
      operator === "ConvWeightGradient" &&
      inputs.some((name) => sourceOf(all, name) === sourceOf(all, forward.inputs[0]!)),
  )!;
  return weightGradient.inputs.find((name) => sourceOf(all, name) !== sourceOf(all, forward.inputs[0]!))!;
}

/** The value behind Identity nodes. */
function sourceOf(nodes: readonly Node[], name: string): string {
  const producer = nodes.find(({ outputs }) => outputs.includes(name));
  return producer?.operator === "Identity" ? sourceOf(nodes, producer.inputs[0]!) : name;
}

describe("gates", () => {
  it("cost and counts of a step follow from the choices", async () => {
    const values = await valuesOf([gatedNames.cost, gatedNames.counts, ...gated.blocks.map(({ mask }) => mask)]);
    const counts = rowsOf(values.get(gatedNames.counts)!, gated.blocks.length);
    let [cost, work] = [0, 0];
    gated.blocks.forEach(({ mask }, block) => {
      const choices = choicesOf(values.get(mask)!);
      expect(counts[block]).toEqual(
        gated.choices.map((_, index) => choices.filter((chosen) => chosen === index).length),
      );
      const macs = gated.layers.reduce((sum, layer) => sum + (layer.block === block ? layer.macs : 0), 0);
      for (const index of choices) cost += (macs * choicePercent(gated.choices[index]!, 4)) / 100;
      work += macs * batchSize;
    });
    expect(tensorNumbers(values.get(gatedNames.cost)!)[0]).toBeCloseTo(cost / work, 6);
  });

  it("start in the middle, and take the first of equal choices", async () => {
    const level = new Map(
      [...weights].map(([name, value]) => {
        const isLast = name.startsWith("gates.choice");
        return [
          name,
          isLast
            ? tensor(
                "float32",
                value.dimensions,
                [...tensorNumbers(value)].map(() => 0),
              )
            : value,
        ];
      }),
    );
    const predictor = await createSkippingPredictor({ runtime, network, gated, weights: level, scalars: {} });
    await predictor.predict(images);
    for (const counts of predictor.choices()) expect(counts).toEqual([0, 0, batchSize, 0, 0, 0]);
    await predictor.release();
  });

  it("get gradients from the task and from the cost", async () => {
    const { graph, feeds } = trainingStep();
    const names = ["gates.choice.weight", "gates.0.first.weight", "gates.lstm.input", "gates.2.second.bias"];
    const gradientsAt = async (factor: number): Promise<number[][]> => {
      const segment = await runtime.compile(graph);
      const outputs = await segment.run({ ...feeds, [gatedNames.costFactor]: scalar(factor) });
      await segment.release();
      return names.map((name) => [...tensorNumbers(outputs[`gradient/${name}`]!)]);
    };
    const [without, with10] = [await gradientsAt(0), await gradientsAt(10)];
    without.forEach((gradient, index) => {
      expect(
        gradient.some((value) => value !== 0),
        names[index],
      ).toBe(true);
      expect(with10[index], names[index]).not.toEqual(gradient);
    });
  });

  it("find the blocks of other networks, and say so where there are none", () => {
    expect(residualBlocks(mobileNetV2()).length).toBe(10);
    const flat = {
      ...plain,
      graph: { ...plain.graph, nodes: plain.graph.nodes.filter(({ operator }) => operator !== "Add") },
    };
    expect(() => gateBlocks(flat)).toThrow("has no blocks to put gates in front of");
  });
});

it("the predictor that skips gives what the whole graph gives, and computes the samples that run alone", async () => {
  const scalars = prepared.controller.scalars();
  const whole = await createPredictor({ runtime, network, weights, scalars });
  const skipping = await createSkippingPredictor({ runtime, network, gated, weights, scalars });
  const expected = await whole.predict(images);
  const ours = await skipping.predict(images);
  const scale = Math.max(...expected.map(Math.abs));
  expected.forEach((value, index) => {
    expect(Math.abs(ours[index]! - value)).toBeLessThan(1e-4 * scale);
  });
  const skipped = skipping.choices().reduce((sum, [count]) => sum + count!, 0);
  expect(skipped).toBeGreaterThan(0);
  expect(skipped).toBeLessThan(batchSize * gated.blocks.length);
  await whole.release();
  await skipping.release();
});

it("PFQ feeds the pairs of its list, one after the other, to all quantizers", () => {
  const pfq = prepareTraining(plain, methodOf({ kind: "pfq", epochSteps: 1 }), { batchSize, steps: 100 });
  let step = 0;
  const bitsAfter = (steps: number): Readonly<Record<string, number>> => {
    for (const end = step + steps; step < end; step++) pfq.controller.observe({ step, loss: 1, values: {} });
    return pfq.controller.scalars();
  };
  expect(bitsAfter(0)).toEqual({ weightBits: 3, activationBits: 3, errorBits: 6, weightGradientBits: 6 });
  expect(bitsAfter(5)).toEqual({ weightBits: 4, activationBits: 4, errorBits: 6, weightGradientBits: 6 });
  expect(bitsAfter(50)).toEqual({ weightBits: 8, activationBits: 8, errorBits: 8, weightGradientBits: 8 });
  expect(pfq.controller.turningPoints()).toEqual([4, 9, 14]);
});
