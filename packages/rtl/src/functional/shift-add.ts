import { inputError } from "@dovetail/core";
import { fitsSigned, wrapSigned } from "./operand.js";

// The processing elements of ShiftAddNet (You et al., NeurIPS 2020): one operation and one accumulation a cycle, no multiplier.

/** Fields of a stored weight of a shift layer. */
export interface ShiftWeightFields {
  /** 0 for a zero weight, −1 or 1 else. */
  readonly sign: -1 | 0 | 1;
  /** The weight is sign · 2^shift in units of its smallest power; 0 of a zero weight. */
  readonly shift: number;
}

/**
 * The word that holds a weight: the exponent's field in the low bits, the sign above it. The field's largest value means
 * zero: 4 bits for shifts 0…14 make a word of 5.
 *
 * @throws DovetailError `unit_operands` for a shift that the field does not hold.
 */
export function encodeShiftWeight({ sign, shift }: ShiftWeightFields, exponentBits: number): number {
  const zero = 2 ** exponentBits - 1;
  if (sign === 0) return zero;
  if (!Number.isInteger(shift) || shift < 0 || shift >= zero) {
    throw inputError("unit_operands", "a shift does not fit its field", {
      path: ["shift"],
      expected: `0 to ${zero - 1}`,
      received: String(shift),
    });
  }
  return shift | (sign < 0 ? 1 << exponentBits : 0);
}

/** A processing element: `clock` takes an input and a weight word and accumulates in the same cycle. */
export interface AccumulatingUnit {
  readonly accumulator: number;
  /** @throws DovetailError `unit_operands` for words outside their widths. */
  clock(input: number, weight: number): void;
  /** Sets the accumulator to a value, wrapped to its width; to zero without one. */
  load(value?: number): void;
}

export interface ShiftUnitOptions {
  /** Width of the input, two's complement; 8 by default. */
  readonly inputBits?: number | undefined;
  /** Width of the exponent's field; 3 by default (shifts 0…6). */
  readonly exponentBits?: number | undefined;
  /** Width of the accumulator, which wraps; 24 by default, at most 52. */
  readonly accumulatorBits?: number | undefined;
}

/** acc ← acc ± (input << shift), or acc for a zero weight. A subtraction is an addition of the inverse with carry-in. */
export function createShiftUnit(options: ShiftUnitOptions = {}): AccumulatingUnit {
  const { inputBits = 8, exponentBits = 3, accumulatorBits = 24 } = options;
  checkWidths({ inputBits, exponentBits, accumulatorBits });
  const exponentMask = 2 ** exponentBits - 1;
  let accumulator = 0;
  return {
    get accumulator() {
      return accumulator;
    },
    clock(input, weight) {
      checkSigned("input", input, inputBits);
      checkUnsigned("weight", weight, exponentBits + 1);
      const shift = weight & exponentMask;
      if (shift === exponentMask) return;
      const carry = weight >> exponentBits;
      const shifted = input * 2 ** shift;
      accumulator = wrapSigned(accumulator + (carry ? inverted(shifted) : shifted) + carry, accumulatorBits);
    },
    load(value = 0) {
      accumulator = wrapSigned(value, accumulatorBits);
    },
  };
}

export interface AddUnitOptions {
  /** Width of input and weight, two's complement and of one scale; 8 by default. */
  readonly operandBits?: number | undefined;
  /** Width of the accumulator, which wraps; 24 by default, at most 52. */
  readonly accumulatorBits?: number | undefined;
}

/**
 * acc ← acc − |input − weight|: one subtraction whose sign decides whether the difference is inverted on its way to the
 * accumulator, and the carry-in (rtl.md section 4.6).
 */
export function createAddUnit({ operandBits = 8, accumulatorBits = 24 }: AddUnitOptions = {}): AccumulatingUnit {
  checkWidths({ operandBits, accumulatorBits });
  let accumulator = 0;
  return {
    get accumulator() {
      return accumulator;
    },
    clock(input, weight) {
      checkSigned("input", input, operandBits);
      checkSigned("weight", weight, operandBits);
      // One bit more than the operands: never out of range.
      const difference = input - weight;
      const carry = difference >= 0 ? 1 : 0;
      accumulator = wrapSigned(accumulator + (carry ? inverted(difference) : difference) + carry, accumulatorBits);
    },
    load(value = 0) {
      accumulator = wrapSigned(value, accumulatorBits);
    },
  };
}

export interface RequantizerOptions {
  /** Width of the result, two's complement. */
  readonly outputBits: number;
  /** Whether the results are not negative: −x becomes 0 (ReLU). */
  readonly isRectified?: boolean | undefined;
}

/**
 * round(value · factor / 2^shift), half to even, clipped to ±(2^(outputBits − 1) − 1): what stands between two layers. With
 * factor 1 it is a shifter; with another it is the one multiplier of a batch normalization, for each output and not for
 * each product. A negative shift is to the left.
 *
 * @throws DovetailError `unit_operands` where value · factor needs more than 52 bits.
 */
export function requantize(
  value: number,
  { factor, shift, offset }: { readonly factor: number; readonly shift: number; readonly offset: number },
  { outputBits, isRectified = false }: RequantizerOptions,
): number {
  const product = value * factor + offset;
  if (!Number.isSafeInteger(product)) {
    throw inputError("unit_operands", "a product does not fit the requantizer", {
      expected: "52 bits and a sign",
      received: String(product),
    });
  }
  const limit = 2 ** (outputBits - 1) - 1;
  const rounded = shift <= 0 ? product * 2 ** -shift : shiftedRight(product, shift);
  return Math.min(limit, Math.max(isRectified ? 0 : -limit, rounded));
}

/** To the nearest, half to even: the bits that fall out say whether one is added. */
function shiftedRight(value: number, shift: number): number {
  const unit = 2 ** shift;
  const floor = Math.floor(value / unit);
  const rest = value - floor * unit;
  const isUp = rest > unit / 2 || (rest === unit / 2 && floor % 2 !== 0);
  return isUp ? floor + 1 : floor;
}

/** All bits turned over: ~x = −x − 1, for more than 32 bits. */
const inverted = (value: number): number => -value - 1;

function checkWidths(widths: Readonly<Record<string, number>>): void {
  for (const [field, bits] of Object.entries(widths)) {
    const [least, most] = field === "accumulatorBits" ? [2, 52] : field === "exponentBits" ? [1, 4] : [2, 16];
    if (Number.isInteger(bits) && bits >= least! && bits <= most!) continue;
    throw inputError("unit_size", "no width of a unit", {
      path: [field],
      expected: `${least} to ${most} bit`,
      received: String(bits),
    });
  }
}

function checkSigned(field: string, value: number, bits: number): void {
  if (fitsSigned(value, bits)) return;
  throw inputError("unit_operands", "an operand does not fit its width", {
    path: [field],
    expected: `${-(2 ** (bits - 1))} to ${2 ** (bits - 1) - 1}`,
    received: String(value),
  });
}

function checkUnsigned(field: string, value: number, bits: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return;
  throw inputError("unit_operands", "an operand does not fit its width", {
    path: [field],
    expected: `0 to ${2 ** bits - 1}`,
    received: String(value),
  });
}
