import { inputError } from "@dovetail/core";
import type { FigureSource } from "./source.js";
import { columnIndex, figure } from "./source-lookup.js";
import { bitfusionFixed } from "./tables/bitfusion-synthesis.js";
import { horowitz } from "./tables/horowitz.js";

const technologyNm = 45;
const accumulatorBits = 32;
const widestMultiplierBits = 32;

/** Energy and area of one multiply-accumulate unit. */
export interface ComputeFigures {
  readonly energyPj: number;
  readonly areaUm2: number;
  /** Width of the unit that serves the asked widths. */
  readonly unitBitWidth: number;
  readonly source: FigureSource;
}

const widestUnit: ComputeFigures = {
  energyPj: figure(horowitz, "integerMultiply32Energy").value + figure(horowitz, "integerAdd32Energy").value,
  areaUm2: figure(horowitz, "integerMultiply32Area").value + figure(horowitz, "integerAdd32Area").value,
  unitBitWidth: widestMultiplierBits,
  source: horowitz.source,
};

/**
 * A fixed-width multiplier with its accumulator, of the next width that holds both operands: Bit Fusion's synthesised
 * cell (cost-model.md section 8.6) of 2, 4, 8 or 16 bit, or a multiplier and an adder of 32 bit (Horowitz, section 8.1).
 * Partial sums up to 32 bit are in the cell's figures (8×8: 282 µm² multiplier, 137 µm² 32-bit adder and 48 registers are
 * what its 687.6 µm² hold). InstantNet's 12 bit run on the cell of 16, its 32 on that of 32.
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
  if (!(Math.min(options.weightBitWidth, options.activationBitWidth) >= 1) || width > widestMultiplierBits) {
    throw inputError("no_energy_data", "no multiply-accumulate figures for these operands", {
      expected: `1 to ${widestMultiplierBits} bit`,
      received: `${options.weightBitWidth} × ${options.activationBitWidth} bit`,
    });
  }
  const bitWidth = columnIndex(bitfusionFixed, "bitWidth");
  const row = bitfusionFixed.rows.find((candidate) => candidate[bitWidth]! >= width);
  if (row === undefined) return widestUnit;
  return {
    energyPj: row[columnIndex(bitfusionFixed, "energyPj")]!,
    areaUm2: row[columnIndex(bitfusionFixed, "areaUm2")]!,
    unitBitWidth: row[bitWidth]!,
    source: bitfusionFixed.source,
  };
}
