import { countMacs, parameterCount, resNet } from "@dovetail/models";
import { expect, it } from "vitest";
import { countOperations, isAddLayer, shiftAddNetwork, variants } from "./networks.js";

const options = { depth: 20 };

it("has the convolutional network's products as shifts, and an add layer behind each in blocks and shortcuts", () => {
  const plain = countMacs(resNet(options).graph);
  // Of ResNet-20: 18 convolutions in blocks, two shortcuts, stem and classifier.
  const stem = 32 * 32 * 16 * 27;
  const blocks = 32 * 32 * 16 * 16 * 9 * 6 + 16 * 16 * 32 * 32 * 9 * 6 + 8 * 8 * 64 * 64 * 9 * 6;
  const halved = 16 * 16 * 16 * 32 * 9 + 8 * 8 * 32 * 64 * 9;
  const entries = 16 * 16 * 32 * 32 * 9 + 8 * 8 * 64 * 64 * 9;
  const shortcuts = 16 * 16 * 16 * 32 + 8 * 8 * 32 * 64;
  const convolutions = stem + blocks - entries + halved + shortcuts;
  expect(plain).toBe(convolutions + 640);
  expect(countOperations(shiftAddNetwork("convolution", options))).toEqual({ multiply: plain, shift: 0, add: 0 });
  expect(countOperations(shiftAddNetwork("shift", options))).toEqual({ multiply: 0, shift: plain, add: 0 });
  expect(countOperations(shiftAddNetwork("add", options))).toEqual({
    multiply: stem + 640,
    shift: 0,
    add: convolutions - stem,
  });
  // Add layers run from as many channels as they give, at stride 1.
  const adds = blocks + 16 * 16 * 32 * 32 + 8 * 8 * 64 * 64;
  for (const variant of ["shiftAdd", "fixedShiftAdd"] as const) {
    expect(countOperations(shiftAddNetwork(variant, options))).toEqual({ multiply: 0, shift: plain, add: adds });
  }
});

it("keeps the order shift, add, normalization, ReLU, and strides in the shift", () => {
  const { graph } = shiftAddNetwork("shiftAdd", { depth: 8 });
  const readers = (name: string) => graph.nodes.filter(({ inputs }) => inputs.includes(name));
  const adds = graph.nodes.filter(isAddLayer);
  expect(adds.length).toBe(8);
  for (const add of adds) {
    const before = graph.nodes.find(({ outputs }) => outputs[0] === add.inputs[0])!;
    expect(before.operator).toBe("Conv");
    expect(graph.annotations.get(before.inputs[1]!)).toEqual({ powerOfTwo: true, bitWidth: 5 });
    expect(add.attributes.strides).toMatchObject({ value: [1, 1] });
    expect(readers(add.outputs[0]!).map(({ operator }) => operator)).toEqual(["BatchNormalization"]);
  }
  const [first] = graph.nodes.filter(({ operator }) => operator === "Conv");
  expect(readers(first!.outputs[0]!).map(({ operator }) => operator)).toEqual(["BatchNormalization"]);
});

it("freezes shifts alone in the fixed form", () => {
  const learnt = shiftAddNetwork("shiftAdd", options);
  const fixed = shiftAddNetwork("fixedShiftAdd", options);
  const roles = (trainable: boolean) =>
    new Set(fixed.parameters.filter((parameter) => parameter.trainable === trainable).map(({ role }) => role));
  expect(roles(true)).toEqual(new Set(["adderWeight", "scale", "shift"]));
  expect(roles(false)).toEqual(new Set(["exponent", "sign", "runningMean", "runningVariance"]));
  expect(parameterCount(fixed)).toBe(parameterCount(learnt));
  expect(new Set(variants.map((variant) => shiftAddNetwork(variant, options).name)).size).toBe(variants.length);
});
