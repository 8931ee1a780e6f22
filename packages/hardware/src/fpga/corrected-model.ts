import { type DspSlice, memoryBlocks, productsPerSlice } from "./board.js";
import { type ChunkDesign, type ChunkSpace, enumerateDesigns, type UnrollRule } from "./design.js";
import type { PipelineResult } from "./evaluate.js";
import { type FpgaLayer, layerBitWidth } from "./layer.js";
import type { ChunkFootprint, ChunkModel, FpgaResources, KernelShape } from "./model.js";

/**
 * The same template as `compatModel` with its faults repaired, formula by formula in docs/models/fpga-chunk.md: whole
 * passes, input tiles with stride and halo, memory for weights in every mode and for partial sums at full width, whole
 * multiplier slices packed as the vendor shows. What stays ignored: contention for off-chip memory (see
 * `pipelineOffChipBytes`), pipeline fill of a pass, logic outside slices and memory blocks.
 */
export function correctedModel(options: { readonly dspSlice: DspSlice }): ChunkModel {
  return {
    name: `corrected-${options.dspSlice}`,
    layerCycles(layer, design) {
      const pass = passOf(layer, design);
      const step = Math.max(pass.computeCycles, pass.inputCycles) + pass.weightCycles;
      return pass.outputTiles * (pass.outputCycles + pass.inputTiles * step);
    },
    resources: (footprint, design) => chunkResources(footprint, design, options.dspSlice),
    candidates: (space) => enumerateDesigns(space, usefulUnrolls),
  };
}

/**
 * Bytes that one image moves between the chunks and off-chip memory. Times `framesPerSecond` it is the bandwidth that
 * the pipeline asks of the board; the model itself gives every chunk its ports' full rate.
 */
export function pipelineOffChipBytes(layers: readonly FpgaLayer[], result: PipelineResult): number {
  let bits = 0;
  for (const chunk of result.chunks) {
    for (const index of chunk.layerIndices) {
      const layer = layers[index]!;
      const pass = passOf(layer, chunk.design);
      const words = pass.outputWords + pass.inputTiles * (pass.inputWords + pass.weightWords);
      bits += pass.outputTiles * words * layerBitWidth(layer);
    }
  }
  return bits / 8;
}

/** One layer on one design: how many tiles, and what each moves and takes. */
interface Pass {
  /** Output tiles of all groups. */
  readonly outputTiles: number;
  /** Input tiles that add up to one output tile. */
  readonly inputTiles: number;
  readonly computeCycles: number;
  readonly inputWords: number;
  readonly inputCycles: number;
  readonly weightWords: number;
  readonly weightCycles: number;
  readonly outputWords: number;
  /** Setting the partial sums of a tile and sending the finished tile out. */
  readonly outputCycles: number;
}

function passOf(layer: FpgaLayer, design: ChunkDesign): Pass {
  const { kernelHeight, kernelWidth, stride, kind } = layer;
  const { unrollRows: r, unrollOutputChannels: m, unrollInputChannels: n } = design;
  const groups = layer.groups ?? 1;
  const depthwise = kind === "depthwise";
  const outputChannels = layer.outputChannels / groups;
  const rowTiles = Math.ceil(layer.outputHeight / design.tileRows);
  const columnTiles = Math.ceil(layer.outputWidth / design.tileColumns);
  const outputChannelTiles = Math.ceil(outputChannels / design.tileOutputChannels);
  const inputTiles = depthwise ? 1 : Math.ceil(layer.inputChannels / groups / design.tileInputChannels);
  // The host sets each layer's tile to the least extent that needs no more passes; every pass runs in full.
  const R = Math.ceil(layer.outputHeight / rowTiles);
  const C = Math.ceil(layer.outputWidth / columnTiles);
  const M = Math.ceil(outputChannels / outputChannelTiles);
  const N = depthwise ? 1 : Math.ceil(layer.inputChannels / groups / inputTiles);
  const taps = kernelHeight * kernelWidth;
  const rows = design.parallelism === "rows";
  const inputWords = (depthwise ? M : N) * windowExtent(R, kernelHeight, stride) * windowExtent(C, kernelWidth, stride);
  const weightWords = M * N * taps;
  const outputWords = M * R * C;
  const inputBanks = rows ? windowExtent(design.tileRows, kernelHeight, stride) : depthwise ? m : n;
  const bits = layerBitWidth(layer);
  const sweeps = rows ? M * C * Math.ceil(R / r) : R * C * Math.ceil(M / m);
  const reductions = design.parallelism === "channels" ? Math.ceil(N / n) : N;
  return {
    outputTiles: groups * rowTiles * columnTiles * outputChannelTiles,
    inputTiles,
    computeCycles: sweeps * reductions * taps,
    inputWords,
    inputCycles: transferCycles(inputWords, bits, inputBanks),
    weightWords,
    weightCycles: transferCycles(weightWords, bits, rows ? kernelWidth : m),
    outputWords,
    outputCycles: transferCycles(outputWords, bits, rows ? r : m) + sweeps,
  };
}

/** Rows (or columns) of input that `outputs` rows of output need. */
function windowExtent(outputs: number, kernel: number, stride: number): number {
  return (outputs - 1) * stride + kernel;
}

