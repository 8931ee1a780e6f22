import { createRandomStream } from "@dovetail/core";
import { boothTerms, lockstepCycles, uniformWords } from "@dovetail/hardware";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boothDigits } from "./booth.js";
import { createPeLine, multiplyRow, slidingInputs } from "./pe-line.js";
import { createRebuildEngine, encodeCoefficient } from "./rebuild-engine.js";
import { createRebuildingLine } from "./rebuilding-line.js";

const code = fc.oneof(fc.constant(0), fc.integer({ min: -7, max: 7 }));
const element = fc.oneof(fc.integer({ min: -127, max: 127 }), fc.constantFrom(-128, -1, 0, 127));
const words = (codes: readonly number[]): number[] => codes.map((each) => encodeCoefficient(each));
/** What a code stands for, in units of the smallest power of two. */
const coefficient = (value: number): number => (value === 0 ? 0 : Math.sign(value) * 2 ** (7 - Math.abs(value)));

/** Column of a row of coefficients times a basis, by definition. */
function product(codes: readonly number[], basis: readonly number[], column: number): number {
  const columns = codes.length;
  return codes.reduce((sum, value, row) => sum + coefficient(value) * basis[row * columns + column]!, 0);
}

describe("Booth digits", () => {
  it("sum up to the number, are as many as the cost model counts, and lie between -2 and 2", () => {
    for (let value = -32768; value <= 65535; value++) {
      const digits = boothDigits(value);
      const sum = digits.reduce((total, { digit, place }) => total + digit * 4 ** place, 0);
      if (sum !== value || digits.length !== boothTerms(value)) throw new Error(`${value}: ${JSON.stringify(digits)}`);
      if (digits.some(({ digit }) => ![-2, -1, 1, 2].includes(digit))) throw new Error(`${value}`);
    }
    expect(boothDigits(255)).toEqual([
      { digit: -1, place: 0 },
      { digit: 1, place: 4 },
    ]);
  });
});

describe("rebuild engine", () => {
  it("gives coefficients times basis, rounded to halves up and saturated at the weights' width", () => {
    const sizes = fc.integer({ min: 1, max: 5 }).chain((columns) =>
      fc.record({
        columns: fc.constant(columns),
        codes: fc.array(code, { minLength: columns, maxLength: columns }),
        basis: fc.array(element, { minLength: columns ** 2, maxLength: columns ** 2 }),
        outputShift: fc.integer({ min: -3, max: 10 }),
        weightBits: fc.integer({ min: 4, max: 24 }),
      }),
    );
    fc.assert(
      fc.property(sizes, ({ columns, codes, basis, outputShift, weightBits }) => {
        const engine = createRebuildEngine({ columns, weightBits });
        engine.load(basis, outputShift);
        const before = engine.cycles;
        const row = engine.rebuild(words(codes));
        expect(engine.cycles - before).toBe(codes.filter((each) => each !== 0).length);
        const [least, most] = [-(2 ** (weightBits - 1)), 2 ** (weightBits - 1) - 1];
        for (let column = 0; column < columns; column++) {
          // Half up, by hand in whole numbers.
          const sum = BigInt(product(codes, basis, column));
          const scaled =
            outputShift > 0
              ? Number((sum + (1n << BigInt(outputShift - 1))) >> BigInt(outputShift))
              : Number(sum << BigInt(-outputShift));
          expect(row[column]).toBe(Math.max(least, Math.min(most, scaled)));
        }
      }),
    );
  });

  it("loads a basis behind the rows before it, where it has a second register", () => {
    const basis = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const rows = [
      [1, 2, 3],
      [0, 0, -7],
    ].map(words);
    for (const [basisRegisters, expected] of [
      // Three cycles for the first basis, four coefficients that hide the second, one coefficient that hides one of three.
      [2, 3 + 4 + 0 + 1 + 2],
      [1, 3 + 4 + 3 + 1 + 3],
    ] as const) {
      const engine = createRebuildEngine({ basisRegisters });
      engine.load(basis);
      for (const row of rows) engine.rebuild(row);
      engine.load(basis);
      engine.rebuild(rows[1]!);
      engine.load(basis);
      expect(engine.cycles).toBe(expected);
    }
  });

  it("holds seven exponents, two signs and zero in four bits, and refuses what is none of them", () => {
    const all = new Set(Array.from({ length: 15 }, (_, index) => encodeCoefficient(index - 7)));
    expect(all.size).toBe(15);
    expect(Math.max(...all)).toBe(15);
    expect(() => encodeCoefficient(8)).toThrow("expected -7 to 7, received 8");
    const engine = createRebuildEngine();
    expect(() => engine.rebuild([1, 1, 1])).toThrow("no basis was loaded");
    engine.load(new Array(9).fill(1));
    expect(() => engine.rebuild([1, 8, 1])).toThrow("expected words of coefficients, received 8");
    expect(() => engine.rebuild([1, 1])).toThrow("expected 3, received 2");
    expect(() => engine.load([200, 0, 0, 0, 0, 0, 0, 0, 0])).toThrow("expected elements of 8 bit, received 200");
    expect(() => createRebuildEngine({ exponents: 8 })).toThrow("exponents: no size of a unit");
  });
});

