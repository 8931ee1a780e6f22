import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compatModel } from "./compat-model.js";
import { compatNetworkLayers } from "./compat-network.js";
import { compatDesign, compatTemplate } from "./compat-template.js";
import { evaluatePipeline } from "./evaluate.js";
import { createFpgaSolver } from "./solve.js";
import { dealLayers } from "./template.js";

const golden = JSON.parse(readFileSync(join(import.meta.dirname, "fpga-chunk.golden.json"), "utf8"));

function networkLayers(dataset: "cifar" | "imagenet") {
  return compatNetworkLayers({ blocks: golden.network.blocks, bitWidths: golden.network.bits, dataset });
}

describe("the published chunk predictor", () => {
  it("costs single layers as published", () => {
    for (const { depthwise, layer, params, latencyCycles, dsp, bram } of golden.layers) {
      const kind = depthwise ? "depthwise" : "standard";
      const [inputChannels, outputChannels, size, kernel, stride] = layer;
      const extents = { outputHeight: size, outputWidth: size, kernelHeight: kernel, kernelWidth: kernel, stride };
      const shape = { name: "layer", kind, inputChannels, outputChannels, ...extents, bitWidth: params[9] } as const;
      const design = compatDesign(params, kind);
      expect(Math.abs(compatModel.layerCycles(shape, design) / latencyCycles - 1)).toBeLessThan(1e-12);
      const footprint = { kind, bitWidth: params[9], kernels: [shape] } as const;
      expect(compatModel.resources(footprint, design)).toEqual({ dsp, bram });
    }
  });

  it("costs whole systems as published", () => {
    for (const system of golden.systems) {
      const dataset = system.cifar ? "cifar" : "imagenet";
      const template = compatTemplate(dataset);
      const chunks = dealLayers(template, networkLayers(dataset), template.splitSize as number);
      const designs = chunks.map((chunk) => compatDesign(system.accelerators[chunk.name], chunk.kind));
      const result = evaluatePipeline(template, chunks, designs);
      expect(result.bottleneckCycles).toBe(system.bottleneckCycles);
      expect(result.framesPerSecond).toBeCloseTo(system.fpsAt200MHz, 10);
      expect([result.dsp, result.bram]).toEqual(system.dspBram);
      for (const chunk of result.chunks) expect(chunk.cycles).toBe(system.cyclesByAccelerator[chunk.name]);
    }
  });
});

describe("the exact solver", () => {
  it.each(golden.optima as ["cifar" | "imagenet", number, number, number][])(
    "finds the optimum of the %s network within %d DSP and %d BRAM: %d cycles",
    (dataset, dsp, bram, cycles) => {
      const solution = createFpgaSolver(compatTemplate(dataset)).solve(networkLayers(dataset), { dsp, bram });
      expect(solution.feasible && solution.bottleneckCycles).toBe(cycles);
      expect(solution.feasible && solution.dsp <= dsp && solution.bram <= bram).toBe(true);
    },
  );
});
