import {
  type FusionArray,
  type FusionLayer,
  type FusionTile,
  fusedProductsPerCycle,
  fusionTileCycles,
} from "./array.js";

/** Loops over tiles, by what they cut. */
export const fusionLoops = ["batch", "outputColumns", "outputRows", "inputChannels", "outputChannels"] as const;
export type FusionLoop = (typeof fusionLoops)[number];

/** Bits read from and written to each buffer and the off-chip memory. */
export interface FusionBits {
  readonly weightReads: number;
  readonly weightWrites: number;
  readonly inputReads: number;
  readonly inputWrites: number;
  readonly outputReads: number;
  readonly outputWrites: number;
  readonly offChipReads: number;
  readonly offChipWrites: number;
}

export interface FusionTraffic {
  readonly computeCycles: number;
  /** Cycles that the array waits for the off-chip memory, filling and draining included. */
  readonly waitCycles: number;
  readonly latencyCycles: number;
  readonly bits: FusionBits;
}

export const partialSumBits = 32;

type Buffer = "weights" | "inputs" | "outputs";
const buffers: readonly Buffer[] = ["weights", "inputs", "outputs"];

/** Which tensors a loop over tiles addresses. */
const addressed: Readonly<Record<FusionLoop, readonly Buffer[]>> = {
  batch: ["inputs", "outputs"],
  outputColumns: ["inputs", "outputs"],
  outputRows: ["inputs", "outputs"],
  inputChannels: ["weights", "inputs"],
  outputChannels: ["weights", "outputs"],
};

/** A tile of a layer on an array, with all that does not depend on the order of the loops. */
export interface PreparedTile {
  readonly tiles: Readonly<Record<FusionLoop, number>>;
  readonly computeCycles: number;
  readonly tileBits: Readonly<Record<Buffer, number>>;
  readonly capacities: Readonly<Record<Buffer, number>>;
  /** Buffer reads and writes of the innermost loops, over all tiles. */
  readonly inner: Pick<FusionBits, "weightReads" | "inputReads" | "outputReads" | "outputWrites">;
}

/** A tile that fits half of every buffer (the other half is being filled), or undefined. */
export function prepareTile(layer: FusionLayer, array: FusionArray, tile: FusionTile): PreparedTile | undefined {
  const { kernelSize, stride, activationBits, weightBits, outputSize } = layer;
  const perCycle = array.rows * fusedProductsPerCycle(array, activationBits, weightBits);
  const kernel = kernelSize ** 2;
  const pixels = tile.outputSize ** 2;
  const span = kernelSize + (tile.outputSize - 1) * stride;
  const inputs = layer.unrollsKernel ? pixels * kernel : span ** 2;
  const tileBits = {
    weights: roundUp(kernel * tile.inputChannels, perCycle) * tile.outputChannels * weightBits,
    inputs: inputs * tile.inputChannels * tile.batch * activationBits,
    outputs: pixels * roundUp(tile.outputChannels, array.columns) * tile.batch * partialSumBits,
  };
  const capacities = {
    weights: array.weightBufferBits / 2,
    inputs: array.inputBufferBits / 2,
    outputs: array.outputBufferBits / 2,
  };
  if (buffers.some((buffer) => tileBits[buffer] > capacities[buffer])) return undefined;
  const along = Math.ceil(outputSize / tile.outputSize);
  const tiles = {
    batch: Math.ceil(layer.batch / tile.batch),
    outputColumns: along,
    outputRows: along,
    inputChannels: Math.ceil(layer.inputChannels / tile.inputChannels),
    outputChannels: Math.ceil(layer.outputChannels / tile.outputChannels),
  };
  const count = fusionLoops.reduce((product, loop) => product * tiles[loop], 1);
  return {
    tiles,
    computeCycles: count * fusionTileCycles(layer, array, tile),
    tileBits,
    capacities,
    inner: innerBits(layer, array, tile, count),
  };
}

