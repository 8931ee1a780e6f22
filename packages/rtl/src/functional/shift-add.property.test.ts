import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddUnit, createShiftUnit, encodeShiftWeight, requantize } from "./shift-add.js";

/** Half of the operands at the ends of their range, where a wrong sign or a lost carry shows. */
function word(bits: number): fc.Arbitrary<number> {
  const [least, most] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return fc.oneof(fc.integer({ min: least, max: most }), fc.constantFrom(least, most, -1, 0, 1));
}

const wrapped = (value: bigint, bits: number): number => Number(BigInt.asIntN(bits, value));

describe("shift unit", () => {
  it("accumulates ±(input << shift) in its width, wrapping as two's complement does", () => {
    const widths = fc.record({
      inputBits: fc.integer({ min: 2, max: 16 }),
      exponentBits: fc.integer({ min: 1, max: 4 }),
      accumulatorBits: fc.integer({ min: 8, max: 52 }),
    });
    const sequences = widths.chain((of) =>
      fc.tuple(
        fc.constant(of),
        fc.array(
          fc.record({
            input: word(of.inputBits),
            sign: fc.constantFrom(-1 as const, 0 as const, 1 as const),
            shift: fc.integer({ min: 0, max: 2 ** of.exponentBits - 2 }),
          }),
          { minLength: 1, maxLength: 20 },
        ),
      ),
    );
    fc.assert(
      fc.property(sequences, ([of, steps]) => {
        const unit = createShiftUnit(of);
        let expected = 0n;
        for (const { input, ...weight } of steps) {
          unit.clock(input, encodeShiftWeight(weight, of.exponentBits));
          expected += BigInt(weight.sign) * (BigInt(input) << BigInt(weight.shift));
          expect(unit.accumulator).toBe(wrapped(expected, of.accumulatorBits));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("holds fifteen exponents, two signs and zero in five bits", () => {
    const words = new Set<number>([encodeShiftWeight({ sign: 0, shift: 0 }, 4)]);
    for (const sign of [-1, 1] as const) {
      for (let shift = 0; shift <= 14; shift++) words.add(encodeShiftWeight({ sign, shift }, 4));
    }
    expect(words.size).toBe(31);
    expect(Math.max(...words)).toBeLessThan(32);
    expect(() => encodeShiftWeight({ sign: 1, shift: 15 }, 4)).toThrow("does not fit");
    expect(() => createShiftUnit().clock(200, 0)).toThrow("does not fit");
  });
});

describe("add unit", () => {
  it("accumulates −|input − weight| in its width", () => {
    const sequences = fc
      .record({ operandBits: fc.integer({ min: 2, max: 16 }), accumulatorBits: fc.integer({ min: 8, max: 52 }) })
      .chain((of) =>
        fc.tuple(
          fc.constant(of),
          fc.array(fc.tuple(word(of.operandBits), word(of.operandBits)), { minLength: 1, maxLength: 20 }),
        ),
      );
    fc.assert(
      fc.property(sequences, ([of, steps]) => {
        const unit = createAddUnit(of);
        let expected = 0n;
        for (const [input, weight] of steps) {
          unit.clock(input, weight);
          const difference = BigInt(input) - BigInt(weight);
          expected -= difference < 0n ? -difference : difference;
          expect(unit.accumulator).toBe(wrapped(expected, of.accumulatorBits));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("requantizer", () => {
  it("rounds half to even, clips, rectifies", () => {
    const plain = { factor: 1, offset: 0 };
    expect([5, 6, 7, -5, -6, 2].map((value) => requantize(value, { ...plain, shift: 2 }, { outputBits: 8 }))).toEqual([
      1, 2, 2, -1, -2, 0,
    ]);
    expect(requantize(1000, { ...plain, shift: 1 }, { outputBits: 8 })).toBe(127);
    expect(requantize(-1000, { ...plain, shift: 1 }, { outputBits: 8 })).toBe(-127);
    expect(requantize(-9, { ...plain, shift: 1 }, { outputBits: 8, isRectified: true })).toBe(0);
    expect(requantize(3, { ...plain, shift: -2 }, { outputBits: 8 })).toBe(12);
  });

  it("is the nearest integer to value · factor / 2^shift", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 30), max: 2 ** 30 }),
        fc.integer({ min: -32767, max: 32767 }),
        fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
        fc.integer({ min: 1, max: 30 }),
        (value, factor, offset, shift) => {
          const found = requantize(value, { factor, offset, shift }, { outputBits: 53 });
          const exact = BigInt(value) * BigInt(factor) + BigInt(offset);
          const distance = exact - (BigInt(found) << BigInt(shift));
          const half = 1n << BigInt(shift - 1);
          expect(distance <= half && distance >= -half).toBe(true);
          if (distance === half || distance === -half) expect(found % 2 === 0).toBe(true);
        },
      ),
    );
  });
});
