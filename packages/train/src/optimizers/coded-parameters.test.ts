import { createRandomStream } from "@dovetail/core";
import { scalar, tensor, tensorNumbers } from "@dovetail/graph";
import { globalAveragePool, initializeParameters, type Network, NetworkBuilder, parameterSpec } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { softmaxCrossEntropy } from "../losses/cross-entropy.js";
import { planStep } from "../trainer/step-plan.js";
import type { Optimizer } from "./optimizer.js";
import { sgd } from "./sgd.js";

/** Logits = mean pixels · codes / 4. */
const network: Network = (() => {
  const n = new NetworkBuilder("coded");
  const pooled = globalAveragePool(n, n.imageInput(3, 2, 2));
  const codes = n.g.input("codes", "int8", [3, 2]);
  const values = n.g.op("Mul", [n.g.cast(codes, "float32"), n.g.scalar(0.25)], {}, { outputs: ["codes:value"] });
  const built = n.build(n.g.matMul(pooled, values));
  const initialization = { kind: "constant", value: 2 } as const;
  const spec = parameterSpec("codes", [3, 2], { role: "coefficient", initialization });
  return { ...built, parameters: [{ ...spec, elementType: "int8", trainedBy: "codes:value" }] };
})();

/** One down where the gradient is positive, one up where it is negative; counts its steps. */
const signs: Optimizer = {
  ...sgd({ momentum: 0 }),
  rules: {
    coefficient: {
      memory: ["steps"],
      memoryTypes: { steps: "int8" },
      update: (g, { parameter, gradient, memory }) => ({
        parameter: g.cast(g.sub(g.cast(parameter, "float32"), g.sign(gradient)), "int8"),
        memory: { steps: g.cast(g.add(g.cast(memory.steps!, "float32"), 1), "int8") },
      }),
    },
  },
};

const options = { loss: softmaxCrossEntropy(), batchSize: 2 };
const feeds = {
  image: tensor("float32", [2, 3, 2, 2], [1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0]),
  "training/target": tensor("int64", [2], [0, 0]),
  "training/learningRate": scalar(1),
  "training/momentum": scalar(0),
  "training/weightDecay": scalar(0),
};

it.each([
  ["one pass", undefined],
  ["passes", [{}, {}]],
])("a coded parameter changes by its role's rule, by the gradient of what it stands for: %s", async (_, passes) => {
  const runtime = await createRuntime({ threads: 1 });
  const plan = planStep(network, { ...options, optimizer: signs }, passes);
  const weights = initializeParameters(network, createRandomStream(0));
  const state = runtime.createState(new Map([...weights, ...plan.initialMemory()]));
  const compiled = await plan.compile(runtime, state);
  await compiled.run(feeds, 0);
  // Label 0: its column rises, the other falls, wherever there is light.
  expect(state.read("codes")).toEqual({
    elementType: "int8",
    dimensions: [3, 2],
    data: Int8Array.of(3, 1, 3, 1, 2, 2),
  });
  expect(tensorNumbers(state.read("codes:steps"))).toEqual([1, 1, 1, 1, 1, 1]);
  await runtime.release();
});

it("an optimizer without a rule for codes says so", () => {
  expect(() => planStep(network, { ...options, optimizer: sgd() })).toThrow(/cannot train "codes", which is a code/);
});
