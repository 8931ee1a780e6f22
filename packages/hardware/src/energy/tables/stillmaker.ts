import type { FigureSource, GridTable } from "../source.js";

const source: FigureSource = {
  citation:
    "A. Stillmaker, B. Baas, Scaling equations for the accurate prediction of CMOS device performance from 180 nm to 7 nm, Integration 2017, as used by Accelergy's library",
  certainty: "quoted",
  conditions: "logic",
};

/** Energy of a gate at supply V is proportional to a·V² + b·V + c. */
export const stillmakerEnergy: GridTable<"technologyNm" | "a" | "b" | "c"> = {
  source,
  columns: [
    { name: "technologyNm", unit: "nm" },
    { name: "a", unit: "1/V2" },
    { name: "b", unit: "1/V" },
    { name: "c", unit: "1" },
  ],
  rows: [
    [130, 7.171, -6.709, 2.904],
    [90, 4.762, -4.781, 2.092],
    [65, 3.755, -4.398, 1.975],
    [45, 1.103, -0.362, 0.2767],
    [32, 0.9559, -0.7823, 0.471],
    [20, 0.373, -0.1582, 0.04104],
    [16, 0.2958, -0.1241, 0.03024],
    [14, 0.2363, -0.09675, 0.02239],
    [10, 0.2068, -0.09311, 0.02375],
    [7, 0.1776, -0.09097, 0.02447],
  ],
};

/** Area at `toNm` over area at `fromNm`. */
export const stillmakerArea: GridTable<"fromNm" | "toNm" | "factor"> = {
  source,
  columns: [
    { name: "fromNm", unit: "nm" },
    { name: "toNm", unit: "nm" },
    { name: "factor", unit: "1" },
  ],
  rows: [
    [45, 32, 0.46],
    [45, 20, 0.21],
    [45, 16, 0.19],
    [45, 14, 0.17],
    [45, 10, 0.1],
    [45, 7, 0.059],
    [32, 7, 0.13],
    [20, 7, 0.28],
    [16, 7, 0.31],
    [14, 7, 0.34],
    [10, 7, 0.58],
  ],
};
