import { createRandomStream } from "@dovetail/core";
import { scalar, tensor, tensorNumbers } from "@dovetail/graph";
import { globalAveragePool, initializeParameters, linear, type Network, NetworkBuilder } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { softmaxCrossEntropy } from "../losses/cross-entropy.js";
import { planStep } from "../trainer/step-plan.js";
import type { Optimizer } from "./optimizer.js";
import { radam } from "./radam.js";
import { sgd } from "./sgd.js";
import { splitByRole } from "./split-by-role.js";

/** A matrix product with a bias on mean pixels. */
const network: Network = (() => {
  const n = new NetworkBuilder("split");
  return n.build(linear(n, "out", globalAveragePool(n, n.imageInput(3, 2, 2)), { features: 2 }));
})();

const pixels = Array.from({ length: 24 }, (_, index) => ((index * 7) % 5) / 4);

/** Parameters after some steps at a rate. */
async function trained(optimizer: Optimizer, learningRate: number): Promise<ReadonlyMap<string, number[]>> {
  const runtime = await createRuntime({ threads: 1 });
  const plan = planStep(network, { loss: softmaxCrossEntropy(), batchSize: 2, optimizer });
  const state = runtime.createState(
    new Map([...initializeParameters(network, createRandomStream(3)), ...plan.initialMemory()]),
  );
  const compiled = await plan.compile(runtime, state);
  for (let step = 0; step < 8; step++) {
    const scalars = optimizer.feeds({ ...optimizer.hyperparameters, learningRate }, step);
    await compiled.run(
      {
        image: tensor("float32", [2, 3, 2, 2], pixels),
        "training/target": tensor("int64", [2], [0, 1]),
        ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [`training/${name}`, scalar(value)])),
      },
      step,
    );
  }
  const found = new Map(network.parameters.map(({ name }) => [name, tensorNumbers(state.read(name))]));
  await runtime.release();
  return found;
}

it("parameters of the named roles change by the other optimizer at its own rate, all others as before", async () => {
  const frozen = { ...sgd({ momentum: 0 }), feeds: () => ({ learningRate: 0, momentum: 0, weightDecay: 0 }) };
  const start = await trained(frozen, 0);
  const split = splitByRole(frozen, radam({ weightDecay: 0.1 }), { roles: ["bias"], rate: 2 });
  const found = await trained(split, 0.05);
  // The weight stands still in both, so that the bias sees the same gradients.
  const alone = splitByRole(radam({ weightDecay: 0.1 }), frozen, { roles: ["weight"] });
  const expected = await trained(alone, 0.1);
  expect(found.get("out.weight")).toEqual(start.get("out.weight"));
  expect(found.get("out.bias")).toEqual(expected.get("out.bias"));
  expect(found.get("out.bias")).not.toEqual(start.get("out.bias"));
});
