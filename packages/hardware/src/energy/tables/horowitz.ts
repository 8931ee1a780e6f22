import type { FigureTable } from "../source.js";

/** Energies and areas of arithmetic and memory at 45 nm. */
export const horowitz: FigureTable = {
  source: {
    citation:
      "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014; 32-bit and 8 KB values confirmed by the table in PMC8934428",
    certainty: "quoted",
    conditions: "45 nm, 0.9 V",
  },
  figures: {
    integerAdd8Energy: { value: 0.03, unit: "pJ" },
    integerAdd16Energy: { value: 0.05, unit: "pJ" },
    integerAdd32Energy: { value: 0.1, unit: "pJ" },
    integerAdd8Area: { value: 36, unit: "um2" },
    integerAdd16Area: { value: 67, unit: "um2" },
    integerAdd32Area: { value: 137, unit: "um2" },
    integerMultiply8Energy: { value: 0.2, unit: "pJ" },
    integerMultiply32Energy: { value: 3.1, unit: "pJ" },
    integerMultiply8Area: { value: 282, unit: "um2" },
    integerMultiply32Area: { value: 3495, unit: "um2" },
    floatAdd16Energy: { value: 0.4, unit: "pJ" },
    floatAdd32Energy: { value: 0.9, unit: "pJ" },
    floatAdd16Area: { value: 1360, unit: "um2" },
    floatAdd32Area: { value: 4184, unit: "um2" },
    floatMultiply16Energy: { value: 1.1, unit: "pJ" },
    floatMultiply32Energy: { value: 3.7, unit: "pJ" },
    floatMultiply16Area: { value: 1640, unit: "um2" },
    floatMultiply32Area: { value: 7700, unit: "um2" },
    sram8KilobyteRead64: { value: 10, unit: "pJ" },
    sram32KilobyteRead64: { value: 20, unit: "pJ" },
    sram1MegabyteRead64: { value: 100, unit: "pJ" },
    dramRead64Least: { value: 1300, unit: "pJ" },
    dramRead64Most: { value: 2600, unit: "pJ" },
  },
};
