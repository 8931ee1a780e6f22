import type { FigureTable } from "../source.js";

/** Energy of off-chip memory, read or write. */
export const dramEnergies: FigureTable = {
  source: {
    citation: "DRAM table of accelergy-cacti-plug-in (MIT)",
    certainty: "read",
    conditions: "energy per bit moved, interface included, row activity not modelled",
  },
  figures: {
    LPDDR4: { value: 8, unit: "pJ/bit" },
    LPDDR: { value: 40, unit: "pJ/bit" },
    DDR3: { value: 70, unit: "pJ/bit" },
    GDDR5: { value: 14, unit: "pJ/bit" },
    HBM2: { value: 3.9, unit: "pJ/bit" },
  },
};
