import { inputError } from "@dovetail/core";
import type { FigureSource, GridTable } from "./source.js";
import { columnIndex } from "./source-lookup.js";
import { bitfusionComposable, bitfusionFixed } from "./tables/bitfusion-synthesis.js";
import {
  loneScalableUnitEnergy,
  scalableUnitArea,
  scalableUnitEnergy,
  shiftAddUnits,
} from "./tables/scalable-units.js";

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

/** Units that share an accumulator unless said. */
const defaultSharing = 16;

/** The 8×8 unit that all ratios refer to (rtl.md section 4.4): 0.298 pJ. */
const anchor = { bitWidth: 8, energyPj: at(bitfusionFixed, 8, "energyPj") };

export interface ScalableUnitOptions {
  readonly kind: ScalableUnitKind;
  readonly weightBitWidth: number;
  readonly activationBitWidth: number;
  readonly technologyNm: number;
  /** Another level of the anchor; rtl.md asks for results at 0.5 and 4. Default 1. */
  readonly anchorScale?: number | undefined;
  /** Units with one reduction tree and one accumulator: 1 or 16 have energies. Default 16. */
  readonly sharingUnits?: number | undefined;
  /** Widest operands of a `composable` unit: 8 or 16. Default 8. */
  readonly unitBits?: number | undefined;
}

/**
 * Energy of a product of two operands, and area, by kind of unit. Up to 8 bit: ratio to the fixed 8×8 unit of our own
 * synthesis (rtl.md sections 4.3 and 4.5), which is put at the 0.298 pJ of Bit Fusion's synthesised cell. Operands of
 * unequal widths, and widths that the table lacks, are charged as the next pair of equal widths that holds both. Above:
 * Bit Fusion's own synthesised cells, fixed and composable to 16 bit (cost-model.md section 8.6).
 *
 * @throws DovetailError `no_energy_data` where there is no source: serial and tiled units above 8 bit, composable ones of
 * 16 bit below 9, another number of units that share, other nodes than 45 nm.
 */
export function scalableUnit(options: ScalableUnitOptions): ScalableUnitFigures {
  const { kind, weightBitWidth, activationBitWidth, anchorScale = 1, sharingUnits = defaultSharing } = options;
  checkNode(options.technologyNm);
  const widest = Math.max(weightBitWidth, activationBitWidth);
  if (!(Math.min(weightBitWidth, activationBitWidth) >= 1)) throw noOperands(options);
  const isWideCell = kind === "fixed" ? widest > 8 : kind === "composable" && options.unitBits === 16;
  if (isWideCell) return wideCell(options, widest, anchorScale);
  const energies = tableOf(scalableUnitEnergies, sharingUnits);
  const row = energies.rows.find((candidate) => candidate[0]! >= widest);
  if (row === undefined) throw noOperands(options);
  const ratio = row[columnIndex(energies, kind)]! / at(energies, anchor.bitWidth, "fixed");
  return {
    energyPj: ratio * anchor.energyPj * anchorScale,
    areaUm2: scalableUnitAreaUm2({ kind, sharingUnits }),
    source: anchored(energies.source),
  };
}

const scalableUnitEnergies = new Map([
  [1, loneScalableUnitEnergy],
  [defaultSharing, scalableUnitEnergy],
]);

/**
 * Area of an 8-bit unit (of a serial one: one lane) among so many that share a reduction tree and an accumulator.
 *
 * @throws DovetailError `no_energy_data` for other numbers than 1, 4 and 16.
 */
export function scalableUnitAreaUm2(options: {
  readonly kind: ScalableUnitKind;
  readonly sharingUnits: number;
}): number {
  const rows = new Map(scalableUnitArea.rows.map((row) => [row[0]!, row]));
  return tableOf(rows, options.sharingUnits)[columnIndex(scalableUnitArea, options.kind)]!;
}

function tableOf<Table>(tables: ReadonlyMap<number, Table>, sharingUnits: number): Table {
  const found = tables.get(sharingUnits);
  if (found !== undefined) return found;
  throw inputError("no_energy_data", "no figures for so many units that share an accumulator", {
    expected: [...tables.keys()].join(" or "),
    received: String(sharingUnits),
  });
}

/** Bit Fusion's cells of 16 bit; the ratio to its 8-bit cell is theirs, so the anchor's level scales both. */
function wideCell(options: ScalableUnitOptions, widest: number, anchorScale: number): ScalableUnitFigures {
  const table = options.kind === "fixed" ? bitfusionFixed : bitfusionComposable;
  if (widest <= 8 || widest > 16) throw noOperands(options);
  return {
    energyPj: at(table, 16, "energyPj") * anchorScale,
    areaUm2: at(table, 16, "areaUm2"),
    source: table.source,
  };
}

function noOperands({ kind, unitBits, weightBitWidth, activationBitWidth }: ScalableUnitOptions): Error {
  const wide = kind === "composable" && unitBits === 16;
  return inputError("no_energy_data", `no figures of a ${kind} unit for these operands`, {
    expected: wide
      ? "9 to 16 bit, the one row that was published of it"
      : `1 to ${kind === "fixed" ? 16 : 8} bit: of wider units there is no source`,
    received: `${weightBitWidth} × ${activationBitWidth} bit`,
  });
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
