import { createRandomStream } from "@dovetail/core";
import { type Tensor, tensor, tensorNumbers } from "@dovetail/graph";
import { initializeParameters, type Network } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { createBatchStream, createPredictor, sgd, train } from "@dovetail/train";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { shiftAddNetwork } from "./networks.js";
import { pruneByMagnitude } from "./prune.js";

const pixels = { height: 8, width: 8 };
const network = shiftAddNetwork("shiftAdd", { depth: 8, widths: [4, 4, 6], classCount: 4, pixels });
const dataset = stripes({ train: 96, validation: 8, test: 8 });

function trained(of: Network, from: ReadonlyMap<string, Tensor>, steps: number) {
  return train({
    runtime,
    network: of,
    weights: from,
    batches: (start) =>
      createBatchStream({ dataset, part: "train", batchSize: 8, random: createRandomStream(2), start }),
    batchSize: 8,
    epochs: 100,
    steps,
    optimizer: sgd(),
    learningRate: 0.05,
    random: createRandomStream(3),
  });
}

let runtime: Runtime;
let weights: ReadonlyMap<string, Tensor>;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  // So many steps that the running statistics have settled: before, no logit depends on the image.
  ({ weights } = await trained(network, initializeParameters(network, createRandomStream(1)), 50));
});
afterAll(() => runtime.release());

const numbers = (of: ReadonlyMap<string, Tensor>, name: string) => [...tensorNumbers(of.get(name)!)];
const draw = createRandomStream(4);
const image = tensor(
  "float32",
  [2, 3, 8, 8],
  [...Array(384)].map(() => 255 * draw.uniform()),
);

async function logitsOf(of: Network, values: ReadonlyMap<string, Tensor>): Promise<number[]> {
  const predictor = await createPredictor({ runtime, network: of, weights: values });
  return [...(await predictor.predict(image))];
}

it("takes the smallest powers of two and the smallest add weights, of those that are not zero", () => {
  const pruned = pruneByMagnitude(network, weights, 0.7);
  const shifts: { magnitude: number; stays: number }[] = [];
  const adds: typeof shifts = [];
  for (const { name, role } of network.parameters) {
    if (role === "adderWeight") {
      const mask = numbers(pruned.weights, `${name}:mask`);
      numbers(weights, name).forEach((value, index) => {
        adds.push({ magnitude: Math.abs(value), stays: mask[index]! });
      });
    } else if (role === "exponent") {
      const weight = name.replace(":exponent", "");
      const mask = numbers(pruned.weights, `${weight}:mask`);
      const signs = numbers(weights, `${weight}:sign`);
      numbers(weights, name).forEach((value, index) => {
        if (Math.abs(signs[index]!) > 0.5) shifts.push({ magnitude: 2 ** value, stays: mask[index]! });
      });
    }
  }
  for (const all of [shifts, adds]) {
    const share = all.filter(({ stays }) => stays === 0).length / all.length;
    expect(Math.abs(share - 0.7)).toBeLessThan(2 / all.length);
    const most = Math.max(...all.filter(({ stays }) => stays === 0).map(({ magnitude }) => magnitude));
    const least = Math.min(...all.filter(({ stays }) => stays === 1).map(({ magnitude }) => magnitude));
    expect(most).toBeLessThan(least);
  }
  const { shift, add } = pruned.zeroFractions;
  expect(shift!.before).toBeCloseTo(0.5, 1);
  expect(shift!.after).toBeCloseTo(1 - 0.3 * (1 - shift!.before), 2);
  expect(add!.before).toBe(0);
  expect(add!.after).toBeCloseTo(0.7, 2);
});

it("computes with zeros in the place of pruned weights", async () => {
  const pruned = pruneByMagnitude(network, weights, 0.5);
  const zeroed = new Map(weights);
  for (const { name, role } of network.parameters) {
    const [parameter, kept] = role === "sign" ? [name, name.replace(":sign", "")] : [name, name];
    if (role !== "sign" && role !== "adderWeight") continue;
    const mask = numbers(pruned.weights, `${kept}:mask`);
    const values = numbers(weights, parameter).map((value, index) => value * mask[index]!);
    zeroed.set(parameter, tensor("float32", weights.get(parameter)!.dimensions, values));
  }
  const found = await logitsOf(pruned.network, pruned.weights);
  expect(found).toEqual(await logitsOf(network, zeroed));
  expect(found).not.toEqual(await logitsOf(network, weights));
  expect(
    await logitsOf(pruneByMagnitude(network, weights, 0).network, pruneByMagnitude(network, weights, 0).weights),
  ).toEqual(await logitsOf(network, weights));
});

it("keeps pruned weights where they are in further training", async () => {
  const pruned = pruneByMagnitude(network, weights, 0.5);
  const after = await trained(pruned.network, pruned.weights, 4);
  let changed = 0;
  let kept = 0;
  for (const { name } of network.parameters.filter(({ role }) => role === "adderWeight")) {
    const mask = numbers(pruned.weights, `${name}:mask`);
    expect(numbers(after.weights, `${name}:mask`)).toEqual(mask);
    const [first, last] = [numbers(weights, name), numbers(after.weights, name)];
    mask.forEach((stays, index) => {
      if (stays === 0) expect(last[index]).toBe(first[index]);
      else kept += 1;
      if (stays === 1 && last[index] !== first[index]) changed += 1;
    });
  }
  expect(changed / kept).toBeGreaterThan(0.9);
  expect(() => pruneByMagnitude(network, weights, 1.2)).toThrow("no part of the weights");
});
