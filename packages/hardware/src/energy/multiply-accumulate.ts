import { inputError } from "@dovetail/core";
import type { FigureSource } from "./source.js";
import { columnIndex } from "./source-lookup.js";
import { bitfusionFixed } from "./tables/bitfusion-synthesis.js";

const technologyNm = 45;
const accumulatorBits = 32;

/** Energy and area of one multiply-accumulate unit. */
export interface ComputeFigures {
  readonly energyPj: number;
  readonly areaUm2: number;
  /** Width of the unit that serves the asked widths. */
  readonly unitBitWidth: number;
  readonly source: FigureSource;
}

/**
 * A fixed-width multiplier with its accumulator: Bit Fusion's synthesised cell (cost-model.md section 8.6) of the next
 * width of 2, 4, 8 or 16 bit that holds both operands. Partial sums up to 32 bit are in the cell's figures (8×8: 282 µm²
 * multiplier, 137 µm² 32-bit adder and 48 registers are what its 687.6 µm² hold).
 * Throws `no_energy_data` for wider operands or sums, and for nodes other than 45 nm.
 */
export function multiplyAccumulate(options: {
  readonly weightBitWidth: number;
  readonly activationBitWidth: number;
  readonly partialSumBitWidth?: number | undefined;
  readonly technologyNm: number;
}): ComputeFigures {
  const width = Math.max(options.weightBitWidth, options.activationBitWidth);
  if (options.technologyNm !== technologyNm) {
    throw inputError("no_energy_data", "no multiply-accumulate figures for this technology node", {
      expected: `${technologyNm} nm`,
      received: `${options.technologyNm} nm`,
      hint: `scale the figures at ${technologyNm} nm with scaleTechnology`,
    });
  }
  if ((options.partialSumBitWidth ?? accumulatorBits) > accumulatorBits) {
    throw inputError("no_energy_data", "no multiply-accumulate figures for partial sums this wide", {
      expected: `at most ${accumulatorBits} bit`,
      received: `${options.partialSumBitWidth} bit`,
    });
  }
  const bitWidth = columnIndex(bitfusionFixed, "bitWidth");
  const row = bitfusionFixed.rows.find((candidate) => candidate[bitWidth]! >= width);
  if (row === undefined || !(Math.min(options.weightBitWidth, options.activationBitWidth) >= 1)) {
    throw inputError("no_energy_data", "no multiply-accumulate figures for these operands", {
      expected: `1 to ${bitfusionFixed.rows.at(-1)![bitWidth]} bit`,
      received: `${options.weightBitWidth} × ${options.activationBitWidth} bit`,
    });
  }
  return {
    energyPj: row[columnIndex(bitfusionFixed, "energyPj")]!,
    areaUm2: row[columnIndex(bitfusionFixed, "areaUm2")]!,
    unitBitWidth: row[bitWidth]!,
    source: bitfusionFixed.source,
  };
}
