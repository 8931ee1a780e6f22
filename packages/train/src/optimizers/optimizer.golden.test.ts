import { readFileSync } from "node:fs";
import { differentiate, GraphBuilder, scalar, type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { meanSquaredError } from "../losses/mean-squared-error.js";
import { adam, adamW } from "./adam.js";
import { clipGradients } from "./clip-gradients.js";
import type { Optimizer } from "./optimizer.js";
import { radam } from "./radam.js";
import { sgd } from "./sgd.js";

interface Golden {
  readonly x: number[];
  readonly y: number[];
  readonly weight: number[];
  readonly bias: number[];
  readonly trajectories: Record<string, number[][]>;
}

const golden = JSON.parse(readFileSync(new URL("optimizer.golden.json", import.meta.url), "utf8")) as Golden;

const optimizers: Record<string, { optimizer: Optimizer; maximumNorm?: number }> = {
  sgd: { optimizer: sgd({ momentum: 0 }) },
  sgdMomentumDecay: { optimizer: sgd({ momentum: 0.9, weightDecay: 0.01 }) },
  sgdNesterovDecay: { optimizer: sgd({ momentum: 0.9, weightDecay: 0.01, nesterov: true }) },
  adam: { optimizer: adam() },
  adamDecay: { optimizer: adam({ beta1: 0.8, beta2: 0.99, weightDecay: 0.1 }) },
  adamW: { optimizer: adamW({ weightDecay: 0.1 }) },
  radam: { optimizer: radam() },
  radamDecay: { optimizer: radam({ beta1: 0.8, beta2: 0.9, weightDecay: 0.1 }) },
  sgdClipped: { optimizer: sgd(), maximumNorm: 0.5 },
};

/** Linear regression with the optimizer's update in the same graph. */
function regression(optimizer: Optimizer, clip: boolean) {
  const g = new GraphBuilder("regression");
  const parameters = [g.input("weight", "float32", [2, 3]), g.input("bias", "float32", [2])];
  const output = g.gemm(g.constant(tensor("float32", [8, 3], golden.x)), parameters[0]!, parameters[1], { transB: 1 });
  const loss = meanSquaredError().build(g, output, g.constant(tensor("float32", [8, 2], golden.y)));
  let gradients = differentiate(g, { loss, withRespectTo: parameters });
  if (clip) gradients = clipGradients(g, gradients, g.input("maximumNorm", "float32", []));
  const scalars = Object.fromEntries(optimizer.inputs.map((name) => [name, g.input(name, "float32", [])]));
  const statePairs: Record<string, string> = {};
  const state = new Map<string, Tensor>();
  const replace = (name: string, output: { name: string }, first: Tensor) => {
    g.output(g.value(output.name), `${name}:next`);
    statePairs[name] = `${name}:next`;
    state.set(name, first);
  };
  parameters.forEach((parameter, index) => {
    const { name, type } = parameter;
    const shape = type.shape as number[];
    const memory = Object.fromEntries(
      optimizer.memory.map((kind) => [kind, g.input(`${name}:${kind}`, "float32", shape)]),
    );
    const updated = optimizer.update(g, { parameter, gradient: gradients[index]!, memory, decay: true }, scalars);
    replace(name, updated.parameter, tensor("float32", shape, name === "weight" ? golden.weight : golden.bias));
    for (const kind of optimizer.memory) {
      const count = shape.reduce((product, size) => product * size, 1);
      replace(`${name}:${kind}`, updated.memory[kind]!, tensor("float32", shape, new Float32Array(count)));
    }
  });
  return { graph: g.build(), statePairs, state };
}

it.each(Object.entries(optimizers))("%s follows PyTorch's trajectory", async (name, { optimizer, maximumNorm }) => {
  const runtime = await createRuntime({ threads: 1 });
  const { graph, statePairs, state } = regression(optimizer, maximumNorm !== undefined);
  const store = runtime.createState(state);
  const segment = await runtime.compile(graph, { state: store, statePairs });
  const trajectory = golden.trajectories[name]!;
  expect(trajectory.length).toBe(30);
  for (const [step, expected] of trajectory.entries()) {
    const feeds = optimizer.feeds({ ...optimizer.hyperparameters, learningRate: 0.05 }, step);
    if (maximumNorm !== undefined) feeds.maximumNorm = maximumNorm;
    await segment.run(Object.fromEntries(Object.entries(feeds).map(([input, value]) => [input, scalar(value)])));
    const found = [...tensorNumbers(store.read("weight")), ...tensorNumbers(store.read("bias"))];
    found.forEach((value, index) => {
      expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-5);
    });
  }
  await runtime.release();
});
