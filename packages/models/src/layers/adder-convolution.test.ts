import { createRandomStream } from "@dovetail/core";
import { readModel, tensorNumbers, writeModel } from "@dovetail/graph";
import { expect, it } from "vitest";
import { exportModel } from "../network/export.js";
import { networkOfModel } from "../network/import.js";
import { initializeParameters } from "../network/initialize.js";
import { countDistances, countMacs } from "../network/macs.js";
import { resNet } from "../zoo/resnet.js";
import { adderConvolution } from "./adder-convolution.js";

const plain = resNet({ depth: 8 });
const adders = resNet({ depth: 8, layer: adderConvolution });

it("stands in the place of a block's convolutions", () => {
  const operators = (network: typeof plain) => network.graph.nodes.map(({ operator }) => operator);
  expect(operators(adders)).toEqual(
    operators(plain).map((name, index) => (name === "Conv" && index > 3 ? "AdderConv" : name)),
  );
  expect(adders.parameters.map(({ name, shape }) => ({ name, shape }))).toEqual(
    plain.parameters.map(({ name, shape }) => ({ name, shape })),
  );
});

it("counts as additions, of which there are as many as the convolutions had products", () => {
  expect(countDistances(plain.graph)).toBe(0);
  expect(countDistances(adders.graph)).toBeGreaterThan(0);
  expect(countDistances(adders.graph) + countMacs(adders.graph)).toBe(countMacs(plain.graph));
});

it("starts with standard normal weights", () => {
  const weight = initializeParameters(adders, createRandomStream(1)).get("stage3.0.second.conv.weight")!;
  const values = tensorNumbers(weight);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(square - 1)).toBeLessThan(0.03);
});

it("stays what it is in a file", () => {
  const weights = initializeParameters(adders, createRandomStream(1));
  const model = readModel(writeModel(exportModel(adders, weights)));
  expect(model.functions.map(({ domain, name }) => `${domain}.${name}`)).toEqual(["ai.dovetail.AdderConv"]);
  const { network } = networkOfModel(model);
  const roles = network.parameters.filter(({ role }) => role === "adderWeight");
  expect(roles.map(({ name, initialization }) => [name, initialization.kind])).toEqual(
    adders.parameters.filter(({ role }) => role === "adderWeight").map(({ name }) => [name, "normal"]),
  );
  expect(exportModel(plain, initializeParameters(plain, createRandomStream(1))).functions).toEqual([]);
});

it("refuses groups", () => {
  expect(() =>
    resNet({ depth: 8, layer: (n, name, x, options) => adderConvolution(n, name, x, { ...options, groups: 2 }) }),
  ).toThrow('add layer "conv": expected 1 group, received 2');
});
