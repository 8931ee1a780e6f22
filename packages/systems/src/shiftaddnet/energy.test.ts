import { countMacs, parameterCount, resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { networkEnergy, weightBits } from "./energy.js";
import { countOperations, shiftAddNetwork, type Variant, variants } from "./networks.js";
import { type Precision, type ProductRole, productsOf } from "./products.js";

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

  it("moves the operands of add layers like those of convolutions", () => {
    const of = (variant: Variant) => energy(variant, float, "operators45");
    expect(of("add").inference.memoryPj).toBe(of("convolution").inference.memoryPj);
    expect(of("add").training.memoryPj).toBe(of("convolution").training.memoryPj);
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
