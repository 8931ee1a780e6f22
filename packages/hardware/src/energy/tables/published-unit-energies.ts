import type { FigureTable } from "../source.js";

// Unit energies that published systems were evaluated with. They are for models of those systems and for comparison: they
// come from different nodes and libraries, and are not mixed with the other tables.

/** SmartExchange's evaluation (and that of its four baselines). */
export const smartExchangeEnergies: FigureTable = {
  source: {
    citation: "Y. Zhao et al., SmartExchange, ISCA 2020, table of unit energies",
    certainty: "quoted",
    conditions: "28 nm, 1 GHz; per 8 bit; SRAM by size of the bank",
  },
  figures: {
    dramByte: { value: 100, unit: "pJ/byte" },
    sramByteLeast: { value: 1.36, unit: "pJ/byte" },
    sramByteMost: { value: 2.45, unit: "pJ/byte" },
    multiplyAccumulate8: { value: 0.143, unit: "pJ" },
    multiply8: { value: 0.124, unit: "pJ" },
    add8: { value: 0.019, unit: "pJ" },
  },
};

/** Bare operators at 45 nm, as used for ShiftAddNet: no accumulator, no clock. */
export const shiftAddOperators: FigureTable = {
  source: {
    citation: "RICE-EIC/ShiftAddNAS, hw_utils: operators of ShiftAddNet on an ASIC",
    certainty: "read",
    conditions: "45 nm; the bare operator without accumulator and clock",
  },
  figures: {
    floatMultiply32: { value: 3.7, unit: "pJ" },
    integerMultiply8: { value: 0.2, unit: "pJ" },
    floatAdd32: { value: 0.9, unit: "pJ" },
    integerAdd8: { value: 0.03, unit: "pJ" },
    shift32: { value: 0.13, unit: "pJ" },
    shift8: { value: 0.024, unit: "pJ" },
  },
};

/** The same operators on an FPGA. */
export const shiftAddOperatorsZc706: FigureTable = {
  source: {
    citation: "H. You et al., ShiftAddNet, NeurIPS 2020, table of unit energies",
    certainty: "quoted",
    conditions: "ZYNQ-7 ZC706",
  },
  figures: {
    floatMultiply32: { value: 18.8, unit: "pJ" },
    integerMultiply32: { value: 19.6, unit: "pJ" },
    integerMultiply8: { value: 0.2, unit: "pJ" },
    floatAdd32: { value: 0.4, unit: "pJ" },
    integerAdd32: { value: 0.1, unit: "pJ" },
    integerAdd8: { value: 0.1, unit: "pJ" },
    shift32: { value: 0.1, unit: "pJ" },
    shift8: { value: 0.025, unit: "pJ" },
  },
};

/** DNN-Chip-Predictor's general tool. */
export const chipPredictorEnergies: FigureTable = {
  source: {
    citation: "RICE-EIC/DNN-Chip-Predictor, unit energies of its Eyeriss configuration",
    certainty: "read",
    conditions: "node not stated",
  },
  figures: {
    dramByte: { value: 100, unit: "pJ/byte" },
    sramByte: { value: 3, unit: "pJ/byte" },
    networkByte: { value: 1, unit: "pJ/byte" },
    registerByte: { value: 0.5, unit: "pJ/byte" },
    partialSumRegisterByte: { value: 0.33, unit: "pJ/byte" },
    multiply16: { value: 1, unit: "pJ" },
  },
};

/** Interstellar's costs of an access of 16 bit. */
export const interstellarEnergies: FigureTable = {
  source: {
    citation: "Interstellar (X. Yang et al., ASPLOS 2020), access costs of its configurations",
    certainty: "read",
    conditions: "16-bit access; the unit pJ is from memory",
  },
  figures: {
    register32Byte: { value: 0.06, unit: "pJ" },
    register64Byte: { value: 0.12, unit: "pJ" },
    register512Byte: { value: 0.96, unit: "pJ" },
    sram32Kilobyte: { value: 9, unit: "pJ" },
    sram64Kilobyte: { value: 13.5, unit: "pJ" },
    sram128Kilobyte: { value: 20, unit: "pJ" },
    sram28Megabyte: { value: 150, unit: "pJ" },
    hop: { value: 0.035, unit: "pJ" },
    dram: { value: 200, unit: "pJ" },
  },
};

/** MAESTRO's constants, relative to a multiply-accumulate. */
export const maestroNormalised: FigureTable = {
  source: {
    citation: "MAESTRO 4eb08d1, cost-model/include/base",
    certainty: "read",
    conditions:
      "relative to a multiply-accumulate; its maintainer says that the CACTI data behind them no longer exist",
  },
  figures: {
    multiplyAccumulate: { value: 1, unit: "MAC" },
    level1: { value: 1.68, unit: "MAC" },
    level2: { value: 18.61, unit: "MAC" },
  },
};
