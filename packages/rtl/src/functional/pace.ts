import type { UnitPace } from "@dovetail/hardware";
import { createFixedUnit } from "./fixed.js";
import { createFusionUnit } from "./fusion.js";
import { type MacUnit, multiply, narrowestBits, type Precision, widestBits } from "./mac-unit.js";
import { createDoublySerialUnit, createSerialUnit } from "./serial.js";
import { createTiledUnit } from "./tiled.js";

/** Products that one unit starts together and the cycles until they are accumulated, counted on the unit itself. */
export function measurePace(unit: MacUnit, precision: Precision): UnitPace {
  const count = unit.productsAt(precision);
  const weights = new Array<number>(count).fill(-(2 ** (precision.weightBits - 1)));
  const inputs = new Array<number>(count).fill(2 ** (precision.inputBits - 1) - 1);
  const cycles = multiply(unit, { ...precision, weights, inputs });
  return { products: count / unit.units, cycles };
}

export const unitNames = ["fixed", "serial", "doublySerial", "fusion", "tiled"] as const;

/**
 * - `fixed`: a multiplier of 8 bit
 * - `serial`: inputs a bit a cycle, weights of 16 bit in parallel (Stripes)
 * - `doublySerial`: both a bit a cycle (Loom)
 * - `fusion`: sixteen bricks of 2 bit (Bit Fusion)
 * - `tiled`: four serial tiles of 4 bit (2-in-1)
 */
export type UnitName = (typeof unitNames)[number];

/** One unit of each kind. */
export function createUnit(name: UnitName): MacUnit {
  switch (name) {
    case "fixed":
      return createFixedUnit();
    case "serial":
      return createSerialUnit({ serialOperand: "inputs" });
    case "doublySerial":
      return createDoublySerialUnit();
    case "fusion":
      return createFusionUnit();
    case "tiled":
      return createTiledUnit();
  }
}

/** Products a cycle of one unit for operands of equal widths. */
export interface ThroughputRow {
  readonly bits: number;
  readonly productsPerCycle: Readonly<Record<UnitName, number>>;
}

/** The table of seeds-hardware.md section 5.4, counted on the units: products a cycle at every width of 2 to 16 bit. */
export function throughputTable(): readonly ThroughputRow[] {
  const widths = Array.from({ length: widestBits - narrowestBits + 1 }, (_, index) => narrowestBits + index);
  return widths.map((bits) => {
    const entries = unitNames.map((name) => {
      const { products, cycles } = measurePace(createUnit(name), { weightBits: bits, inputBits: bits });
      return [name, products / cycles] as const;
    });
    return { bits, productsPerCycle: Object.fromEntries(entries) as Record<UnitName, number> };
  });
}