describe("line of bit-serial multipliers", () => {
  it("convolves a row, at any stride and dilation, in as many cycles as the slowest of its activations have digits", () => {
    const rows = fc
      .record({
        multipliers: fc.integer({ min: 1, max: 8 }),
        taps: fc.integer({ min: 1, max: 5 }),
        stride: fc.integer({ min: 1, max: 2 }),
        dilation: fc.integer({ min: 1, max: 2 }),
        signedInputs: fc.boolean(),
      })
      .chain((of) => {
        const length = (of.multipliers - 1) * of.stride + 1 + (of.taps - 1) * of.dilation;
        const input = of.signedInputs ? fc.integer({ min: -128, max: 127 }) : fc.integer({ min: 0, max: 255 });
        return fc.record({
          of: fc.constant(of),
          weights: fc.array(fc.integer({ min: -128, max: 127 }), { minLength: of.taps, maxLength: of.taps }),
          inputs: fc.array(fc.oneof(fc.constant(0), input), { minLength: length, maxLength: length }),
        });
      });
    fc.assert(
      fc.property(rows, ({ of, weights, inputs }) => {
        const line = createPeLine({ multipliers: of.multipliers, signedInputs: of.signedInputs });
        const cycles = multiplyRow(line, weights, slidingInputs(inputs, of));
        let expectedCycles = 0;
        for (let tap = 0; tap < of.taps; tap++) {
          const met = Array.from({ length: of.multipliers }, (_, f) => inputs[f * of.stride + tap * of.dilation]!);
          expectedCycles += Math.max(1, ...met.map(boothTerms));
        }
        expect(cycles).toBe(expectedCycles);
        for (let f = 0; f < of.multipliers; f++) {
          const sum = weights.reduce((total, w, tap) => total + w * inputs[f * of.stride + tap * of.dilation]!, 0);
          expect(line.accumulators[f]).toBe(sum);
        }
      }),
    );
  });

  it("takes the cycles that the cost model expects of independent words", () => {
    const random = createRandomStream(5);
    const line = createPeLine();
    const rows = 4000;
    let cycles = 0;
    for (let row = 0; row < rows; row++) {
      const inputs = [Array.from({ length: 8 }, () => Math.floor(random.uniform() * 256))];
      cycles += multiplyRow(line, [1], inputs);
    }
    const expected = lockstepCycles(uniformWords(8, false).boothTerms, 8);
    expect(Math.abs(cycles / rows / expected - 1)).toBeLessThan(0.01);
  });

  it("wraps at its accumulators' width, and refuses what it does not hold", () => {
    const line = createPeLine({ multipliers: 1, accumulatorBits: 16 });
    multiplyRow(line, [127], [[255]]);
    multiplyRow(line, [127], [[255]]);
    expect(line.accumulators).toEqual([2 * 127 * 255 - 65536]);
    line.start(1, [255]);
    expect(() => line.start(1, [1])).toThrow("the line still computes");
    line.clock();
    line.clock();
    expect(line.isReady).toBe(true);
    expect(() => line.start(128, [1])).toThrow("expected 8 bit, received 128");
    expect(() => line.start(1, [-1])).toThrow("expected 0 to 255, received -1");
    expect(() => line.start(1, [1, 2])).toThrow("one for each multiplier, received 2");
    expect(() => slidingInputs([1, 2], { multipliers: 2, taps: 3 })).toThrow("expected 4 words, received 2");
  });
});

describe("line with its rebuild engine", () => {
  it("sums up what coefficients times bases and activations make, skips zero rows, and overlaps the two", () => {
    const pair = fc.record({
      codes: fc.option(fc.array(code, { minLength: 3, maxLength: 3 }), { nil: undefined }),
      basis: fc.integer({ min: 0, max: 1 }),
      inputs: fc.option(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 10, maxLength: 10 }), {
        nil: undefined,
      }),
    });
    const matrices = fc.array(fc.array(element, { minLength: 9, maxLength: 9 }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 12 }), matrices, (pairs, bases) => {
        const line = createRebuildingLine({ weightBits: 16, accumulatorBits: 40 });
        const result = line.run(
          pairs.map(({ codes, basis, inputs }) => ({
            basis,
            ...(codes !== undefined && { coefficients: words(codes) }),
            ...(inputs !== undefined && { inputs: slidingInputs(inputs, { multipliers: 8, taps: 3 }) }),
          })),
          bases.map((elements) => ({ elements, outputShift: 0 })),
        );
        const met = pairs.filter(({ codes, inputs }) => codes !== undefined && inputs !== undefined);
        expect(result.pairs).toBe(met.length);
        for (let f = 0; f < 8; f++) {
          let sum = 0;
          for (const { codes, basis, inputs } of met) {
            for (let tap = 0; tap < 3; tap++) sum += product(codes!, bases[basis]!, tap) * inputs![f + tap]!;
          }
          expect(result.sums[f]).toBe(sum);
        }
        const { cycles, multiplyCycles, rebuildCycles } = result;
        expect(cycles).toBeGreaterThanOrEqual(Math.max(multiplyCycles, rebuildCycles));
        expect(cycles).toBeLessThanOrEqual(multiplyCycles + rebuildCycles);
      }),
    );
  });

  it("counts cycles as a pipeline of two stages does", () => {
    const line = createRebuildingLine({ multipliers: 1 });
    const basis = { elements: [1, 0, 0, 0, 1, 0, 0, 0, 1], outputShift: 6 };
    // Three taps with 255 take two cycles each; with 0, one.
    const slow = [[255], [255], [255]];
    const quick = [[0], [0], [0]];
    const full = { coefficients: words([1, 1, 1]), basis: 0 };
    const sparse = { coefficients: words([1, 0, 0]), basis: 0 };
    const { sums, ...counts } = line.run(
      [
        { ...full, inputs: slow },
        { ...sparse, inputs: quick },
        { ...full, inputs: slow },
      ],
      [basis],
    );
    // Loading 3 and rebuilding 3; 6 products over 1 coefficient; 3 products over 3 coefficients; 6 products.
    expect(counts).toEqual({ cycles: 6 + 6 + 3 + 6, multiplyCycles: 15, rebuildCycles: 3 + 3 + 1 + 3, pairs: 3 });
    expect(sums).toEqual([2 * 3 * 255]);
  });
});
