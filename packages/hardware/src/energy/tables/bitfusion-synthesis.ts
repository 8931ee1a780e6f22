import type { GridTable } from "../source.js";

/** One systolic cell with a fixed-width multiplier and its accumulator, synthesised; energy = dynamic power / 500 MHz. */
export const bitfusionFixed: GridTable<"bitWidth" | "areaUm2" | "dynamicUw" | "energyPj"> = {
  source: {
    citation:
      "hsharma35/bitfusion, results/systolic_array_synth.csv, commit 04ec1c8 (Bit Fusion, ISCA 2018), N = M = 1",
    certainty: "read",
    conditions: "45 nm (the node from the paper, the file names none), 500 MHz",
  },
  columns: [
    { name: "bitWidth", unit: "bit" },
    { name: "areaUm2", unit: "um2" },
    { name: "dynamicUw", unit: "uW" },
    { name: "energyPj", unit: "pJ/operation" },
  ],
  rows: [
    [2, 124.9, 28.7, 0.057],
    [4, 282.2, 60.1, 0.12],
    [8, 687.6, 148.8, 0.298],
    [16, 2203.2, 473.7, 0.947],
  ],
};

/** The same cell, composable from 2-bit bricks up to the width in the first column. */
export const bitfusionComposable: GridTable<"bitWidth" | "areaUm2" | "dynamicUw" | "energyPj"> = {
  source: bitfusionFixed.source,
  columns: bitfusionFixed.columns,
  rows: [
    [4, 431.5, 78.5, 0.157],
    [8, 1733.1, 280, 0.56],
    [16, 7492.4, 1166.2, 2.33],
  ],
};
