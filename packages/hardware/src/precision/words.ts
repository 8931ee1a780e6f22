import { inputError } from "@dovetail/core";

// What decides the cycles of bit-serial units: how many words are zero, and how many one-bits (or Booth digits) the others
// have. Taken from a tensor, or from a distribution that is stated.

/** Probability of each number of terms a word: entry k is that of k terms. Sums to 1. */
export type TermDistribution = readonly number[];

/** Statistics of words of up to 16 bit. */
export interface WordStatistics {
  readonly bitWidth: number;
  /** Part of the words that are zero. */
  readonly zeroFraction: number;
  /** One-bits of the magnitude: the terms of a unit that skips zero bits (Bit-Pragmatic). */
  readonly essentialBits: TermDistribution;
  /** Digits other than 0 of radix-4 Booth recoding, in two's complement. */
  readonly boothTerms: TermDistribution;
}

const widestBits = 16;

/**
 * Statistics of a tensor of integer codes, e.g. 8-bit activations as they are multiplied.
 *
 * @throws DovetailError `word_statistics` when there is no word, or one is no integer of `bitWidth` bits.
 */
export function measureWords(
  codes: ArrayLike<number>,
  { bitWidth, signed }: { readonly bitWidth: number; readonly signed: boolean },
): WordStatistics {
  const [least, most] = codeRange(bitWidth, signed);
  if (codes.length === 0) refuse("there is no word to measure", "at least one word", "0 words");
  const counts = new Float64Array(most - least + 1);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index]!;
    if (!Number.isInteger(code) || code < least || code > most) {
      refuse(`word ${index} does not fit ${bitWidth} bits`, `an integer from ${least} to ${most}`, String(code));
    }
    counts[code - least]!++;
  }
  return statisticsOf(bitWidth, least, counts);
}

/** Statistics of words of which every code is equally likely. */
export function uniformWords(bitWidth: number, signed: boolean): WordStatistics {
  const [least, most] = codeRange(bitWidth, signed);
  return statisticsOf(bitWidth, least, new Float64Array(most - least + 1).fill(1));
}

/**
 * Statistics of a stated distribution of activations behind a ReLU: zero with `zeroFraction`, else the magnitude of a
 * normal variable with deviation `deviation` (in codes), rounded to a code, at most the largest and at least 1.
 */
export function halfNormalWords(options: {
  readonly bitWidth: number;
  readonly deviation: number;
  readonly zeroFraction: number;
}): WordStatistics {
  const { bitWidth, deviation, zeroFraction } = options;
  const [, most] = codeRange(bitWidth, false);
  if (!(zeroFraction >= 0 && zeroFraction <= 1)) refuse("no part of the words", "0 to 1", String(zeroFraction));
  if (!(deviation > 0)) refuse("no deviation", "a positive number of codes", String(deviation));
  const weights = new Float64Array(most + 1);
  for (let code = 1; code <= most; code++) weights[code] = Math.exp(-0.5 * (code / deviation) ** 2);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (let code = 1; code <= most; code++) weights[code]! *= (1 - zeroFraction) / sum;
  weights[0] = zeroFraction;
  return statisticsOf(bitWidth, 0, weights);
}

/** Terms of a word on average. */
export function meanTerms(terms: TermDistribution): number {
  return terms.reduce((sum, probability, count) => sum + count * probability, 0);
}

/**
 * Cycles that `lanes` serial units take which wait for the slowest: the expected maximum of as many independent words,
 * and one cycle where all words are zero. Neighbouring words of a real tensor are not independent: they resemble one
 * another, so that this is an upper estimate.
 */
export function lockstepCycles(terms: TermDistribution, lanes: number): number {
  let cycles = 1;
  let atMost = terms[0]!;
  for (let count = 1; count < terms.length; count++) {
    atMost += terms[count]!;
    // P(maximum > count), for every count from 1 on; the first cycle is always taken.
    if (count < terms.length - 1) cycles += 1 - Math.min(1, atMost) ** lanes;
  }
  return cycles;
}

/** Part of the rows of `length` words that hold nothing but zeros: what skipping of whole vectors can save. */
export function zeroRowFraction(codes: ArrayLike<number>, length: number): number {
  const rows = codes.length / length;
  if (!Number.isInteger(rows) || rows < 1)
    refuse("the rows do not divide the tensor", `rows of ${length}`, `${codes.length} words`);
  let zero = 0;
  for (let row = 0; row < rows; row++) {
    let isZero = true;
    for (let index = row * length; isZero && index < (row + 1) * length; index++) isZero = codes[index] === 0;
    if (isZero) zero++;
  }
  return zero / rows;
}

/** One-bits of a magnitude. */
export function essentialBits(code: number): number {
  let ones = 0;
  for (let rest = Math.abs(code); rest > 0; rest >>>= 1) ones += rest & 1;
  return ones;
}

/** Digits other than 0 in radix-4 Booth recoding: digit i = −2·b(2i+1) + b(2i) + b(2i−1). */
export function boothTerms(code: number): number {
  let terms = 0;
  for (let rest = code, below = 0; !(rest === 0 && below === 0) && !(rest === -1 && below === 1); rest >>= 2) {
    const digit = -2 * ((rest >> 1) & 1) + (rest & 1) + below;
    if (digit !== 0) terms++;
    below = (rest >> 1) & 1;
  }
  return terms;
}

function codeRange(bitWidth: number, signed: boolean): [number, number] {
  if (!Number.isInteger(bitWidth) || bitWidth < 1 || bitWidth > widestBits) {
    refuse("words of this width are not measured", `1 to ${widestBits} bit`, `${bitWidth} bit`);
  }
  return signed ? [-(2 ** (bitWidth - 1)), 2 ** (bitWidth - 1) - 1] : [0, 2 ** bitWidth - 1];
}

function statisticsOf(bitWidth: number, least: number, weights: Float64Array): WordStatistics {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const essential = new Array<number>(bitWidth + 1).fill(0);
  const booth = new Array<number>(Math.floor(bitWidth / 2) + 2).fill(0);
  weights.forEach((weight, index) => {
    const code = index + least;
    essential[essentialBits(code)]! += weight / total;
    booth[boothTerms(code)]! += weight / total;
  });
  return { bitWidth, zeroFraction: essential[0]!, essentialBits: essential, boothTerms: booth };
}

function refuse(message: string, expected: string, received: string): never {
  throw inputError("word_statistics", message, { expected, received });
}
