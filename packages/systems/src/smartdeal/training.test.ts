import { createRandomStream } from "@dovetail/core";
import { elementCount, scalar, type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { type Checkpoint, constant, planStep, softmaxCrossEntropy } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { epochsDone } from "./average.js";
import { floatWeightValues } from "./between-steps.js";
import { factorLayers } from "./factored-network.js";
import { type MethodInput, methodSchema } from "./methods.js";
import { smartDealOptimizer } from "./rules.js";
import { decomposedStart } from "./structured-tensors.js";
import { type TrainingOptions, trainByMethod } from "./training.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const network = resNet({ depth: 8, widths: [4, 8, 8], classCount: 4, pixels: { height: 8, width: 8 } });
const dataset = stripes({ train: 48, validation: 8, test: 24 });
const batchSize = 8;

const options = (method: MethodInput, more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  runtime,
  dataset,
  network,
  method: methodSchema.parse(method),
  steps: 18,
  batchSize,
  learningRate: constant(0.1),
  random: createRandomStream(2),
  ...more,
});

const countingRules = [
  { rule: "switch", switchBar: 2 },
  { rule: "accumulate", switchBar: 127, coefficientRate: 160 },
] as const;

it.each(countingRules)(
  "at no step is there anything but codes, bases and counters for the weights: $rule",
  async (rule) => {
    const factored = factorLayers(network, { form: "codes" });
    const optimizer = smartDealOptimizer({ ...rule, stepsPerEpoch: 3 });
    const plan = planStep(factored.network, { loss: softmaxCrossEntropy(), batchSize, optimizer });
    const weights = initializeParameters(network, createRandomStream(1));
    const start = decomposedStart(factored, weights, { keptRowShare: 0.8 });
    const parameters = new Map([...initializeParameters(factored.network, createRandomStream(1)), ...start]);
    const state = runtime.createState(new Map([...parameters, ...plan.initialMemory()]));
    const compiled = await plan.compile(runtime, state);
    const values = optimizer.feeds({ ...optimizer.hyperparameters, learningRate: 0.1 }, 1);
    const hyperparameters = Object.fromEntries(
      Object.entries(plan.hyperparameters).map(([name, input]) => [input, scalar(values[name]!)]),
    );
    const random = createRandomStream(4);
    let moved = 0;
    for (let step = 0; step < 6; step++) {
      const pixels = Array.from({ length: batchSize * 192 }, () => random.integer(256));
      const labels = Array.from({ length: batchSize }, () => random.integer(4));
      const before = state.snapshot();
      await compiled.run(
        {
          [plan.image]: tensor("float32", [batchSize, 3, 8, 8], pixels),
          [plan.target]: tensor("int64", [batchSize], labels),
          ...hyperparameters,
        },
        step,
      );
      for (const { weight, weightShape, coefficients, basis } of factored.layers) {
        const held = state.names().filter((name) => name === weight || name.startsWith(`${weight}:`));
        expect(held.sort()).toEqual([basis, `${basis}:momentum`, coefficients, `${coefficients}:counter`].sort());
        const codes = state.read(coefficients);
        const counter = state.read(`${coefficients}:counter`);
        expect([codes.elementType, counter.elementType]).toEqual(["int8", "int8"]);
        for (const code of tensorNumbers(codes)) expect(code >= -8 && code <= 7).toBe(true);
        for (const count of tensorNumbers(counter)) expect(Math.abs(count)).toBeLessThan(rule.switchBar);
        const old = tensorNumbers(before.get(coefficients)!);
        tensorNumbers(codes).forEach((code, index) => {
          // An element's exponent moves by one at most, and what is forbidden stays so.
          expect(Math.abs(code - old[index]!)).toBeLessThanOrEqual(1);
          expect(code === -8).toBe(old[index] === -8);
          if (code !== old[index]) moved++;
        });
        expect(elementCount(state.read(basis).dimensions)).toBeLessThan(
          elementCount(weightShape) + 9 * weightShape[0]!,
        );
      }
    }
    expect(moved).toBeGreaterThan(0);
    // Everything else is a bias, a normalization, or the momentum of one.
    const others = state.names().filter((name) => !name.includes(".weight:"));
    const isSmall = /\.(bias|bn\.(scale|shift|runningMean|runningVariance))(:momentum)?$/;
    expect(others.filter((name) => !isSmall.test(name))).toEqual([]);
    await compiled.release();
  },
);

it("counts whatever stands for a weight in float32, and tensors that it knows nothing of", () => {
  const { network: factored } = factorLayers(network, { form: "codes" });
  const name = network.parameters.find(({ role }) => role === "weight")!.name;
  const of = (tensors: Readonly<Record<string, Tensor>>, among = factored): number =>
    floatWeightValues(among, new Map(Object.entries(tensors)));
  const floats = tensor("float32", [3, 2], [1, 2, 3, 4, 5, 6]);
  const known = { [`${name}:basis`]: floats, [`${name}:basis:momentum`]: floats, "stem.bn.scale": floats };
  expect(of({ ...known, [`${name}:coefficients`]: tensor("int8", [1], [3]) })).toBe(0);
  expect(of({ ...known, [`${name}:coefficients`]: floats })).toBe(6);
  expect(of({ ...known, [name]: floats })).toBe(6);
  expect(of({ ...known, "a copy": floats })).toBe(6);
  expect(of({ [name]: floats, [`${name}:momentum`]: floats }, network)).toBe(6);
});

