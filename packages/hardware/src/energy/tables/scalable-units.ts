import type { FigureSource, GridTable } from "../source.js";

const source: FigureSource = {
  citation:
    "our own Verilog of a fixed, a bit-serial, a spatially tiled temporal and a brick-composed unit, synthesised and simulated (rtl.md section 4.3)",
  certainty: "read",
  conditions:
    "Nangate45, 45 nm, 16 units of 8 bit share one reduction tree and one accumulator of 24 bit, period 3 ns; toggles without glitches, uniform operands; fixed with Booth recoding",
};

/**
 * Energy of a product of two operands of a width, in fJ, by kind of unit. Its level is four to five times that of other
 * sources: take ratios to `fixed` at 8 bit (rtl.md section 4.4). A unit that lacks a width runs at its next wider one.
 * So does the tiled unit at 5 bit: its only figure there (1,608 fJ) is of the netlist for 2 ns, which is larger.
 */
export const scalableUnitEnergy: GridTable<"bitWidth" | "fixed" | "serial" | "tiledSerial" | "composable"> = {
  source,
  columns: [
    { name: "bitWidth", unit: "bit" },
    { name: "fixed", unit: "fJ/product" },
    { name: "serial", unit: "fJ/product" },
    { name: "tiledSerial", unit: "fJ/product" },
    { name: "composable", unit: "fJ/product" },
  ],
  rows: [
    [2, 819, 355, 291, 240],
    [3, 865, 513, 376, 718],
    [4, 893, 666, 468, 718],
    [5, 913, 827, 1293, 2421],
    [6, 930, 993, 1293, 2421],
    [8, 977, 1350, 1687, 2421],
  ],
};

/** The same of units with an accumulator each: temporal units pay for its clock in every cycle. */
export const loneScalableUnitEnergy: typeof scalableUnitEnergy = {
  source: {
    ...source,
    citation:
      "our own Verilog of a fixed, a bit-serial, a spatially tiled temporal and a brick-composed unit, synthesised and simulated (rtl.md section 4.5)",
    conditions:
      "Nangate45, 45 nm, one unit with its accumulator of 24 bit, period 2 ns; toggles without glitches, uniform operands; fixed with Booth recoding",
  },
  columns: scalableUnitEnergy.columns,
  rows: [
    [2, 1237, 2379, 880, 215],
    [4, 1330, 4233, 1513, 771],
    [8, 1497, 8436, 5662, 2842],
  ],
};

/**
 * Area of one unit (of a serial one: one lane of 8 bit × 1 bit), by how many share a reduction tree and an accumulator: a
 * tiled unit gains by sharing, and a serial one far more. The bricks' unit sums its outputs over the units, but keeps its
 * own tree of shifts, as published: a variant that groups shifts over units, as the tiled one does, was not measured, and
 * how much of a ratio between the two is grouping is not known.
 */
export const scalableUnitArea: GridTable<"sharing" | "fixed" | "serial" | "tiledSerial" | "composable"> = {
  source: {
    ...source,
    conditions:
      "Nangate45, 45 nm, accumulator of 24 bit, fixed with Booth recoding; 16 units at a period of 3 ns, 4 and a lone one at 2 ns",
  },
  columns: [
    { name: "sharing", unit: "units" },
    { name: "fixed", unit: "um2" },
    { name: "serial", unit: "um2" },
    { name: "tiledSerial", unit: "um2" },
    { name: "composable", unit: "um2" },
  ],
  rows: [
    [1, 679, 573, 862, 1849],
    [4, 540, 197, 443, 1665],
    [16, 481, 101, 329, 1626],
  ],
};

/** Processing elements of ShiftAddNet beside a fixed unit, each with an accumulator of 24 bit of its own. */
export const shiftAddUnits: GridTable<"fixedFj" | "shiftFj" | "addFj" | "fixedUm2" | "shiftUm2" | "addUm2"> = {
  source: {
    ...source,
    citation:
      "our own Verilog of a fixed, a shift and an add unit, synthesised and simulated (rtl.md sections 4.5, 4.6)",
    conditions:
      "Nangate45, 45 nm, one unit with its accumulator of 24 bit, period 2 ns; toggles without glitches, uniform operands",
  },
  columns: [
    { name: "fixedFj", unit: "fJ/operation" },
    { name: "shiftFj", unit: "fJ/operation" },
    { name: "addFj", unit: "fJ/operation" },
    { name: "fixedUm2", unit: "um2" },
    { name: "shiftUm2", unit: "um2" },
    { name: "addUm2", unit: "um2" },
  ],
  rows: [[1497, 958, 726, 679, 428, 316]],
};
