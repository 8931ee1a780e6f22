import {
  type CellLibrary,
  type ScalableUnitKind,
  scalableUnit,
  scalableUnitAreaUm2,
  type UnitTiming,
  unitSynthesis,
} from "@dovetail/hardware";
import { createFixedUnit, createFusionUnit, createSerialUnit, createTiledUnit, measurePace } from "@dovetail/rtl";

/** Precisions with figures of all units. */
export const unitPrecisions = [2, 3, 4, 5, 6, 7, 8] as const;

/** A unit at a precision, among so many that share an accumulator. Products a cycle are counted on the bit-exact unit. */
export interface UnitRow {
  readonly kind: ScalableUnitKind;
  readonly bits: number;
  readonly productsPerCycle: number;
  readonly productsPerCycleMm2: number;
  readonly energyPj: number;
}

export const unitTitles: Readonly<Record<ScalableUnitKind, string>> = {
  tiledSerial: "2-in-1",
  composable: "Bit Fusion",
  serial: "Stripes",
  fixed: "8-bit multiplier",
};

export const unitKinds = Object.keys(unitTitles) as ScalableUnitKind[];

/** Every unit at every precision of 2 to 8 bit, 45 nm. `sharing`: 1 or 16 units with one accumulator. */
export function unitRows(sharing: number): readonly UnitRow[] {
  return unitKinds.flatMap((kind) =>
    unitPrecisions.map((bits) => {
      const { energyPj } = scalableUnit({
        kind,
        weightBitWidth: bits,
        activationBitWidth: bits,
        technologyNm: 45,
        sharingUnits: sharing,
      });
      const productsPerCycle = countedProducts(kind, bits);
      const areaMm2 = scalableUnitAreaUm2({ kind, sharingUnits: sharing }) * 1e-6;
      return { kind, bits, productsPerCycle, productsPerCycleMm2: productsPerCycle / areaMm2, energyPj };
    }),
  );
}

/**
 * Products a cycle of an area, lone tiled units over lone units of another kind, in a cell library at one clock. For
 * comparison of libraries: their ratios do not depend on a node.
 */
export function libraryDensityRatio(
  other: "composable" | "serial",
  options: { readonly library: CellLibrary; readonly timing: UnitTiming; readonly bits: number },
): number {
  const { units } = unitSynthesis[options.library];
  const density = (kind: "tiledSerial" | "composable" | "serial"): number =>
    countedProducts(kind, options.bits) / units[kind]![options.timing].areaUm2;
  return density("tiledSerial") / density(other);
}

function countedProducts(kind: ScalableUnitKind, bits: number): number {
  const { products, cycles } = measurePace(bitExactUnits[kind](), { weightBits: bits, inputBits: bits });
  return products / cycles;
}

const bitExactUnits = {
  fixed: () => createFixedUnit(),
  serial: () => createSerialUnit({ serialOperand: "weights", parallelBits: 8 }),
  composable: () => createFusionUnit(),
  tiledSerial: () => createTiledUnit(),
} as const;
