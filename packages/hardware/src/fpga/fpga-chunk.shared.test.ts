import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compatModel } from "./compat-model.js";
import { compatNetworkLayers } from "./compat-network.js";
import { compatDesign, compatTemplate } from "./compat-template.js";
import { evaluatePipeline } from "./evaluate.js";
import { dealLayers } from "./template.js";

const shared = process.env.DOVETAIL_SHARED ?? join(import.meta.dirname, "../../../../../shared");
const file = join(shared, "data/golden-lab-predictors/fpga-chunk-predictor.json.gz");
const golden = JSON.parse(gunzipSync(readFileSync(file)).toString());

const relativeError = (ours: number, theirs: number): number => Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs));

describe("all golden results of the published chunk predictor", () => {
  it("176 layers", () => {
    expect(golden.layers).toHaveLength(176);
    for (const { depthwise, layer, params, latencyCycles, dsp, bram } of golden.layers) {
      const kind = depthwise ? "depthwise" : "standard";
      const [inputChannels, outputChannels, size, kernel, stride] = layer;
      const extents = { outputHeight: size, outputWidth: size, kernelHeight: kernel, kernelWidth: kernel, stride };
      const shape = { name: "layer", kind, inputChannels, outputChannels, ...extents, bitWidth: params[9] } as const;
      const design = compatDesign(params, kind);
      const ours = compatModel.resources({ kind, bitWidth: params[9], kernels: [shape] }, design);
      expect(relativeError(compatModel.layerCycles(shape, design), latencyCycles)).toBeLessThan(1e-12);
      expect(relativeError(ours.dsp, dsp)).toBeLessThan(1e-12);
      expect(relativeError(ours.bram, bram)).toBeLessThan(1e-12);
    }
  });

  it("8 systems, layer by layer, with the dealing", () => {
    expect(golden.systems).toHaveLength(8);
    for (const system of golden.systems) {
      const dataset = system.cifar ? "cifar" : "imagenet";
      const template = compatTemplate(dataset);
      const layers = compatNetworkLayers({ blocks: system.blocks, bitWidths: system.bits, dataset });
      const chunks = dealLayers(template, layers, template.splitSize as number);
      const designs = chunks.map((chunk) => compatDesign(system.accelerators[chunk.name], chunk.kind));
      const result = evaluatePipeline(template, chunks, designs);
      expect(relativeError(result.bottleneckCycles, system.bottleneckCycles)).toBeLessThan(1e-12);
      expect(relativeError(result.framesPerSecond, system.fpsAt200MHz)).toBeLessThan(1e-12);
      expect([result.dsp, result.bram]).toEqual(system.dspBram);
      for (const chunk of result.chunks) {
        expect(relativeError(chunk.cycles, system.cyclesByAccelerator[chunk.name])).toBeLessThan(1e-12);
        chunk.layerIndices.forEach((layer, index) => {
          expect(system.allocation[layer]).toBe(chunk.name);
          expect(relativeError(chunk.layerCycles[index]!, system.cyclesByLayer[layer])).toBeLessThan(1e-12);
        });
      }
      expect(layers).toHaveLength(Object.keys(system.allocation).length);
    }
  });
});
