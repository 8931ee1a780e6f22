import { structuredFormOf } from "@dovetail/graph";
import fc from "fast-check";
import { expect, it } from "vitest";
import { keptRowsOf } from "./prune-rows.js";

const layers = fc.record({
  outputChannels: fc.integer({ min: 1, max: 70 }),
  inputChannels: fc.integer({ min: 1, max: 12 }),
  kernel: fc.constantFrom(1, 3),
  keptShare: fc.double({ min: 0.1, max: 1, noNaN: true }),
  seed: fc.integer({ min: 1, max: 1000 }),
});

it("a group of filters shares its rows, as many as asked for, and gives up the smallest", () => {
  fc.assert(
    fc.property(layers, ({ outputChannels, inputChannels, kernel, keptShare, seed }) => {
      const shape = { outputChannels, inputChannels, kernelHeight: kernel, kernelWidth: kernel };
      const form = structuredFormOf(shape);
      const { columns, filterWeights, rowsPerFilter } = form;
      const weights = Float32Array.from({ length: outputChannels * filterWeights }, (_, i) => Math.sin(seed * (i + 1)));
      const share = 1 - Math.round(keptShare * rowsPerFilter) / rowsPerFilter;
      const kept = keptRowsOf(weights, shape, { by: "share", share }, kernel === 1);
      const together = kernel === 1 ? 10 : 32;
      for (let first = 0; first < outputChannels; first += together) {
        const filters = Array.from({ length: Math.min(together, outputChannels - first) }, (_, i) => first + i);
        const patterns = filters.map((f) => kept.slice(f * rowsPerFilter, (f + 1) * rowsPerFilter).join(""));
        expect(new Set(patterns).size).toBe(1);
        const pattern = [...patterns[0]!].map(Number);
        expect(pattern.filter(Boolean).length).toBe(Math.round(keptShare * rowsPerFilter));
        const sums = pattern.map((_, row) => {
          const places = Array.from({ length: columns }, (_unused, c) => row * columns + c).filter(
            (p) => p < filterWeights,
          );
          return filters.reduce(
            (sum, f) => sum + places.reduce((part, p) => part + Math.abs(weights[f * filterWeights + p]!), 0),
            0,
          );
        });
        const least = Math.min(...sums.filter((_, row) => pattern[row]));
        const most = Math.max(0, ...sums.filter((_, row) => !pattern[row]));
        if (pattern.some(Boolean)) expect(most).toBeLessThanOrEqual(least + 1e-9);
      }
    }),
    { numRuns: 60 },
  );
});
