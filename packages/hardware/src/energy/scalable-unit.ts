import { inputError } from "@dovetail/core";
import type { FigureSource, GridTable } from "./source.js";
import { columnIndex } from "./source-lookup.js";
import { bitfusionFixed } from "./tables/bitfusion-synthesis.js";
import { scalableUnitArea, scalableUnitEnergy, shiftAddUnits } from "./tables/scalable-units.js";

/**
 * - `fixed`: a multiplier of 8 × 8 bit
 * - `serial`: one operand of 8 bit, the other a bit a cycle (Stripes)
 * - `tiledSerial`: four small serial units for the halves of both operands (2-in-1)
 * - `composable`: sixteen bricks of 2 × 2 bit (Bit Fusion)
 */
export type ScalableUnitKind = "fixed" | "serial" | "tiledSerial" | "composable";

export interface ScalableUnitFigures {
  /** Of one product with its share of the accumulation. */
  readonly energyPj: number;
  /** Of one unit (a serial one: one lane). */
  readonly areaUm2: number;
  readonly source: FigureSource;
}

const technologyNm = 45;

/** Units that share an accumulator in the figures given: those whose energies are tabulated. */
const sharingUnits = 16;

/** The 8×8 unit that all ratios refer to (rtl.md section 4.4): 0.298 pJ. */
const anchor = { bitWidth: 8, energyPj: at(bitfusionFixed, 8, "energyPj") };

/**
 * Energy of a product of two operands of up to 8 bit, and area, by kind of unit: ratio to the fixed 8×8 unit of our own
 * synthesis (rtl.md section 4.3), times the 0.298 pJ of Bit Fusion's synthesised 8×8 cell; `anchorScale` shows what
 * another level would change (rtl.md asks for 0.5 and 4). Operands of unequal widths, and widths that the table lacks,
 * are charged as the next pair of equal widths that holds both.
 *
 * @throws DovetailError `no_energy_data` above 8 bit and for other nodes than 45 nm: there is no source.
 */
export function scalableUnit(options: {
  readonly kind: ScalableUnitKind;
  readonly weightBitWidth: number;
  readonly activationBitWidth: number;
  readonly technologyNm: number;
  readonly anchorScale?: number | undefined;
}): ScalableUnitFigures {
  const { kind, weightBitWidth, activationBitWidth, anchorScale = 1 } = options;
  checkNode(options.technologyNm);
  const widest = Math.max(weightBitWidth, activationBitWidth);
  const row = scalableUnitEnergy.rows.find((candidate) => candidate[0]! >= widest);
  if (row === undefined || !(Math.min(weightBitWidth, activationBitWidth) >= 1)) {
    throw inputError("no_energy_data", `no figures of a ${kind} unit for these operands`, {
      expected: "1 to 8 bit: wider units have not been synthesised",
      received: `${weightBitWidth} × ${activationBitWidth} bit`,
    });
  }
  const ratio = row[columnIndex(scalableUnitEnergy, kind)]! / at(scalableUnitEnergy, anchor.bitWidth, "fixed");
  return {
    energyPj: ratio * anchor.energyPj * anchorScale,
    areaUm2: at(scalableUnitArea, sharingUnits, kind),
    source: anchored(scalableUnitEnergy.source),
  };
}

/**
 * A unit of ShiftAddNet with its accumulator: `shift` adds an operand shifted by a signed power of two, `add` subtracts
 * |activation − weight|. 8-bit operands; anchored as `scalableUnit` is.
 *
 * @throws DovetailError `no_energy_data` for other nodes than 45 nm.
 */
export function shiftAddUnit(options: {
  readonly kind: "shift" | "add";
  readonly technologyNm: number;
}): ScalableUnitFigures {
  checkNode(options.technologyNm);
  const value = (name: "fixedFj" | "shiftFj" | "addFj" | "shiftUm2" | "addUm2"): number =>
    shiftAddUnits.rows[0]![columnIndex(shiftAddUnits, name)]!;
  return {
    energyPj: (value(`${options.kind}Fj`) / value("fixedFj")) * anchor.energyPj,
    areaUm2: value(`${options.kind}Um2`),
    source: anchored(shiftAddUnits.source),
  };
}

function anchored(source: FigureSource): FigureSource {
  return {
    citation: `${source.citation}: ratios to the fixed unit, times ${anchor.energyPj} pJ of ${bitfusionFixed.source.citation}`,
    certainty: source.certainty,
    conditions: source.conditions,
  };
}

function at<Column extends string>(table: GridTable<Column>, key: number, column: Column): number {
  return table.rows.find((row) => row[0] === key)![columnIndex(table, column)]!;
}

function checkNode(node: number): void {
  if (node === technologyNm) return;
  throw inputError("no_energy_data", "no figures of precision-scalable units for this technology node", {
    expected: `${technologyNm} nm`,
    received: `${node} nm`,
    hint: `scale the figures at ${technologyNm} nm with scaleTechnology`,
  });
}
