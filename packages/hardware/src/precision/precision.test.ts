import { describe, expect, it } from "vitest";
import { structuredWeights } from "./structured-weights.js";
import { type UnitRule, unitPace } from "./unit-pace.js";
import {
  boothTerms,
  essentialBits,
  halfNormalWords,
  lockstepCycles,
  meanTerms,
  measureWords,
  uniformWords,
  zeroRowFraction,
} from "./words.js";

describe("products a cycle of a unit, by precision", () => {
  // seeds-hardware.md section 5.4, columns 2, 3, 4, 5, 6, 7, 8, 12, 16 bit.
  const precisions = [2, 3, 4, 5, 6, 7, 8, 12, 16];
  const rows: readonly (readonly [string, UnitRule, readonly number[]])[] = [
    ["Bit Fusion", { kind: "composable", widestBits: 8, narrowestBits: 2 }, [16, 4, 4, 1, 1, 1, 1, 1 / 4, 1 / 4]],
    ["Stripes", { kind: "serial", serialOperand: "inputs", widestBits: 16 }, precisions.map((bits) => 1 / bits)],
    ["Loom", { kind: "serialBoth" }, precisions.map((bits) => 1 / bits ** 2)],
    ["2-in-1", { kind: "tiledSerial" }, [2, 4 / 3, 1, 1 / 3, 1 / 3, 1 / 4, 1 / 4, 1 / 12, 1 / 16]],
    ["8-bit multiplier", { kind: "fixed", widestBits: 8 }, [1, 1, 1, 1, 1, 1, 1, 1 / 4, 1 / 4]],
  ];
  it.each(rows)("%s", (_, rule, expected) => {
    const found = precisions.map((bits) => {
      const { products, cycles } = unitPace(rule, bits, bits);
      return products / cycles;
    });
    for (const [index, value] of found.entries()) expect(value).toBeCloseTo(expected[index]!, 12);
  });

  it("of unequal widths", () => {
    expect(unitPace({ kind: "composable", widestBits: 8, narrowestBits: 2 }, 2, 8)).toEqual({ products: 4, cycles: 1 });
    expect(unitPace({ kind: "serial", serialOperand: "weights", widestBits: 8 }, 3, 8)).toEqual({
      products: 1,
      cycles: 3,
    });
    expect(unitPace({ kind: "serial", serialOperand: "weights", widestBits: 8 }, 3, 16)).toEqual({
      products: 1,
      cycles: 6,
    });
    expect(() => unitPace({ kind: "tiledSerial" }, 8, 24)).toThrow("expected at most 16 bit, received 24 bit");
    expect(() => unitPace({ kind: "add" }, 0, 8)).toThrow("received 0 bit");
  });
});

