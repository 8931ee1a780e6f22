import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { compatNetworkLayers } from "./compat-network.js";
import { compatTemplate } from "./compat-template.js";
import { type GradientSearchSettings, gradientSearch, publishedGradientSearch } from "./gradient-search.js";
import { dealLayers } from "./template.js";

const golden = JSON.parse(readFileSync(join(import.meta.dirname, "fpga-chunk.golden.json"), "utf8"));
const template = compatTemplate("cifar");
const layers = compatNetworkLayers({
  blocks: golden.network.blocks,
  bitWidths: golden.network.bits,
  dataset: "cifar",
});
const chunks = dealLayers(template, layers, template.splitSize as number);

function search(limits: { dsp: number; bram: number }, seed: number, settings?: Partial<GradientSearchSettings>) {
  return gradientSearch({ template, chunks, limits, random: createRandomStream(seed), settings });
}

function medianFramesPerSecond(limits: { dsp: number; bram: number }, settings?: Partial<GradientSearchSettings>) {
  const speeds = [0, 1, 2, 3, 4].map((seed) => search(limits, seed, settings).best?.framesPerSecond ?? 0);
  return speeds.sort((a, b) => a - b)[2]!;
}

describe("search by gradients on the published predictor, 2,000 evaluations, median of 5 seeds", () => {
  // The exact optima are the solver's (fpga-chunk.golden.test.ts).
  it.each([
    [900, 700, 490968, 0.95],
    [220, 280, 542832, 0.75],
    [100, 280, 750288, 0.75],
    [60, 200, 1165200, 0.75],
  ])("within %d DSP and %d BRAM", (dsp, bram, optimumCycles, share) => {
    const optimum = template.clockHz / optimumCycles;
    const median = medianFramesPerSecond({ dsp, bram });
    expect(median).toBeGreaterThanOrEqual(share * optimum);
    expect(median).toBeLessThanOrEqual(optimum);
  });

  it("as published moves no logit by more than 2.1e-4 and finds what random search finds", () => {
    const limits = { dsp: 900, bram: 700 };
    for (const seed of [0, 1, 2, 3, 4]) {
      const published = search(limits, seed, publishedGradientSearch);
      expect(published.largestLogitChange).toBeLessThan(2.1e-4);
      expect(published.largestLogitChange).toBeGreaterThan(0);
      const random = search(limits, seed, { step: 0 });
      expect(published.best?.framesPerSecond).toBe(random.best?.framesPerSecond);
      expect(random.best!.framesPerSecond).toBeLessThan(100);
    }
  });
});

describe("search by gradients", () => {
  const limits = { dsp: 220, bram: 280 };

  it("gives the same bits for the same seed", () => {
    const [first, second] = [search(limits, 7), search(limits, 7)];
    expect(second.bottleneckByEvaluation).toEqual(first.bottleneckByEvaluation);
    expect(second.best).toEqual(first.best);
  });

  it("returns a pipeline within the limits, or none", () => {
    const found = search(limits, 3, { evaluations: 300 });
    expect(found.best!.dsp).toBeLessThanOrEqual(limits.dsp);
    expect(found.best!.bram).toBeLessThanOrEqual(limits.bram);
    expect(found.bottleneckByEvaluation.at(-1)).toBe(found.best!.bottleneckCycles);
    const none = search({ dsp: 1, bram: 1 }, 3, { evaluations: 50 });
    expect(none).toMatchObject({ best: undefined, feasibleDraws: 0 });
  });
});
