// One machine for all trainings: memories and arithmetic at 45 nm from the tables, at the widths of what is trained.

import { type Accelerator, acceleratorSchema, figure, horowitz, multiplyAccumulate } from "@dovetail/hardware";

const technologyNm = 45;
export const bufferBytes = 512 * 1024;

/** Arithmetic of the products. */
export type Arithmetic = "float32" | "integer8";

/** Bits of activations and of gradients. */
export const wordBits: Readonly<Record<Arithmetic, number>> = { float32: 32, integer8: 8 };

/** Energy of one multiply-accumulate. */
export function multiplyAccumulatePj(arithmetic: Arithmetic): number {
  if (arithmetic === "float32") {
    return figure(horowitz, "floatMultiply32Energy").value + floatAdditionPj;
  }
  return multiplyAccumulate({ weightBitWidth: 8, activationBitWidth: 8, technologyNm }).energyPj;
}

/** Energy of a float32 addition. */
export const floatAdditionPj = figure(horowitz, "floatAdd32Energy").value;

/** Of a shift and an addition that rebuild a weight: the addition's, at 16 bits, which hold the sum of three products. */
export const rebuildAdditionPj = figure(horowitz, "integerAdd16Energy").value;

/** Of the rounding of a rebuilt weight to the operands' width: at 8 bits a product with its channel's scale. */
export function rebuildRoundingPj(arithmetic: Arithmetic): number {
  return arithmetic === "integer8" ? figure(horowitz, "integerMultiply8Energy").value : 0;
}

/**
 * 16 × 16 units around one buffer of 512 KB and LPDDR4; each unit has registers for the weights and the sums it works
 * on. The rows that are zero for good are skipped for ours (`stepEnergy`); dense weights have none.
 */
export function trainingMachine(arithmetic: Arithmetic): Accelerator {
  const bits = wordBits[arithmetic];
  return acceleratorSchema.parse({
    name: `training-${arithmetic}`,
    title: `Training machine, ${arithmetic}`,
    source: "ours: sizes of SmartExchange's input buffer, energies of the tables at 45 nm",
    technologyNm,
    clockMhz: 500,
    levels: [
      { name: "DRAM", memory: { kind: "dram", type: "LPDDR4", bitsPerCycle: 128 } },
      { name: "buffer", memory: { kind: "sram", bytes: bufferBytes, widthBits: 256 } },
      { name: "columns", fanout: { x: 16 } },
      { name: "rows", fanout: { y: 16 } },
      { name: "weights", memory: { kind: "registers", words: 16, wordBits: bits } },
      { name: "sums", memory: { kind: "registers", words: 16, wordBits: 32 } },
    ],
    unit: {
      kind: "composable",
      weightBits: bits,
      inputBits: bits,
      given: { energyPj: multiplyAccumulatePj(arithmetic), source: "Horowitz 2014; Bit Fusion's cells" },
    },
    constraints: {
      levels: [
        { level: "DRAM", keep: ["Weights", "Inputs", "Outputs"] },
        { level: "buffer", keep: ["Weights", "Inputs", "Outputs"] },
        { level: "columns", temporal: { dimensions: [] } },
        { level: "rows", temporal: { dimensions: [] } },
        { level: "weights", keep: ["Weights"], bypass: ["Inputs", "Outputs"] },
        { level: "sums", keep: ["Outputs"], bypass: ["Weights", "Inputs"] },
      ],
    },
  });
}