/** Two to four words of 16 bit a cycle: a memory has two ports, the bus 64 bit. Narrower words share them. */
function transferCycles(words: number, bitWidth: number, banks: number): number {
  return Math.ceil((words * bitWidth) / (16 * ports(banks)));
}

function ports(banks: number): number {
  return Math.max(2, Math.min(4, banks));
}

function chunkResources(footprint: ChunkFootprint, design: ChunkDesign, slice: DspSlice): FpgaResources {
  let input = 0;
  let weights = 0;
  for (const kernel of footprint.kernels) {
    input = Math.max(input, inputBlocks(footprint, kernel, design));
    weights = Math.max(weights, weightBlocks(footprint, kernel, design));
  }
  return { dsp: slices(footprint, design, slice), bram: 2 * input + weights + outputBlocks(footprint, design) };
}

/** Products share an operand across output channels (the pixel) and across rows (the weight), but not per channel. */
function slices(footprint: ChunkFootprint, design: ChunkDesign, slice: DspSlice): number {
  const { parallelism, unrollRows, unrollOutputChannels, unrollInputChannels } = design;
  const packed = productsPerSlice(slice, footprint.bitWidth);
  if (parallelism === "rows") return Math.ceil(unrollRows / packed);
  if (footprint.kind === "depthwise") return unrollOutputChannels;
  const perInput = Math.ceil(unrollOutputChannels / packed);
  return parallelism === "channels" ? perInput * unrollInputChannels : perInput;
}

// Banks that are read at one address in one cycle are one wide memory.

function inputBlocks(footprint: ChunkFootprint, kernel: KernelShape, design: ChunkDesign): number {
  const height = windowExtent(design.tileRows, kernel.kernelHeight, kernel.stride);
  const width = windowExtent(design.tileColumns, kernel.kernelWidth, kernel.stride);
  const depthwise = footprint.kind === "depthwise";
  const channels = depthwise ? design.tileOutputChannels : design.tileInputChannels;
  if (design.parallelism === "rows") return memoryBlocks(width * channels, height * footprint.bitWidth);
  const banks = depthwise ? design.unrollOutputChannels : design.unrollInputChannels;
  return memoryBlocks(height * width * Math.ceil(channels / banks), banks * footprint.bitWidth);
}

function weightBlocks(footprint: ChunkFootprint, kernel: KernelShape, design: ChunkDesign): number {
  const { tileOutputChannels: M, unrollOutputChannels: m, unrollInputChannels: n } = design;
  const N = footprint.kind === "depthwise" ? 1 : design.tileInputChannels;
  const taps = kernel.kernelHeight * kernel.kernelWidth;
  if (design.parallelism === "rows") {
    return memoryBlocks(kernel.kernelHeight * M * N, kernel.kernelWidth * footprint.bitWidth);
  }
  if (design.parallelism === "channels") {
    return memoryBlocks(Math.ceil(M / m) * Math.ceil(N / n) * taps, m * n * footprint.bitWidth);
  }
  return memoryBlocks(Math.ceil(M / m) * N * taps, m * footprint.bitWidth);
}

/** Partial sums wait in 32 bit for operands of at most 8 bit, else in the slice's 48. */
function outputBlocks(footprint: ChunkFootprint, design: ChunkDesign): number {
  const { tileRows: R, tileColumns: C, tileOutputChannels: M, unrollRows: r, unrollOutputChannels: m } = design;
  const sumBits = footprint.bitWidth <= 8 ? 32 : 48;
  return design.parallelism === "rows"
    ? memoryBlocks(Math.ceil(R / r) * C * M, r * sumBits)
    : memoryBlocks(R * C * Math.ceil(M / m), m * sumBits);
}

/**
 * Columns are never unrolled, rows only where they are the parallel loop, channels only where they are. Where input
 * channels are not parallel, their unroll only sets the number of input ports: the least for each number is enough (with
 * powers of two more banks never take fewer blocks). Parallel input channels start at two: one is the other mode.
 */
const usefulUnrolls: UnrollRule = (parallelism, loop, tile, choices) => {
  const allowed = choices.filter((choice) => choice <= tile).sort((a, b) => a - b);
  if (loop === "columns" || (loop === "rows") !== (parallelism === "rows")) return allowed.slice(0, 1);
  if (loop !== "inputChannels") return allowed;
  if (parallelism === "channels") return allowed.filter((unroll) => unroll > 1);
  return allowed.filter((unroll, index) => index === 0 || ports(unroll) > ports(allowed[index - 1]!));
};

/** Choices for a chunk of the corrected model: powers of two; large and small outputs choose from the same lists. */
export function correctedSpace(kind: ChunkSpace["kind"]): ChunkSpace {
  const depthwise = kind === "depthwise";
  return {
    kind,
    parallelisms: depthwise ? ["outputChannels", "rows"] : ["outputChannels", "channels", "rows"],
    rows: [16, 8, 4, 2, 1],
    columns: [16, 8, 4, 2, 1],
    outputChannels: [64, 32, 16, 8, 4, 2, 1],
    inputChannels: depthwise ? [1] : [64, 32, 16, 8, 4, 2, 1],
  };
}
