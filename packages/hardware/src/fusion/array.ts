import { inputError } from "@dovetail/core";

/**
 * An array of units that are fused of small multipliers (Bit Fusion, ISCA 2018): rows share a word of the input, columns
 * sum over the rows. A unit does one product of the widest operands a cycle, or several of narrower ones.
 */
export interface FusionArray {
  readonly rows: number;
  readonly columns: number;
  /** Widest operand of one unit, and the smallest one that it can be split for. */
  readonly widestBits: number;
  readonly narrowestBits: number;
  readonly weightBufferBits: number;
  readonly inputBufferBits: number;
  readonly outputBufferBits: number;
  /** Bits that the off-chip memory moves in a cycle. */
  readonly offChipBitsPerCycle: number;
}

/** A convolution with square output, or a linear layer (a 1×1 convolution on one pixel). */
export interface FusionLayer {
  readonly name: string;
  readonly batch: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly kernelSize: number;
  readonly outputSize: number;
  readonly stride: number;
  readonly activationBits: number;
  readonly weightBits: number;
  /** True when the windows are laid out as columns first, so that the kernel's pixels fill the rows like channels. */
  readonly unrollsKernel?: boolean | undefined;
}

/**
 * Multiply-accumulates of one unit in a cycle: ⌊widest / activation⌋ · ⌊widest / weight⌋ for operands up to the widest
 * (cost-model.md section 6.2); wider operands take a pass for each pair of slices.
 */
export function fusedProductsPerCycle(
  array: Pick<FusionArray, "widestBits" | "narrowestBits">,
  activationBits: number,
  weightBits: number,
): number {
  const along = (bits: number): number =>
    bits > array.widestBits
      ? 1 / Math.ceil(bits / array.widestBits)
      : Math.floor(array.widestBits / Math.max(bits, array.narrowestBits));
  return along(activationBits) * along(weightBits);
}

/** Sizes of a tile; the kernel is never cut. */
export interface FusionTile {
  readonly batch: number;
  /** Height and width. */
  readonly outputSize: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
}

/**
 * Cycles that the array computes for one tile, without waiting: products of the rows' length, the inner extent rounded up
 * to rows · products a cycle, the output channels to columns.
 */
export function fusionTileCycles(layer: FusionLayer, array: FusionArray, tile: FusionTile): number {
  const pixels = tile.batch * tile.outputSize ** 2;
  const columns = Math.ceil(tile.outputChannels / array.columns);
  const perCycle = array.rows * fusedProductsPerCycle(array, layer.activationBits, layer.weightBits);
  const kernel = layer.kernelSize ** 2;
  const inner = layer.unrollsKernel
    ? Math.ceil((kernel * tile.inputChannels) / perCycle)
    : kernel * Math.ceil(tile.inputChannels / perCycle);
  return pixels * columns * inner;
}

/** Throws `fusion_layer` unless every number is a positive integer. */
export function checkFusion(layer: FusionLayer, array: FusionArray): void {
  for (const [owner, object] of Object.entries({ layer, array })) {
    for (const [field, value] of Object.entries(object)) {
      if (typeof value !== "number" || (Number.isSafeInteger(value) && value >= 1)) continue;
      throw inputError("fusion_layer", "not a size", {
        path: [owner, field],
        expected: "a positive integer",
        received: String(value),
      });
    }
  }
}
