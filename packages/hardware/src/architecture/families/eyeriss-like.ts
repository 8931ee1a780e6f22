import * as z from "zod";
import { checkDocument } from "../../documents/document.js";
import { positiveIntegerSchema, positiveSchema } from "../../documents/names.js";
import { dram } from "../../energy/dram.js";
import { multiplyAccumulate } from "../../energy/multiply-accumulate.js";
import { type OperationTable, operationEnergy, operationTables } from "../../energy/operation-energy.js";
import { registerFile } from "../../energy/register-file.js";
import { shiftAddUnit } from "../../energy/scalable-unit.js";
import { type MemoryFigures, sram } from "../../energy/sram.js";
import {
  type Architecture,
  type ArchitectureLevel,
  architectureSchema,
  type Compute,
  type Storage,
  type WeightRebuild,
} from "../architecture.js";
import type { LevelConstraints } from "../constraints.js";

/** What can be chosen of an Eyeriss-like accelerator. Words of the scratchpads are as wide as their tensor's. */
export interface EyerissLikeParameters {
  /** Processing elements: rows share kernel rows and input channels, columns output rows and output channels. */
  readonly arrayRows: number;
  readonly arrayColumns: number;
  readonly globalBufferBytes: number;
  readonly globalBufferWidthBits: number;
  readonly inputSpadWords: number;
  readonly weightSpadWords: number;
  readonly partialSumSpadWords: number;
  readonly weightBitWidth: number;
  readonly activationBitWidth: number;
  readonly partialSumBitWidth: number;
  readonly technologyNm: number;
  readonly clockHz: number;
  /** Kind of off-chip memory (`dram`). */
  readonly dramKind: string;
  /** Bits that the off-chip memory moves in a cycle, reads and writes together. */
  readonly dramBitsPerCycle: number;
  /** Units that a processing element has beside its multiplier, for shift and add layers. */
  readonly operations: readonly ("shift" | "add")[];
  /** Where the energies of all kinds of units are from; areas are those of the synthesised ones. */
  readonly operationTable: OperationTable;
  /** Whether a processing element rebuilds weights in SmartExchange's form, and skips their zero rows. */
  readonly rebuildsWeights: boolean;
}

/**
 * Eyeriss (JSSC 2017) in 8 bit: 12 × 14 processing elements, scratchpads of 12, 192 and 24 words (its weight scratchpad
 * has 224), 200 MHz; a buffer of 128 KB for its 108 KB, 128 bit wide; LPDDR4 at 1.6 GB/s.
 */
export const eyerissLikeDefaults: EyerissLikeParameters = {
  arrayRows: 12,
  arrayColumns: 14,
  globalBufferBytes: 131072,
  globalBufferWidthBits: 128,
  inputSpadWords: 12,
  weightSpadWords: 192,
  partialSumSpadWords: 24,
  weightBitWidth: 8,
  activationBitWidth: 8,
  partialSumBitWidth: 24,
  technologyNm: 45,
  clockHz: 200e6,
  dramKind: "LPDDR4",
  dramBitsPerCycle: 64,
  operations: [],
  operationTable: "synthesised45",
  rebuildsWeights: false,
};

const schema: z.ZodType<EyerissLikeParameters> = z.strictObject({
  arrayRows: positiveIntegerSchema,
  arrayColumns: positiveIntegerSchema,
  globalBufferBytes: positiveIntegerSchema,
  globalBufferWidthBits: positiveIntegerSchema,
  inputSpadWords: positiveIntegerSchema,
  weightSpadWords: positiveIntegerSchema,
  partialSumSpadWords: positiveIntegerSchema,
  weightBitWidth: positiveIntegerSchema,
  activationBitWidth: positiveIntegerSchema,
  partialSumBitWidth: positiveIntegerSchema,
  technologyNm: positiveSchema,
  clockHz: positiveSchema,
  dramKind: z.string(),
  dramBitsPerCycle: positiveSchema,
  operations: z.array(z.enum(["shift", "add"])),
  operationTable: z.enum(operationTables),
  rebuildsWeights: z.boolean(),
});

/**
 * A row-stationary accelerator: DRAM, a global buffer for inputs and outputs (weights pass it by), an array of processing
 * elements without links between neighbours, in each a scratchpad for inputs, one for weights, one for partial sums, and
 * an 8-bit (or the next wider) multiply-accumulate unit; with units for shift and add layers and an engine that rebuilds
 * compressed weights where these are asked for.
 *
 * Energies, leakage and areas come from the tables of `energy/` at the node asked for, which must be one that they hold:
 * at 45 nm everything is there. Area counts multipliers with accumulators, scratchpads and the global buffer; networks on
 * chip, control, clock, pads and the DRAM interface are not counted, and their energy is not either.
 *
 * @throws DovetailError for parameters that are no positive numbers, and `no_energy_data` outside the tables.
 */
export function eyerissLike(parameters: Partial<EyerissLikeParameters> = {}): Architecture {
  const p = checkDocument(schema, { ...eyerissLikeDefaults, ...parameters });
  return checkDocument<Architecture>(architectureSchema, {
    name: `eyeriss-like-${p.arrayRows}x${p.arrayColumns}`,
    technologyNm: p.technologyNm,
    clockMhz: p.clockHz * 1e-6,
    levels: [
      { name: "DRAM", storage: dramStorage(p) },
      { name: "globalBuffer", storage: globalBuffer(p) },
      { name: "columns", fanout: { x: p.arrayColumns, y: 1, neighbourLinks: false } },
      { name: "rows", fanout: { x: 1, y: p.arrayRows, neighbourLinks: false } },
      scratchpad("inputs", p.inputSpadWords, p.activationBitWidth, p),
      scratchpad("weights", p.weightSpadWords, p.weightBitWidth, p),
      scratchpad("partialSums", p.partialSumSpadWords, p.partialSumBitWidth, p),
    ],
    compute: unitsOf(p),
    ...(p.rebuildsWeights && { rebuild: rebuildOf(p) }),
    constraints: { levels: rowStationary },
  });
}

