import { type ChunkDesign, type ChunkSpace, enumerateDesigns, type UnrollRule } from "./design.js";
import { type FpgaLayer, layerBitWidth } from "./layer.js";
import type { ChunkFootprint, ChunkModel, FpgaResources, KernelShape } from "./model.js";

/**
 * The chunk predictor of Auto-NBA (GATECH-EIC/Auto-NBA, commit 8ddaf3e6), formula by formula as in seeds-hardware.md
 * section 2.4, its faults included: loop counts are divided without rounding, strides and the halo of the tile are
 * ignored, weights take no memory unless rows are unrolled. See docs/models/fpga-chunk.md for what is wrong with it and
 * `correctedModel` for the model to design with.
 */
export const compatModel: ChunkModel = {
  name: "auto-nba-compat",
  layerCycles: (layer, design) =>
    layer.kind === "depthwise" ? depthwiseCycles(layer, design) : standardCycles(layer, design),
  resources(footprint, design) {
    const dsp = (multipliers(design) * footprint.bitWidth) / 16;
    let bram = 0;
    for (const kernel of footprint.kernels) bram = Math.max(bram, blocks(footprint, kernel, design));
    return { dsp, bram };
  },
  candidates: (space) => enumerateDesigns(space, usefulUnrolls(space)),
};

/** Limits and clock of the published accelerator search. */
export const compatBoard: FpgaResources & { readonly clockHz: number } = { dsp: 900, bram: 700, clockHz: 200e6 };

function standardCycles(layer: FpgaLayer, design: ChunkDesign): number {
  const { tileRows: R, tileColumns: C, tileOutputChannels: M, tileInputChannels: N } = design;
  const { unrollRows: r, unrollOutputChannels: m } = design;
  const taps = layer.kernelHeight * layer.kernelWidth;
  const width = layerBitWidth(layer) / 16;
  const rows = design.parallelism === "rows";
  const inputRows = tileExtent(design.unrollRows, layer.kernelHeight, R);
  const inputColumns = tileExtent(design.unrollColumns, layer.kernelWidth, C);
  const compute = (M * N * R * C * taps) / multipliers(design);
  const inputPorts = ports(rows ? inputRows : design.unrollInputChannels);
  const input = Math.ceil((N * inputRows * inputColumns) / inputPorts) * width;
  const weights = rows ? M * N * layer.kernelHeight * width : Math.ceil((M * N * taps) / ports(m)) * width;
  const output = outputCycles(M * R * C, rows ? r : m) * width;
  const groups = layer.groups ?? 1;
  const passes = outputPasses(layer, design) / groups;
  return groups * (output + (Math.max(compute, input) + weights) * (layer.inputChannels / groups / N)) * passes;
}

function depthwiseCycles(layer: FpgaLayer, design: ChunkDesign): number {
  const { tileRows: R, tileColumns: C, tileOutputChannels: M, unrollRows: r, unrollOutputChannels: m } = design;
  const taps = layer.kernelHeight * layer.kernelWidth;
  const width = layerBitWidth(layer) / 16;
  const rows = design.parallelism === "rows";
  const inputRows = tileExtent(r, layer.kernelHeight, R);
  const inputColumns = tileExtent(design.unrollColumns, layer.kernelWidth, C);
  const compute = (M * R * C * taps) / multipliers(design);
  const input = Math.ceil((M * inputRows * inputColumns) / ports(m)) * width;
  const weights = rows ? M * layer.kernelHeight * width : Math.ceil((M * taps) / ports(m)) * width;
  const output = outputCycles(M * R * C, rows ? r : m) * width;
  return (Math.max(compute, input) + weights + output) * outputPasses(layer, design);
}

function outputCycles(words: number, unroll: number): number {
  return Math.ceil(words / ports(unroll)) + words / unroll;
}

function outputPasses(layer: FpgaLayer, design: ChunkDesign): number {
  const columns = layer.outputWidth / design.tileColumns;
  const rows = layer.outputHeight / design.tileRows;
  return columns * rows * (layer.outputChannels / design.tileOutputChannels);
}

function blocks(footprint: ChunkFootprint, kernel: KernelShape, design: ChunkDesign): number {
  const { tileRows: R, tileColumns: C, tileOutputChannels: M, tileInputChannels: N } = design;
  const { unrollRows: r, unrollOutputChannels: m, unrollInputChannels: n } = design;
  const bank = (words: number): number => Math.ceil((words * footprint.bitWidth) / 18000);
  const inputRows = tileExtent(r, kernel.kernelHeight, R);
  const inputColumns = tileExtent(design.unrollColumns, kernel.kernelWidth, C);
  const depthwise = footprint.kind === "depthwise";
  if (design.parallelism === "rows") {
    const input = 2 * inputRows * bank(depthwise ? inputColumns : inputColumns * N);
    const weights = kernel.kernelWidth * bank(kernel.kernelHeight * M * (depthwise ? 1 : N));
    return input + r * bank(C * M) + weights;
  }
  const inputBanks = depthwise ? m : n;
  const inputWords = (inputRows * inputColumns * (depthwise ? M : N)) / inputBanks;
  return 2 * inputBanks * bank(inputWords) + m * bank((R * C * M) / m);
}

function multipliers(design: ChunkDesign): number {
  if (design.parallelism === "rows") return design.unrollRows;
  if (design.parallelism === "outputChannels") return design.unrollOutputChannels;
  return design.unrollOutputChannels * design.unrollInputChannels;
}

function tileExtent(unroll: number, kernel: number, tile: number): number {
  return Math.max(unroll + kernel - 1, tile);
}

function ports(unroll: number): number {
  return Math.max(Math.min(4, unroll), 2);
}

/**
 * Unrolls that can matter. Row and column unrolls only enlarge the input tile (but for rows, where rows are unrolled);
 * with unrolled rows, channel unrolls change nothing, save that the input ports of a depth-wise chunk follow its
 * output-channel unroll at no cost.
 */
function usefulUnrolls(space: ChunkSpace): UnrollRule {
  return (parallelism, loop, tile, choices) => {
    const allowed = choices.filter((choice) => choice <= tile);
    const least = [Math.min(...allowed)];
    if (loop === "columns") return least;
    if (parallelism === "rows") {
      if (loop === "rows") return allowed;
      return loop === "outputChannels" && space.kind === "depthwise" ? [Math.max(...allowed)] : least;
    }
    if (loop === "rows") return least;
    return allowed;
  };
}
