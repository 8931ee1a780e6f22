import type { FpgaResources } from "./model.js";

/** A device on its board: what it has, and how its multiplier slices pack narrow products. */
export interface FpgaBoard extends FpgaResources {
  readonly name: string;
  readonly device: string;
  readonly dspSlice: DspSlice;
  readonly source: string;
}

/** DSP48E1: 25×18 multiplier (7 series); DSP48E2: 27×18 (UltraScale and UltraScale+). */
export type DspSlice = "DSP48E1" | "DSP48E2";

/**
 * Products that one slice forms per cycle when they share an operand. Two of at most 8 bit on a DSP48E2 (Xilinx WP486,
 * Deep Learning with INT8 Optimization on Xilinx Devices, which shows it for UltraScale only); one in every other case:
 * nothing is assumed that the vendor has not shown.
 */
export function productsPerSlice(slice: DspSlice, bitWidth: number): 1 | 2 {
  return slice === "DSP48E2" && bitWidth <= 8 ? 2 : 1;
}

/** Boards by name. BRAM counts blocks of 18 Kb, two to each 36-Kb block of the data sheets. */
export const fpgaBoards = {
  ZC706: {
    name: "ZC706",
    device: "XC7Z045",
    dsp: 900,
    bram: 1090,
    dspSlice: "DSP48E1",
    source: "Xilinx product table of Zynq-7000: 900 DSP48E1, 545 blocks of 36 Kb",
  },
  ZCU102: {
    name: "ZCU102",
    device: "XCZU9EG",
    dsp: 2520,
    bram: 1824,
    dspSlice: "DSP48E2",
    source: "Xilinx product table of Zynq UltraScale+: 2,520 DSP48E2, 912 blocks of 36 Kb",
  },
  Ultra96: {
    name: "Ultra96",
    device: "XCZU3EG",
    dsp: 360,
    bram: 432,
    dspSlice: "DSP48E2",
    source: "Xilinx product table of Zynq UltraScale+: 360 DSP48E2, 216 blocks of 36 Kb",
  },
} as const satisfies Record<string, FpgaBoard>;

/** Depth and width of an 18-Kb block in simple dual-port mode (Xilinx UG473, chapter 1; UG573 for UltraScale). */
const blockShapes: readonly (readonly [number, number])[] = [
  [512, 36],
  [1024, 18],
  [2048, 9],
  [4096, 4],
  [8192, 2],
  [16384, 1],
];

/** 18-Kb blocks of a memory of `depth` rows of `widthBits`, built from blocks of the best single shape. */
export function memoryBlocks(depth: number, widthBits: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [blockDepth, blockWidth] of blockShapes) {
    least = Math.min(least, Math.ceil(depth / blockDepth) * Math.ceil(widthBits / blockWidth));
  }
  return least;
}