/** A multiplier, and the units beside it. The engine that rebuilds weights is a shift unit: coefficients are its weights. */
function unitsOf(p: EyerissLikeParameters): Compute {
  const { areaUm2, energyPj } = multiplyAccumulate(p);
  const { operationTable: table } = p;
  const unitPj = (operation: "multiply" | "shift" | "add"): number =>
    operationEnergy({
      operation,
      bitWidth: operation === "shift" ? p.activationBitWidth : Math.max(p.weightBitWidth, p.activationBitWidth),
      table,
    }).energyPj;
  const beside = [...p.operations, ...(p.rebuildsWeights ? (["shift"] as const) : [])];
  return {
    name: "mac",
    energyPj: table === "synthesised45" ? energyPj : unitPj("multiply"),
    ...(p.operations.includes("shift") && { shiftPj: unitPj("shift") }),
    ...(p.operations.includes("add") && { addPj: unitPj("add") }),
    areaUm2: beside.reduce((sum, kind) => sum + shiftAddUnit({ kind, technologyNm: p.technologyNm }).areaUm2, areaUm2),
  };
}

function rebuildOf({ technologyNm }: EyerissLikeParameters): WeightRebuild {
  return {
    into: "weights",
    additionPj: shiftAddUnit({ kind: "shift", technologyNm }).energyPj,
    additionsPerCycle: 1,
    skippingLevels: ["weights", "partialSums"],
  };
}

/**
 * Row stationary, left loose: kernel rows and channels over the array's rows, output rows and channels over its columns,
 * kernel columns and input channels inside a processing element; groups may go to any of these. Factors, the order of
 * loops and what the array's two sides are filled with are the mapper's.
 */
const rowStationary: readonly LevelConstraints[] = [
  { level: "DRAM", keep: ["Weights", "Inputs", "Outputs"] },
  { level: "globalBuffer", keep: ["Inputs", "Outputs"], bypass: ["Weights"] },
  { level: "columns", temporal: { dimensions: [] }, spatialX: { dimensions: ["P", "Q", "M", "N", "G"] } },
  { level: "rows", temporal: { dimensions: [] }, spatialY: { dimensions: ["R", "C", "M", "G"] } },
  { level: "inputs", keep: ["Inputs"], bypass: ["Weights", "Outputs"], temporal: { dimensions: [] } },
  {
    level: "weights",
    keep: ["Weights"],
    bypass: ["Inputs", "Outputs"],
    temporal: { dimensions: ["R", "S", "C", "G"] },
  },
  { level: "partialSums", keep: ["Outputs"], bypass: ["Weights", "Inputs"], temporal: { dimensions: ["M", "G"] } },
];

function dramStorage(p: EyerissLikeParameters): Storage {
  const widthBits = 64;
  const accessPj = widthBits * dram({ kind: p.dramKind }).energyPjPerBit;
  return { widthBits, readPj: accessPj, writePj: accessPj, sharedBitsPerCycle: p.dramBitsPerCycle };
}

/** One port: reads and writes share the width. */
function globalBuffer(p: EyerissLikeParameters): Storage {
  const widthBits = p.globalBufferWidthBits;
  const figures = sram({ bytes: p.globalBufferBytes, widthBits, technologyNm: p.technologyNm });
  const entries = Math.floor((p.globalBufferBytes * 8) / widthBits);
  return { entries, widthBits, sharedBitsPerCycle: widthBits, ...costs(figures, p) };
}

/** A word read and a word written in a cycle. */
function scratchpad(name: string, words: number, bits: number, p: EyerissLikeParameters): ArchitectureLevel {
  const figures = registerFile({ words, widthBits: bits, technologyNm: p.technologyNm });
  const port = { readBitsPerCycle: bits, writeBitsPerCycle: bits };
  return { name, storage: { entries: words, widthBits: bits, wordBits: bits, ...port, ...costs(figures, p) } };
}

function costs(
  figures: MemoryFigures,
  p: EyerissLikeParameters,
): Pick<Storage, "readPj" | "writePj" | "leakagePjPerCycle" | "areaUm2"> {
  return {
    readPj: figures.readPj,
    writePj: figures.writePj,
    // mW over cycles a second: 1 mW = 1e9 pJ/s.
    leakagePjPerCycle: (figures.leakageMw * 1e9) / p.clockHz,
    areaUm2: figures.areaMm2 * 1e6,
  };
}

/** Lists of values to choose from, one per parameter that is searched. */
export type DiscreteDesignSpace<Parameters> = { readonly [Name in keyof Parameters]?: readonly Parameters[Name][] };

/** The accelerators that a search chooses among by default: 8 · 8 · 7 · 4 · 6 · 5 = 53,760 designs, all with energy data at 45 nm. */
export const eyerissLikeChoices = {
  arrayRows: [4, 6, 8, 10, 12, 14, 16, 24],
  arrayColumns: [4, 6, 8, 10, 12, 14, 16, 24],
  globalBufferBytes: [8, 16, 32, 64, 128, 256, 512].map((kilobytes) => kilobytes * 1024),
  inputSpadWords: [12, 16, 24, 48],
  weightSpadWords: [48, 96, 192, 224, 384, 512],
  partialSumSpadWords: [12, 16, 24, 32, 64],
} as const satisfies DiscreteDesignSpace<EyerissLikeParameters>;
