import { inputError } from "@dovetail/core";
import { multiplyAccumulate } from "../energy/multiply-accumulate.js";
import { registerFile } from "../energy/register-file.js";
import { scaleTechnology } from "../energy/scale-technology.js";
import { figure } from "../energy/source-lookup.js";
import { sram } from "../energy/sram.js";
import { eyerissNormalised } from "../energy/tables/eyeriss-normalised.js";

// Eyeriss as built (Chen et al., JSSC 2017): row stationary in processing passes. In a pass the array is filled once with
// filters, and every unit multiplies one kernel row with windows of one input row. Nothing here is fitted; bus widths and
// the chip's mappings are recalled from the paper (docs/models/silicon.md).

/** What of the chip decides cycles and accesses. */
export interface EyerissChip {
  readonly rows: number;
  readonly columns: number;
  readonly clockHz: number;
  /** Words of 16 bit that the networks bring into the array in a cycle. */
  readonly filterWordsPerCycle: number;
  readonly inputWordsPerCycle: number;
  readonly inputSpadWords: number;
  readonly filterSpadWords: number;
  readonly partialSumSpadWords: number;
  readonly globalBufferBytes: number;
}

/**
 * Energies of memories: `cacti`, from the tables of energy/; `authors`, from the table of energies relative to a
 * multiply-accumulate that the chip's authors extracted from a commercial 65 nm process (ISCA 2016).
 */
export type EyerissAccessEnergies = "cacti" | "authors";

/** The chip of JSSC 2017 on AlexNet's clock. */
export const eyerissChip: EyerissChip = {
  rows: 12,
  columns: 14,
  clockHz: 200e6,
  filterWordsPerCycle: 4,
  inputWordsPerCycle: 1,
  inputSpadWords: 12,
  filterSpadWords: 224,
  partialSumSpadWords: 24,
  globalBufferBytes: 108 * 1024,
};

/** A convolution; channels are of one group. */
export interface EyerissLayer {
  readonly name: string;
  readonly batch: number;
  readonly groups: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly kernelSize: number;
  readonly outputSize: number;
  readonly stride: number;
  /**
   * Part of the inputs that are zero: for them the unit neither reads its filter scratchpad nor switches (JSSC 2017,
   * section V-C). Its partial sum is taken to be read and written all the same. Default 0.
   */
  readonly zeroInputFraction?: number | undefined;
}

/** A mapping in the paper's letters. */
export interface EyerissMapping {
  /** Images of a pass. */
  readonly n: number;
  /** Output rows of a pass: columns of a set of units. */
  readonly e: number;
  /** Filters and channels that a unit interleaves. */
  readonly p: number;
  readonly q: number;
  /** Sets of units that work on other channels, and on other filters. */
  readonly r: number;
  readonly t: number;
}

export interface EyerissCost {
  readonly macs: number;
  readonly activeUnits: number;
  readonly passes: number;
  readonly latencyCycles: number;
  /** Words of 16 bit between the global buffer and the array; filters pass through its prefetch part. */
  readonly bufferWords: { readonly inputs: number; readonly filters: number; readonly partialSums: number };
  /** At 65 nm; networks, clock and control are in no table. */
  readonly energyPj: { readonly units: number; readonly scratchpads: number; readonly globalBuffer: number };
}

/**
 * Cycles, accesses and energy of a layer on the chip. A pass takes the time that its filters and the first window of its
 * inputs take to come in, then n · F · S · p · q cycles of multiplying; further inputs and partial sums move meanwhile.
 *
 * @throws DovetailError `eyeriss_mapping` when the mapping exceeds the array or a scratchpad, or a number is no size.
 */
export function eyerissPassCost(
  layer: EyerissLayer,
  mapping: EyerissMapping,
  options: {
    readonly chip?: EyerissChip | undefined;
    readonly accessEnergies?: EyerissAccessEnergies | undefined;
  } = {},
): EyerissCost {
  const { chip = eyerissChip, accessEnergies = "cacti" } = options;
  checkMapping(layer, mapping, chip);
  const { batch, groups, inputChannels, outputChannels, kernelSize, outputSize, stride } = layer;
  const { n, e, p, q, r, t } = mapping;
  const channelPasses = Math.ceil(inputChannels / (q * r));
  const otherPasses = groups * Math.ceil(outputChannels / (p * t)) * Math.ceil(outputSize / e) * Math.ceil(batch / n);
  const passes = channelPasses * otherPasses;
  const filterWords = p * t * q * r * kernelSize ** 2;
  const inputRows = (e - 1) * stride + kernelSize;
  const inputWords = n * q * r * inputRows * ((outputSize - 1) * stride + kernelSize);
  const firstWindow = q * r * inputRows * kernelSize;
  const filling = Math.ceil(filterWords / chip.filterWordsPerCycle) + Math.ceil(firstWindow / chip.inputWordsPerCycle);
  const multiplying = n * outputSize * kernelSize * p * q;
  const macs = batch * groups * outputChannels * inputChannels * outputSize ** 2 * kernelSize ** 2;
  const sums = n * e * outputSize * p * t;
  const bufferWords = {
    inputs: passes * inputWords,
    filters: passes * filterWords,
    // Written in every pass, read back in all but the first over the channels.
    partialSums: otherPasses * sums * (2 * channelPasses - 1),
  };
  return {
    macs,
    activeUnits: kernelSize * e * r * t,
    passes,
    latencyCycles: passes * (filling + multiplying),
    bufferWords,
    energyPj: energyOf(macs, 1 - (layer.zeroInputFraction ?? 0), bufferWords, wordEnergies(chip, accessEnergies)),
  };
}

