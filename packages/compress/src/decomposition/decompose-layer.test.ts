import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { decomposeLayer } from "./decompose-layer.js";
import { coefficientBitWidthOf, rebuildWeights, structuredAnnotation } from "./structured-layer.js";

const shape = { outputChannels: 8, inputChannels: 16, kernelHeight: 3, kernelWidth: 3 };
const random = createRandomStream(5);
const weights = Float32Array.from({ length: 8 * 144 }, () => 0.1 * random.normal());
const keptRows = (threshold: number, zeroesRows?: boolean): number =>
  structuredAnnotation(decomposeLayer(weights, shape, { threshold, zeroesRows }).layer).keptRows;

describe("decomposition of a layer", () => {
  it("finds weights that have the form already", () => {
    const { layer } = decomposeLayer(weights, shape);
    const structured = rebuildWeights(layer);
    expect(decomposeLayer(structured, shape, { iterations: 200 }).relativeSquaredError).toBeLessThan(0.01);
    // With the form before as a candidate it stays the same, bit for bit.
    const again = decomposeLayer(structured, shape, { previous: layer });
    expect(again.relativeSquaredError).toBe(0);
    expect(rebuildWeights(again.layer)).toEqual(structured);
    const powers = Float32Array.from(structured, (_, index) =>
      index % 5 === 0 ? 0 : (-1) ** index * 2 ** -(index % 7),
    );
    expect(decomposeLayer(powers, shape).relativeSquaredError).toBe(0);
  });

  it("loses some 3 % of the energy of normal weights in 4-bit coefficients, less than rounding the weights themselves", () => {
    const rounded = decomposeLayer(weights, shape, { iterations: 0 }).relativeSquaredError;
    const fitted = decomposeLayer(weights, shape).relativeSquaredError;
    expect(fitted).toBeLessThan(0.9 * rounded);
    expect(fitted).toBeLessThan(0.035);
  });

  it("zeroes rows below five thresholds, or single coefficients alone", () => {
    expect(keptRows(0)).toBe(8 * 48);
    expect(keptRows(0.03)).toBeLessThan(8 * 48);
    expect(keptRows(0.06)).toBeLessThan(keptRows(0.03));
    expect(keptRows(0.03, false)).toBeGreaterThan(keptRows(0.03));
  });

  it("starts again with a lower threshold when a column vanishes", () => {
    // Nothing is as large as the threshold: all columns vanish until it has been halved often enough.
    const { relativeSquaredError } = decomposeLayer(weights, shape, { threshold: 1.5, iterations: 32 });
    expect(relativeSquaredError).toBeLessThan(0.9);
  });

  it("of zeros is zeros, and a piece with a column of zeros keeps it", () => {
    const zeros = decomposeLayer(new Float32Array(weights.length), shape);
    expect(zeros.relativeSquaredError).toBe(0);
    expect(rebuildWeights(zeros.layer).every((weight) => weight === 0)).toBe(true);
    const middle = weights.map((weight, index) => (index % 3 === 1 ? weight : 0));
    const found = decomposeLayer(middle, shape);
    expect(found.relativeSquaredError).toBeLessThan(0.03);
    expect(rebuildWeights(found.layer).every((weight, index) => index % 3 === 1 || weight === 0)).toBe(true);
  });

  it("counts the bits of a coefficient", () => {
    expect([1, 2, 3, 4, 7].map(coefficientBitWidthOf)).toEqual([2, 3, 3, 4, 4]);
  });

  it("refuses what it cannot decompose", () => {
    expect(() => decomposeLayer(weights, shape, { exponents: 8 })).toThrow("exponents: cannot decompose a layer");
    expect(() => decomposeLayer(weights, shape, { threshold: Number.NaN })).toThrow("threshold");
    expect(() => decomposeLayer(weights.subarray(1), shape)).toThrow("expected 1152 values, received 1151");
    const broken = weights.slice();
    broken[7] = Number.NaN;
    expect(() => decomposeLayer(broken, shape)).toThrow("expected numbers below 2^100, received NaN");
  });
});