// Two trainings are compiled a case: seconds, but minutes on a machine with much else to do.
describe("a training that is interrupted goes on to the same bits", { timeout: 300_000 }, () => {
  it.each([
    ["switch", { kind: "switch", switchBar: 2, updateThreshold: 1e-5 }],
    ["accumulate", { kind: "accumulate" }],
    ["latent, averaged", { kind: "latent" }],
  ] as const)("%s", async (_, method) => {
    const more = { averaging: { fromEpoch: 1 } };
    const whole = await trainByMethod(options(method, more));
    let saved: Checkpoint | undefined;
    const abort = new AbortController();
    const checkpoint = {
      load: async () => saved,
      save: async (given: Checkpoint) => {
        saved = given;
        abort.abort(new Error("enough"));
      },
    };
    await expect(
      trainByMethod(options(method, { ...more, checkpoint, watch: { signal: abort.signal } })),
    ).rejects.toThrow("enough");
    // What is saved has no dense weight either.
    expect([...saved!.tensors.keys()].filter((name) => name.endsWith(".weight"))).toEqual([]);
    const rest = await trainByMethod(options(method, { ...more, checkpoint: { ...checkpoint, save: async () => {} } }));
    expect(bits(rest.weights)).toEqual(bits(whole.weights));
    expect(rest.losses).toEqual(whole.losses);
    const last = await trainByMethod(options(method));
    expect(bits(last.weights)).not.toEqual(bits(whole.weights));
  });
});

it("averaging goes on from the end of an epoch of the same training to the bits of a whole one", {
  timeout: 300_000,
}, async () => {
  const averaging = { fromEpoch: 2 };
  // Falls, as one cycle does; with averaging it stays from the end of the second epoch on.
  const falling = (step: number): number => 0.1 / (1 + step);
  const staying = (step: number): number => falling(Math.min(step, 12));
  const method = { kind: "switch", switchBar: 2, updateThreshold: 1e-5, coefficientMomentum: 0.5 } as const;
  const whole = await trainByMethod(options(method, { learningRate: staying, averaging }));
  let kept: Checkpoint | undefined;
  await trainByMethod(
    options(method, {
      learningRate: falling,
      onCheckpoint: async (checkpoint) => {
        if (epochsDone(checkpoint) === averaging.fromEpoch) kept = checkpoint;
      },
    }),
  );
  const rest = await trainByMethod(options(method, { learningRate: staying, averaging, goesOnFrom: kept }));
  expect(bits(rest.weights)).toEqual(bits(whole.weights));
  expect(rest.losses).toEqual(whole.losses);
  expect([rest.accuracyFraction, rest.lastAccuracyFraction]).toEqual([
    whole.accuracyFraction,
    whole.lastAccuracyFraction,
  ]);
});

const bits = (weights: ReadonlyMap<string, Tensor>) => [...weights].map(([name, { data }]) => [name, data]);

it("stores less than a quarter of the dense weights even in so small a network, at 8 bits too", async () => {
  const outcome = await trainByMethod(options({ kind: "switch", arithmetic: "integer8" }, { steps: 6 }));
  const { denseWeightBits, weightBits, otherBits, kept } = outcome.storage;
  expect(denseWeightBits / weightBits).toBeGreaterThan(4);
  expect(otherBits).toBeGreaterThan(0);
  for (const { rows, keptRows } of Object.values(kept)) expect(keptRows).toBeLessThanOrEqual(rows);
  // Of each layer there are codes and counters, int8, bases and their momentum: nothing else.
  for (const [weight, tensors] of Object.entries(outcome.betweenSteps.layers)) {
    const { columns, rows, keptRows, bases } = kept[weight]!;
    expect(tensors.map(({ tensor, elementType, bits: counted }) => [tensor, elementType, counted]).sort()).toEqual([
      ["basis", "float32", 32 * bases * columns ** 2],
      ["basis:momentum", "float32", 32 * bases * columns ** 2],
      ["coefficients", "int8", 4 * keptRows * columns + rows],
      ["coefficients:counter", "int8", 5 * keptRows * columns],
    ]);
  }
  expect(Object.keys(outcome.betweenSteps.layers)).toEqual(Object.keys(kept));
  expect(outcome.betweenSteps.floatWeights).toBe(0);
  expect(outcome.losses.every(Number.isFinite)).toBe(true);
  // Every layer's input but the image's is behind a ReLU, or the mean of what is.
  const zeros = Object.values(outcome.inputZeros!);
  expect(zeros.length).toBe(10);
  for (const share of zeros) expect(share >= 0 && share < 1).toBe(true);
  expect(zeros.slice(1).some((share) => share > 0.2)).toBe(true);
});
