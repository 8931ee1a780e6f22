import { GraphBuilder, tensor, tensorNumbers } from "@dovetail/graph";
import { type ParameterRole, parameterSpec } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { scaledGradient } from "./adaptive-rate.js";

/** AdderNet's worked example: two filters of three values. */
const gradient = [0.3, -1.5, 2, 5, 0, -2];
const scaled = [0.0247226, -0.1236128, 0.1648171, 0.4120428, 0, -0.1648171];

async function run(role: ParameterRole, values: readonly number[]): Promise<number[]> {
  const g = new GraphBuilder("rate");
  const shape = [2, 3, 1, 1];
  const spec = parameterSpec("weight", shape, { role, initialization: { kind: "constant", value: 0 } });
  g.output(scaledGradient(g, spec, g.input("gradient", "float32", shape)), "scaled");
  const runtime = await createRuntime({ threads: 1 });
  const segment = await runtime.compile(g.build());
  const results = await segment.run({ gradient: tensor("float32", shape, values) });
  await runtime.release();
  return tensorNumbers(results.scaled!);
}

it("gives the gradient of an add layer's weight AdderNet's length", async () => {
  const found = await run("adderWeight", gradient);
  found.forEach((value, index) => {
    expect(value).toBeCloseTo(scaled[index]!, 6);
  });
});

it("leaves a gradient of zeros at zero, and other parameters' gradients as they are", async () => {
  expect(
    await run(
      "adderWeight",
      gradient.map(() => 0),
    ),
  ).toEqual(gradient.map(() => 0));
  expect(await run("weight", gradient)).toEqual([...Float32Array.from(gradient)]);
});