const technologyNm = 65;
const wordBits = 16;
const bufferWidthBits = 64;

function energyOf(
  macs: number,
  inputDensity: number,
  bufferWords: EyerissCost["bufferWords"],
  pj: WordEnergies,
): EyerissCost["energyPj"] {
  // Half of the traffic of partial sums is writes; inputs and filters are read.
  const reads = bufferWords.inputs + bufferWords.filters + bufferWords.partialSums / 2;
  return {
    units: macs * inputDensity * pj.unit,
    scratchpads: macs * (pj.input + pj.filter * inputDensity + pj.sumRead + pj.sumWrite),
    globalBuffer: reads * pj.bufferRead + (bufferWords.partialSums / 2) * pj.bufferWrite,
  };
}

/** Energies of a multiply-accumulate and of accesses of a 16-bit word, pJ at 65 nm. */
interface WordEnergies {
  readonly unit: number;
  readonly input: number;
  readonly filter: number;
  readonly sumRead: number;
  readonly sumWrite: number;
  readonly bufferRead: number;
  readonly bufferWrite: number;
}

function wordEnergies(chip: EyerissChip, source: EyerissAccessEnergies): WordEnergies {
  const cell = multiplyAccumulate({ weightBitWidth: wordBits, activationBitWidth: wordBits, technologyNm: 45 });
  const scale = scaleTechnology({ quantity: "energy", fromNm: 45, toNm: technologyNm, supplyVolts: 1 }).factor;
  const unit = cell.energyPj * scale;
  if (source === "authors") {
    const register = unit * figure(eyerissNormalised, "registerFile").value;
    const buffer = unit * figure(eyerissNormalised, "globalBuffer").value;
    const spads = { input: register, filter: register, sumRead: register, sumWrite: register };
    return { unit, ...spads, bufferRead: buffer, bufferWrite: buffer };
  }
  const spad = (words: number) => registerFile({ words, widthBits: wordBits, technologyNm });
  const sums = spad(chip.partialSumSpadWords);
  const buffer = sram({ bytes: chip.globalBufferBytes, widthBits: bufferWidthBits, technologyNm });
  const wordsPerRow = bufferWidthBits / wordBits;
  return {
    unit,
    input: spad(chip.inputSpadWords).readPj,
    filter: spad(chip.filterSpadWords).readPj,
    sumRead: sums.readPj,
    sumWrite: sums.writePj,
    bufferRead: buffer.readPj / wordsPerRow,
    bufferWrite: buffer.writePj / wordsPerRow,
  };
}

function checkMapping(layer: EyerissLayer, mapping: EyerissMapping, chip: EyerissChip): void {
  const { name, zeroInputFraction = 0, ...sizes } = layer;
  if (!(zeroInputFraction >= 0 && zeroInputFraction <= 1)) {
    refuse(name, "zeroInputFraction", "no part of the inputs", "0 to 1", zeroInputFraction);
  }
  for (const [field, value] of Object.entries({ ...sizes, ...mapping })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    refuse(name, field, "not a size", "a positive integer", value);
  }
  const { e, p, q, r, t } = mapping;
  // A set of units wider than the array is folded: what counts is the number of units.
  const sets = layer.kernelSize > chip.rows ? 0 : Math.floor((chip.rows * chip.columns) / (layer.kernelSize * e));
  if (r * t > sets) refuse(name, "r · t", "more sets than the array holds", `at most ${sets}`, r * t);
  const limits = [
    ["q · S", q * layer.kernelSize, chip.inputSpadWords],
    ["p · q · S", p * q * layer.kernelSize, chip.filterSpadWords],
    ["p", p, chip.partialSumSpadWords],
  ] as const;
  for (const [what, words, most] of limits) {
    if (words > most) refuse(name, what, "more than the scratchpad holds", `at most ${most}`, words);
  }
}

function refuse(layer: string, field: string, message: string, expected: string, received: number): never {
  throw inputError("eyeriss_mapping", message, { path: [layer, field], expected, received: String(received) });
}
