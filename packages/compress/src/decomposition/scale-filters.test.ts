import { createRandomStream } from "@dovetail/core";
import { expect, it } from "vitest";
import { decomposeLayer } from "./decompose-layer.js";
import { scaleFilters } from "./scale-filters.js";
import { rebuildWeights } from "./structured-layer.js";

const shape = { outputChannels: 4, inputChannels: 6, kernelHeight: 3, kernelWidth: 3 };
const random = createRandomStream(5);
const filters = Float32Array.from({ length: 4 * 54 }, () => random.normal());
const { layer } = decomposeLayer(filters, shape);

it("scales filters and keeps their coefficients; powers of two cost nothing", () => {
  const before = rebuildWeights(layer);
  const scaled = scaleFilters(layer, [2, -0.25, 0, 1]);
  expect(scaled.codes).toEqual(layer.codes);
  const expected = before.map((value, index) => value * [2, -0.25, 0, 1][Math.floor(index / 54)]!);
  expect([...rebuildWeights(scaled)].map((value) => value + 0)).toEqual([...expected].map((value) => value + 0));
});

it("rounds bases by half a step of their largest element at most", () => {
  const factors = [0.3, 1.7, -5, 0.011];
  const after = rebuildWeights(scaleFilters(layer, factors));
  rebuildWeights(layer).forEach((value, index) => {
    const factor = factors[Math.floor(index / 54)]!;
    // Three terms of at most 1 each, of bases up to 127 steps wide.
    const filter = filters.subarray(54 * Math.floor(index / 54), 54 * (Math.floor(index / 54) + 1));
    const widest = Math.max(...filter.map(Math.abs));
    expect(Math.abs(after[index]! - value * factor)).toBeLessThan((6 * Math.abs(factor) * widest) / 127);
  });
});