describe("statistics of words", () => {
  it("count one-bits and Booth digits", () => {
    // In radix 4: 6 = 2·4 − 2, 127 = 2·64 − 1, −9 = −16 + 2·4 − 1, −128 = −2·64, 255 = 256 − 1.
    expect([0, 1, 6, 127, -9, -128, 255].map(essentialBits)).toEqual([0, 1, 2, 7, 2, 1, 8]);
    expect([0, 1, 6, 127, -9, -128, 255].map(boothTerms)).toEqual([0, 1, 2, 2, 3, 1, 2]);
  });

  it("Booth digits give the number back, with at most ⌈bits / 2⌉ of them in two's complement", () => {
    for (let code = -128; code <= 127; code++) {
      let sum = 0;
      let terms = 0;
      for (let digit = 0; digit < 4; digit++) {
        const bit = (place: number): number => (place < 0 ? 0 : (code >> place) & 1);
        const value = -2 * bit(2 * digit + 1) + bit(2 * digit) + bit(2 * digit - 1);
        sum += value * 4 ** digit;
        if (value !== 0) terms++;
      }
      expect(sum).toBe(code);
      expect(boothTerms(code)).toBe(terms);
    }
  });

  it("of a tensor", () => {
    const words = measureWords([0, 0, 3, 8], { bitWidth: 4, signed: false });
    expect(words.zeroFraction).toBe(0.5);
    expect(words.essentialBits).toEqual([0.5, 0.25, 0.25, 0, 0]);
    // 3 = 4 − 1 and 8 = 16 − 2·4 in radix 4.
    expect(words.boothTerms).toEqual([0.5, 0, 0.5, 0]);
    expect(() => measureWords([16], { bitWidth: 4, signed: false })).toThrow("word 0 does not fit 4 bits");
    expect(() => measureWords([], { bitWidth: 4, signed: false })).toThrow("no word");
    expect(zeroRowFraction([0, 0, 0, 1, 0, 0], 2)).toBeCloseTo(2 / 3, 12);
    expect(() => zeroRowFraction([0, 0, 0], 2)).toThrow("do not divide");
  });

  it("of stated distributions", () => {
    // Half of the bits of a uniform word are ones; three of four Booth digits are other than 0.
    expect(meanTerms(uniformWords(8, false).essentialBits)).toBeCloseTo(4, 12);
    expect(meanTerms(uniformWords(8, true).boothTerms)).toBeCloseTo(3, 12);
    const relu = halfNormalWords({ bitWidth: 8, deviation: 40, zeroFraction: 0.4 });
    expect(relu.zeroFraction).toBeCloseTo(0.4, 12);
    expect(relu.essentialBits.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(() => halfNormalWords({ bitWidth: 8, deviation: 0, zeroFraction: 0.4 })).toThrow("no deviation");
  });

  it("units in lockstep wait for the slowest", () => {
    const { essentialBits: terms } = uniformWords(8, false);
    // One lane: the mean, and one cycle for a zero.
    expect(lockstepCycles(terms, 1)).toBeCloseTo(4 + 1 / 256, 12);
    // Two lanes, by enumeration of all pairs.
    let sum = 0;
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) sum += Math.max(1, essentialBits(a), essentialBits(b));
    }
    expect(lockstepCycles(terms, 2)).toBeCloseTo(sum / 65536, 12);
    expect(lockstepCycles(terms, 1e9)).toBeCloseTo(8, 2);
  });
});

describe("SmartExchange's form", () => {
  it.each([
    [512, 1],
    [1024, 2],
    [4096, 8],
  ])("folds %d channels of a 1×1 layer to %d bases a filter", (inputChannels, pieces) => {
    const shape = { outputChannels: 10, inputChannels, kernelHeight: 1, kernelWidth: 1 };
    const form = structuredWeights(shape, { keptRowFraction: 1 });
    expect(form.bases).toBe(10 * pieces);
    expect(form.rows).toBe(10 * Math.ceil(inputChannels / 3));
  });

  it("of a 3×3 layer: pieces of 192 rows, 4 bits a coefficient, a bit a row, 72 a basis", () => {
    const shape = { outputChannels: 64, inputChannels: 512, kernelHeight: 3, kernelWidth: 3 };
    const form = structuredWeights(shape, { keptRowFraction: 0.25 });
    const rows = 64 * 1536;
    expect(form).toMatchObject({ columns: 3, rows, keptRows: rows / 4, bases: 64 * 8 });
    expect(form.totalBits).toBe((rows / 4) * 12 + rows + 64 * 8 * 72);
    expect(form.rebuildAdditions).toBe((rows / 4) * 9);
    // 32 bits a weight over the stored ones: what the published compression rates mean.
    expect(32 / form.bitsPerWeight).toBeCloseTo(21.9, 1);
  });

  it("leaves prime heights whole, and refuses what is no size or part", () => {
    const shape = { outputChannels: 1, inputChannels: 331, kernelHeight: 1, kernelWidth: 5 };
    expect(structuredWeights(shape, { keptRowFraction: 1 }).bases).toBe(1);
    expect(() => structuredWeights({ ...shape, inputChannels: 0 }, { keptRowFraction: 1 })).toThrow("inputChannels");
    expect(() => structuredWeights(shape, { keptRowFraction: 1.5 })).toThrow("keptRowFraction: no part of a whole");
  });
});
