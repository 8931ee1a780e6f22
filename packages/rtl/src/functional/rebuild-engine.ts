import { inputError } from "@dovetail/core";
import { checkUnitSize } from "./mac-unit.js";
import { fitsSigned, wrapSigned } from "./operand.js";

// The rebuild engine of SmartExchange's accelerator (ISCA 2020): a row of weights is the sum of a basis' rows, each shifted
// and signed by a coefficient.

export interface RebuildEngineOptions {
  /** Columns of the matrices, and sides of a basis: S. Default 3. */
  readonly columns?: number | undefined;
  /** Consecutive exponents that a coefficient may have: 1 to 7. Default 7, which with sign and zero takes 4 bit. */
  readonly exponents?: number | undefined;
  /** Of an element of a basis. Default 8. */
  readonly basisBits?: number | undefined;
  /** Of a weight that leaves the engine; larger ones saturate. Default 8. */
  readonly weightBits?: number | undefined;
  /** 2: the next basis is loaded while the last one is in use; 1: in turns. Default 2. */
  readonly basisRegisters?: 1 | 2 | undefined;
}

export interface RebuildEngine {
  readonly columns: number;
  /** Clock cycles since the engine was made. */
  readonly cycles: number;
  /**
   * Loads a basis [columns, columns], a row a cycle, and takes it into use. With two registers, as much of the loading as
   * the rows took that were rebuilt since the last one is already done. `outputShift` says how far sums are shifted to
   * the right on their way out: it brings the pieces of a filter to one scale. Negative: to the left.
   *
   * @throws DovetailError `unit_operands` for elements out of range.
   */
  load(basis: ArrayLike<number>, outputShift?: number): void;
  /**
   * Rebuilds a row from its coefficients' words (`encodeCoefficient`), one that is not zero a cycle. Halves are rounded up.
   *
   * @throws DovetailError `unit_operands` for words that are no coefficients, and before a basis was loaded.
   */
  rebuild(coefficients: ArrayLike<number>): readonly number[];
}

/**
 * The word of a coefficient's code: 0 for zero, ±(k + 1) for ±2^−k. A sign above the magnitude.
 *
 * @throws DovetailError `unit_operands` for a code that the exponents do not have.
 */
export function encodeCoefficient(code: number, exponents = 7): number {
  if (!Number.isInteger(code) || Math.abs(code) > exponents) {
    throw refused("code", `-${exponents} to ${exponents}`, code);
  }
  return code < 0 ? signWeight(exponents) - code : code;
}

/** Value of the sign bit of a coefficient's word. */
function signWeight(exponents: number): number {
  return 2 ** Math.ceil(Math.log2(exponents + 1));
}

/** @throws DovetailError `unit_size` for sizes out of range. */
export function createRebuildEngine(options: RebuildEngineOptions = {}): RebuildEngine {
  const { columns = 3, exponents = 7, basisBits = 8, weightBits = 8, basisRegisters = 2 } = options;
  checkUnitSize("columns", columns, 1, 16);
  checkUnitSize("exponents", exponents, 1, 7);
  checkUnitSize("basisBits", basisBits, 2, 16);
  checkUnitSize("weightBits", weightBits, 2, 24);
  checkUnitSize("basisRegisters", basisRegisters, 1, 2);
  // Every sum fits: an element shifted by the most, and as many of them as there are columns.
  const sumBits = basisBits + exponents - 1 + Math.ceil(Math.log2(columns));
  const sign = signWeight(exponents);
  let basis: readonly number[] | undefined;
  let shift = 0;
  let cycles = 0;
  let sinceLoad = 0;
  return {
    columns,
    get cycles() {
      return cycles;
    },
    load(elements, outputShift = 0) {
      if (elements.length !== columns ** 2) throw refused("basis", `${columns ** 2} elements`, elements.length);
      basis = Array.from(elements, (element) => {
        if (!fitsSigned(element, basisBits)) throw refused("basis", `elements of ${basisBits} bit`, element);
        return element;
      });
      shift = outputShift;
      cycles += basisRegisters === 2 ? Math.max(0, columns - sinceLoad) : columns;
      sinceLoad = 0;
    },
    rebuild(coefficients) {
      if (basis === undefined) throw inputError("unit_operands", "no basis was loaded", { expected: "a basis" });
      if (coefficients.length !== columns) throw refused("coefficients", `${columns}`, coefficients.length);
      const sums = new Array<number>(columns).fill(0);
      for (let row = 0; row < columns; row++) {
        const word = coefficients[row]!;
        const magnitude = word % sign;
        const isWord = Number.isInteger(word) && word >= 0 && word < 2 * sign && magnitude <= exponents;
        if (!isWord || word === sign) throw refused("coefficients", "words of coefficients", word);
        if (magnitude === 0) continue;
        for (let column = 0; column < columns; column++) {
          const term = basis[row * columns + column]! * 2 ** (exponents - magnitude);
          sums[column] = wrapSigned(sums[column]! + (word > sign ? -term : term), sumBits);
        }
        cycles++;
        sinceLoad++;
      }
      return sums.map((sum) => saturate(Math.floor(sum / 2 ** shift + (shift > 0 ? 0.5 : 0)), weightBits));
    },
  };
}

function saturate(value: number, bits: number): number {
  return Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, value));
}

function refused(what: string, expected: string, received: number): Error {
  return inputError("unit_operands", `no ${what} for the rebuild engine`, {
    path: [what],
    expected,
    received: String(received),
  });
}
