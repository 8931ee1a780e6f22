import {
  compatDesign,
  compatModel,
  compatNetworkLayers,
  compatTemplate,
  dealLayers,
  evaluatePipeline,
  type FpgaLayer,
} from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, judge, startComparison } from "./result.js";

// Outputs of the public FPGA predictor of Auto-NBA: single layers on one chunk, and whole networks on several.

/** The same formulas in another order of operations. */
const RELATIVE_TOLERANCE = 1e-12;

const designSchema = z.array(z.int().nonnegative()).length(10);

const layerSchema = z.object({
  depthwise: z.boolean(),
  layer: z.tuple([z.int(), z.int(), z.int(), z.int(), z.int()]),
  params: designSchema,
  latencyCycles: z.number(),
  dsp: z.number(),
  bram: z.number(),
});

const systemSchema = z.object({
  cifar: z.boolean(),
  blocks: z.array(z.string()),
  bits: z.array(z.int().positive()),
  accelerators: z.record(z.string(), designSchema),
  bottleneckCycles: z.number(),
  fpsAt200MHz: z.number(),
  dspBram: z.tuple([z.number(), z.number()]),
  cyclesByAccelerator: z.record(z.string(), z.number()),
  cyclesByLayer: z.array(z.number()),
  allocation: z.record(z.string(), z.string()),
});

const setSchema = z.object({ layers: z.array(layerSchema), systems: z.array(systemSchema) });

/** The set `fpga-chunk-predictor`. */
export function compareFpgaChunks(data: unknown): GoldenCase[] {
  const { layers, systems } = setSchema.parse(data);
  return [
    ...layers.map((entry, index) => judge(`layer:${index}`, () => compareLayer(entry))),
    ...systems.map((entry, index) => judge(`system:${index}`, () => compareSystem(entry))),
  ];
}

function compareLayer({ depthwise, layer, params, latencyCycles, dsp, bram }: z.infer<typeof layerSchema>) {
  const [inputChannels, outputChannels, size, kernel, stride] = layer;
  const kind = depthwise ? "depthwise" : "standard";
  const bitWidth = params[9]!;
  const shape: FpgaLayer = {
    name: "layer",
    kind,
    inputChannels,
    outputChannels,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: kernel,
    kernelWidth: kernel,
    stride,
    bitWidth,
  };
  const design = compatDesign(params, kind);
  const resources = compatModel.resources({ kind, bitWidth, kernels: [shape] }, design);
  const comparison = startComparison();
  comparison.expectRelative("cycles", latencyCycles, compatModel.layerCycles(shape, design), RELATIVE_TOLERANCE);
  comparison.expectRelative("dsp", dsp, resources.dsp, RELATIVE_TOLERANCE);
  comparison.expectRelative("bram", bram, resources.bram, RELATIVE_TOLERANCE);
  return comparison.differences;
}

function compareSystem(system: z.infer<typeof systemSchema>) {
  const dataset = system.cifar ? "cifar" : "imagenet";
  const template = compatTemplate(dataset);
  const layers = compatNetworkLayers({ blocks: system.blocks, bitWidths: system.bits, dataset });
  const chunks = dealLayers(template, layers, template.splitSize as number);
  const designs = chunks.map((chunk) => compatDesign(system.accelerators[chunk.name] ?? [], chunk.kind));
  const result = evaluatePipeline(template, chunks, designs);
  const comparison = startComparison();
  const expectClose = (figure: string, expected: number | undefined, found: number): void => {
    if (expected === undefined) comparison.expect(figure, expected, found);
    else comparison.expectRelative(figure, expected, found, RELATIVE_TOLERANCE);
  };
  expectClose("bottleneck cycles", system.bottleneckCycles, result.bottleneckCycles);
  expectClose("frames per second", system.fpsAt200MHz, result.framesPerSecond);
  expectClose("dsp", system.dspBram[0], result.dsp);
  expectClose("bram", system.dspBram[1], result.bram);
  comparison.expect("layers", Object.keys(system.allocation).length, layers.length);
  for (const chunk of result.chunks) {
    expectClose(`${chunk.name} cycles`, system.cyclesByAccelerator[chunk.name], chunk.cycles);
    chunk.layerIndices.forEach((layer, index) => {
      comparison.expectText(`layer ${layer} goes to`, system.allocation[layer] ?? "nowhere", chunk.name);
      expectClose(`layer ${layer} cycles`, system.cyclesByLayer[layer], chunk.layerCycles[index]!);
    });
  }
  return comparison.differences;
}
