import { createRandomStream } from "@dovetail/core";
import {
  differentiate,
  GraphBuilder,
  scalar,
  type Tensor,
  tensorFromData,
  tensorNumbers,
  type Value,
} from "@dovetail/graph";
import { initializeParameters, resNet, trainingForm } from "@dovetail/models";
import { spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { planStep, sgd, softmaxCrossEntropy } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DistillationRule, precisionPasses } from "./passes.js";

const batchSize = 4;
const pixels = { height: 8, width: 8 };
const base = resNet({ depth: 8, widths: [4, 6, 8], classCount: 4, pixels });
const switchable = switchableNetwork(base, { bitWidths: [3, 5, 32] });
const { network } = switchable;
const random = createRandomStream(5);
const weights = new Map([
  ...initializeParameters(network, random),
  ...spreadOverPrecisions(switchable, initializeParameters(base, random)),
]);
const trained = network.parameters.filter(({ trainable }) => trainable);
const images = tensorFromData(
  "float32",
  [batchSize, 3, 8, 8],
  Float32Array.from({ length: batchSize * 192 }, () => random.integer(256)),
);
const labels = tensorFromData("int64", [batchSize], BigInt64Array.from([0n, 1n, 2n, 3n]));

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

/** What a step of plain SGD with rate 1 subtracts from each parameter: the gradient of the step. */
async function gradientOfStep(rule: DistillationRule, reduction: "mean" | "sum"): Promise<Map<string, number[]>> {
  const optimizer = sgd({ momentum: 0 });
  const plan = planStep(
    network,
    { loss: softmaxCrossEntropy(), optimizer, batchSize },
    precisionPasses(switchable, { rule, reduction }),
  );
  const state = runtime.createState(new Map([...weights, ...plan.initialMemory()]));
  const step = await plan.compile(runtime, state);
  const feeds: Record<string, Tensor> = { [plan.image]: images, [plan.target]: labels };
  for (const { name, value } of network.scalars) feeds[name] = scalar(value);
  const values: Record<string, number> = { learningRate: 1, momentum: 0, weightDecay: 0 };
  for (const [name, input] of Object.entries(plan.hyperparameters)) feeds[input] = scalar(values[name]!);
  await step.run(feeds, 0);
  await step.release();
  return new Map(
    trained.map(({ name }) => {
      const before = tensorNumbers(weights.get(name)!);
      return [name, tensorNumbers(state.read(name)).map((value, index) => before[index]! - value)];
    }),
  );
}

/** All precisions side by side in one graph, differentiated as a whole: the definition of the loss. */
async function gradientOfDefinition(
  teachers: (index: number) => readonly number[],
  { detached, weight }: { readonly detached: boolean; readonly weight: number },
): Promise<Map<string, number[]>> {
  const form = trainingForm(network, { batchSize });
  const g = new GraphBuilder("definition");
  const shared: Record<string, Value> = { [network.image]: g.input("images", "float32", [batchSize, 3, 8, 8]) };
  for (const { name, shape } of network.parameters) shared[name] = g.input(name, "float32", shape);
  const target = g.input("labels", "int64", [batchSize]);
  const all: Value[] = [];
  const losses = [32, 5, 3].map((bits, index) => {
    const setting = Object.entries(switchable.setting(bits)).map(([name, value]) => [name, g.scalar(value)] as const);
    const logits = g.include(form.graph, { ...shared, ...Object.fromEntries(setting) })[form.graph.outputs[0]!.name]!;
    all.push(logits);
    const distances = teachers(index).map((teacher) => {
      const difference = g.sub(logits, detached ? g.stopGradient(all[teacher]!) : all[teacher]!);
      return g.mul(g.reduceSum(g.mul(difference, difference), [0, 1]), 1 / (batchSize * 4));
    });
    return [softmaxCrossEntropy().build(g, logits, target), ...distances].reduce((a, b) => g.add(a, b));
  });
  const loss = g.mul(
    losses.reduce((a, b) => g.add(a, b)),
    weight,
  );
  const gradients = differentiate(g, { loss, withRespectTo: trained.map(({ name }) => shared[name]!) });
  trained.forEach(({ name }, index) => {
    g.output(gradients[index]!, `gradient:${name}`);
  });
  const segment = await runtime.compile(g.build());
  const outputs = await segment.run({ images, labels, ...Object.fromEntries(weights) });
  await segment.release();
  return new Map(trained.map(({ name }) => [name, tensorNumbers(outputs[`gradient:${name}`]!)]));
}

function largestDifference(
  a: ReadonlyMap<string, readonly number[]>,
  b: ReadonlyMap<string, readonly number[]>,
): number {
  let largest = 0;
  for (const [name, values] of a) {
    values.forEach((value, index) => {
      largest = Math.max(largest, Math.abs(value - b.get(name)![index]!));
    });
  }
  return largest;
}

const teachersOf = {
  cascade: (index: number) => [0, 1].slice(0, index),
  highest: (index: number) => (index > 0 ? [0] : []),
  joint: () => [],
} as const;

describe("the gradient of a step at all precisions", () => {
  it.each(["cascade", "highest", "joint"] as const)("is that of the definition's mean: %s", async (rule) => {
    const ours = await gradientOfStep(rule, "mean");
    const defined = await gradientOfDefinition(teachersOf[rule], { detached: true, weight: 1 / 3 });
    expect(largestDifference(ours, defined)).toBeLessThan(2e-5);
  });

  it("gives teachers none", async () => {
    const ours = await gradientOfStep("cascade", "mean");
    const through = await gradientOfDefinition(teachersOf.cascade, { detached: false, weight: 1 / 3 });
    expect(largestDifference(ours, through)).toBeGreaterThan(1e-2);
  });

  it("is N times as large for the public code's sum", async () => {
    const mean = await gradientOfStep("cascade", "mean");
    const sum = await gradientOfStep("cascade", "sum");
    const scaled = new Map([...mean].map(([name, values]) => [name, values.map((value) => 3 * value)]));
    expect(largestDifference(sum, scaled)).toBeLessThan(5e-5);
  });
});
