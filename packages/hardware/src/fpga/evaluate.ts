import type { ChunkDesign } from "./design.js";
import type { FpgaLayer } from "./layer.js";
import type { ChunkFootprint, ChunkModel, FpgaResources, KernelShape } from "./model.js";
import type { Chunk, FpgaTemplate } from "./template.js";

/** One chunk's design and what it costs. */
export interface ChunkResult extends FpgaResources {
  readonly name: string;
  readonly design: ChunkDesign;
  readonly layerIndices: readonly number[];
  /** Cycles of each of its layers, in the order of `layerIndices`. */
  readonly layerCycles: readonly number[];
  /** Cycles between two images: the sum over its layers. */
  readonly cycles: number;
}

/** All chunks at work on different images: the slowest sets the pace. */
export interface PipelineResult extends FpgaResources {
  readonly chunks: readonly ChunkResult[];
  readonly bottleneckCycles: number;
  readonly framesPerSecond: number;
  /** Time of one image through all layers with nothing waiting, seconds. */
  readonly imageLatencySeconds: number;
}

/** Distinct kernels of a chunk's layers. */
export function chunkFootprint(chunk: Pick<Chunk, "kind" | "bitWidth" | "layers">): ChunkFootprint {
  const kernels = new Map<string, KernelShape>();
  for (const { kernelHeight, kernelWidth, stride } of chunk.layers) {
    kernels.set(`${kernelHeight},${kernelWidth},${stride}`, { kernelHeight, kernelWidth, stride });
  }
  return { kind: chunk.kind, bitWidth: chunk.bitWidth, kernels: [...kernels.values()] };
}

/** Cycles and resources of one chunk on one design. */
export function evaluateChunk(model: ChunkModel, chunk: Chunk, design: ChunkDesign): ChunkResult {
  const layerCycles = chunk.layers.map((layer: FpgaLayer) => model.layerCycles(layer, design));
  const cycles = layerCycles.reduce((sum, value) => sum + value, 0);
  const { dsp, bram } = model.resources(chunkFootprint(chunk), design);
  return { name: chunk.name, design, layerIndices: chunk.layerIndices, layerCycles, cycles, dsp, bram };
}

/** The whole pipeline for one design per chunk, in the chunks' order. */
export function evaluatePipeline(
  template: Pick<FpgaTemplate, "model" | "clockHz">,
  chunks: readonly Chunk[],
  designs: readonly ChunkDesign[],
): PipelineResult {
  const results = chunks.map((chunk, index) => evaluateChunk(template.model, chunk, designs[index]!));
  const sum = (value: (result: ChunkResult) => number): number => results.reduce((total, r) => total + value(r), 0);
  const bottleneckCycles = results.reduce((most, result) => Math.max(most, result.cycles), 0);
  return {
    chunks: results,
    bottleneckCycles,
    framesPerSecond: bottleneckCycles === 0 ? Number.POSITIVE_INFINITY : template.clockHz / bottleneckCycles,
    imageLatencySeconds: sum((result) => result.cycles) / template.clockHz,
    dsp: sum((result) => result.dsp),
    bram: sum((result) => result.bram),
  };
}
