import { countMacs, parameterCount, resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { networkEnergy, weightBits } from "./energy.js";
import { countOperations, shiftAddNetwork, type Variant, variants } from "./networks.js";
import type { Precision } from "./precision.js";
import { type ProductRole, productsOf } from "./products.js";

const options = { depth: 8, widths: [8, 16, 16], pixels: { height: 16, width: 16 } };
const networks = new Map(variants.map((variant) => [variant, shiftAddNetwork(variant, options)] as const));
const network = (variant: Variant) => networks.get(variant)!;
const float: Precision = { format: "float" };
const fixed: Precision = { format: "integer", add: 8, shift: 16, multiply: 8 };
const batchSize = 128;

const points = (variant: Variant, role: ProductRole): number =>
  productsOf(network(variant), float)
    .filter((product) => product.role === role)
    .reduce((sum, product) => sum + product.points, 0);

describe("products", () => {
  it("are those of the network's layers forward, once more for errors but the stem's, and for gradients of what learns", () => {
    for (const variant of variants) {
      const { multiply, shift, add } = countOperations(network(variant));
      expect(points(variant, "forward")).toBe(multiply + shift + add);
      const stem = 16 * 16 * 8 * 27;
      expect(points(variant, "error")).toBe(points(variant, "forward") - stem);
      const frozen = variant === "fixedShiftAdd" ? shift : 0;
      expect(points(variant, "weightGradient")).toBe(points(variant, "forward") - frozen);
    }
    expect(points("convolution", "forward")).toBe(countMacs(resNet(options).graph));
  });

  it("multiply wherever a weight's gradient is made, and in the errors of add layers", () => {
    const kinds = (role: ProductRole) =>
      new Set(
        productsOf(network("shiftAdd"), fixed)
          .filter((product) => product.role === role)
          .map(({ layer, operation, bitWidth }) => `${layer} ${operation} ${bitWidth}`),
      );
    expect(kinds("forward")).toEqual(new Set(["shift shift 16", "add add 8"]));
    expect(kinds("error")).toEqual(new Set(["shift shift 16", "add multiply 8"]));
    expect(kinds("weightGradient")).toEqual(new Set(["shift multiply 16", "add multiply 8"]));
  });
});

it("writes what a layer gives as wide as its neighbours read it, and sums of weight gradients in 32 bit", () => {
  const outputs = (variant: Variant, role: ProductRole, layer: string) =>
    productsOf(network(variant), fixed)
      .filter((product) => product.role === role && product.layer === layer)
      .map(({ problem }) => problem.dataSpaces.find(({ name }) => name === "Outputs")!.bitWidth);
  // Behind an add layer and its normalization a shift layer reads 16 bits.
  expect(new Set(outputs("shiftAdd", "forward", "add"))).toEqual(new Set([16]));
  // Stem and classifier have no add layer behind them.
  expect(outputs("shiftAdd", "forward", "shift").filter((bits) => bits === 16).length).toBe(2);
  expect(new Set(outputs("shiftAdd", "error", "add"))).toEqual(new Set([16]));
  expect(outputs("add", "forward", "add").every((bits) => bits === 8)).toBe(true);
  for (const [variant, layer] of [
    ["shiftAdd", "add"],
    ["shiftAdd", "shift"],
    ["convolution", "multiply"],
  ] as const) {
    const gradients = outputs(variant, "weightGradient", layer);
    // A linear classifier's count as its forward product once more.
    expect(gradients.filter((bits) => bits !== 32).length).toBe(layer === "multiply" ? 1 : 0);
  }
});

describe("energy", () => {
  const energy = (variant: Variant, precision: Precision, table: "operators45" | "operatorsZc706" | "synthesised45") =>
    networkEnergy({ network: network(variant), precision, table, batchSize });

  it("charges points as the tables say", () => {
    const macs = countMacs(network("convolution").graph);
    expect(energy("convolution", float, "operators45").inference.operationsPj).toBeCloseTo(macs * (3.7 + 0.9), 0);
    expect(energy("convolution", fixed, "operators45").inference.operationsPj).toBeCloseTo(macs * (0.2 + 0.03), 0);
    const { multiply, add } = countOperations(network("add"));
    expect(energy("add", fixed, "operatorsZc706").inference.operationsPj).toBeCloseTo(multiply * 0.3 + add * 0.2, 0);
    const all = countOperations(network("shiftAdd"));
    const all8: Precision = { ...fixed, shift: 8 } as Precision;
    expect(energy("shiftAdd", all8, "operators45").inference.operationsPj).toBeCloseTo(
      all.shift * 0.054 + all.add * 0.06,
      0,
    );
    // Ratios to the fixed unit from our own synthesis: 958 and 726 of 1,497 fJ, times 0.298 pJ.
    expect(energy("shiftAdd", all8, "synthesised45").inference.operationsPj).toBeCloseTo(
      (0.298 / 1497) * (all.shift * 958 + all.add * 726),
      0,
    );
  });

  it("interpolates integers of 16 bit where asked to: shifts by bits, multiplications by their square", () => {
    const of = (table: "operators45" | "interpolated45") =>
      networkEnergy({ network: network("shiftAdd"), precision: fixed, table, batchSize }).training.byPart;
    const { shift, add } = countOperations(network("shiftAdd"));
    // Operators of 8 and 32 bit: shifts 0.024 and 0.13 pJ, multiplications 0.2 and 3.1 (Horowitz); additions of 16 bit 0.05.
    const shift16 = 0.024 + (0.13 - 0.024) / 3 + 0.05;
    const multiply16 = 0.2 + (3.1 - 0.2) / 5 + 0.05;
    expect(of("interpolated45").forward.operationsPj).toBeCloseTo(shift * shift16 + add * 0.06, 0);
    expect(of("interpolated45").forward.shiftPj).toBeCloseTo(shift * shift16, 0);
    expect(of("operators45").forward.shiftPj).toBeCloseTo(shift * (0.13 + 0.05), 0);
    expect(of("interpolated45").weightGradient.operationsPj).toBeCloseTo(shift * multiply16 + add * 0.23, 0);
    expect(of("interpolated45").weightGradient.shiftPj).toBe(0);
  });

  it("updates by SGD or by RAdam, which has a second memory", () => {
    const of = (rule: "sgd" | "radam") =>
      networkEnergy({
        network: network("convolution"),
        precision: float,
        table: "operators45",
        batchSize,
        updateRuleOf: () => rule,
      }).training.byPart.update;
    const trained = parameterCount(network("convolution"), { trainableOnly: true });
    expect(of("sgd").memoryPj).toBeCloseTo((5 * trained * 32 * 8) / batchSize, 3);
    expect(of("radam").memoryPj).toBeCloseTo((7 * trained * 32 * 8) / batchSize, 3);
    expect(of("radam").operationsPj).toBeCloseTo(3 * of("sgd").operationsPj, 3);
  });

  it("moves the operands of add layers like those of convolutions", () => {
    const of = (variant: Variant) => energy(variant, float, "operators45");
    expect(of("add").inference.memoryPj).toBe(of("convolution").inference.memoryPj);
    const [add, convolution] = [of("add").training.byPart, of("convolution").training.byPart];
    expect(add.weightGradient.memoryPj).toBe(convolution.weightGradient.memoryPj);
    expect(add.update.memoryPj).toBe(convolution.update.memoryPj);
    // dX = Σ dY · clamp(w − x) reads x besides: at least once from DRAM (8 pJ a bit) and once from the buffer.
    const inputs = productsOf(network("add"), float)
      .filter(({ role, layer }) => role === "error" && layer === "add")
      .map(({ problem }) => problem.dimensions as Readonly<Record<string, number>>)
      .map(({ M = 1, P = 1, Q = 1 }) => M * P * Q);
    // Two blocks halve the image; the layer and the shortcut that do it read the larger one.
    const read = 8 * 256 + 8 * 256 + 2 * 8 * 256 + 16 * 64 + 2 * 16 * 64 + 16 * 16;
    expect(inputs.length).toBe(8);
    const extra = add.error.memoryPj - convolution.error.memoryPj;
    expect(extra).toBeGreaterThan(read * 32 * 8);
    expect(extra).toBeLessThan(read * 32 * 12);
    // Weights of five bits move for less; a second layer moves more.
    expect(of("shift").inference.memoryPj).toBeLessThan(of("convolution").inference.memoryPj);
    expect(of("shiftAdd").inference.memoryPj).toBeGreaterThan(of("convolution").inference.memoryPj);
  });

  it("adds up the parts of training; frozen shifts save their gradients and updates", () => {
    const [learnt, frozen] = [energy("shiftAdd", fixed, "operators45"), energy("fixedShiftAdd", fixed, "operators45")];
    for (const { training, inference } of [learnt, frozen]) {
      const parts = Object.values(training.byPart);
      expect(training.operationsPj).toBeCloseTo(
        parts.reduce((sum, part) => sum + part.operationsPj, 0),
        3,
      );
      expect(training.byPart.forward).toEqual(inference);
    }
    expect(frozen.inference).toEqual(learnt.inference);
    expect(frozen.training.byPart.weightGradient.operationsPj).toBeLessThan(
      learnt.training.byPart.weightGradient.operationsPj,
    );
    expect(frozen.training.byPart.update.memoryPj).toBeLessThan(learnt.training.byPart.update.memoryPj);
  });
});

it("counts what weights take: five bits a shift weight", () => {
  const weights = (variant: Variant, role: string) =>
    network(variant)
      .parameters.filter((parameter) => parameter.role === role)
      .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const plain = weights("convolution", "weight");
  expect(weightBits(network("convolution"), fixed)).toBe(8 * plain);
  expect(weightBits(network("convolution"), float)).toBe(32 * plain);
  expect(weightBits(network("shift"), fixed)).toBe(5 * plain);
  expect(weightBits(network("shiftAdd"), fixed)).toBe(5 * plain + 8 * weights("shiftAdd", "adderWeight"));
  expect(parameterCount(network("shift"))).toBeGreaterThan(plain);
});