/** The innermost loops keep inputs, sums or weights in place, whichever moves the fewest bits. */
function innerBits(layer: FusionLayer, array: FusionArray, tile: FusionTile, count: number): PreparedTile["inner"] {
  const { activationBits, weightBits, kernelSize } = layer;
  const kernel = kernelSize ** 2;
  const perCycle = array.rows * fusedProductsPerCycle(array, activationBits, weightBits);
  const outputs = tile.outputChannels;
  const inner = kernel * tile.inputChannels;
  const pixels = tile.batch * tile.outputSize ** 2;
  const paddedOutputs = roundUp(outputs, array.columns);
  const paddedInner = layer.unrollsKernel ? roundUp(inner, perCycle) : kernel * roundUp(tile.inputChannels, perCycle);
  const bits = {
    inputs: paddedInner * pixels * (activationBits + paddedOutputs * (weightBits + partialSumBits)),
    outputs: paddedOutputs * pixels * (partialSumBits + paddedInner * (activationBits + weightBits)),
    weights: paddedInner * paddedOutputs * (weightBits + pixels * (activationBits + partialSumBits)),
  };
  const least = Math.min(bits.inputs, bits.outputs, bits.weights);
  const products = count * inner * pixels * outputs;
  if (bits.inputs === least) {
    const sums = products * partialSumBits;
    const inputReads = count * inner * pixels * activationBits;
    return { inputReads, weightReads: products * weightBits, outputReads: sums, outputWrites: sums };
  }
  if (bits.outputs === least) {
    const sums = count * outputs * pixels * partialSumBits;
    return {
      inputReads: products * activationBits,
      weightReads: products * weightBits,
      outputReads: sums,
      outputWrites: sums,
    };
  }
  const sums = products * partialSumBits;
  const weightReads = count * inner * outputs * weightBits;
  return { inputReads: products * activationBits, weightReads, outputReads: sums, outputWrites: sums };
}

/**
 * Traffic of a tile under an order of the loops over tiles, outermost first. From the innermost loop outwards a buffer
 * holds what all steps so far need, as long as that fits; from the loop on where it does not, each step brings it anew.
 */
export function tileTraffic(prepared: PreparedTile, array: FusionArray, order: readonly FusionLoop[]): FusionTraffic {
  const moved = { ...prepared.tileBits };
  const held = { ...prepared.tileBits };
  const fits = { weights: true, inputs: true, outputs: true };
  for (let index = order.length - 1; index >= 0; index--) {
    const loop = order[index]!;
    const count = prepared.tiles[loop];
    for (const buffer of buffers) {
      if (!fits[buffer]) {
        moved[buffer] *= count;
      } else if (addressed[loop].includes(buffer)) {
        moved[buffer] *= count;
        fits[buffer] = moved[buffer] <= prepared.capacities[buffer];
        if (fits[buffer]) held[buffer] = moved[buffer];
      }
    }
  }
  const first = held.weights + held.inputs + held.outputs;
  const offChipReads = moved.weights + moved.inputs + moved.outputs;
  const offChipWrites = moved.outputs;
  const cyclesFor = (bits: number): number => Math.ceil(bits / array.offChipBitsPerCycle);
  // The first tile is waited for, the last result is waited for; what is between overlaps with computing.
  const between = cyclesFor(offChipReads + offChipWrites - first - held.outputs);
  const waitCycles = Math.max(0, between - prepared.computeCycles) + cyclesFor(first) + cyclesFor(held.outputs);
  const { inner } = prepared;
  return {
    computeCycles: prepared.computeCycles,
    waitCycles,
    latencyCycles: prepared.computeCycles + waitCycles,
    bits: {
      ...inner,
      outputReads: inner.outputReads + moved.outputs,
      outputWrites: inner.outputWrites + moved.outputs,
      weightWrites: moved.weights,
      inputWrites: moved.inputs,
      offChipReads,
      offChipWrites,
    },
  };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
