// Alternating least squares with powers of two (SmartExchange, ISCA 2020; systems.md section 1), for one piece of a filter.
//
// The published rounds run as they are, and from some of them a candidate is made: the round's basis in 8 bit, and the
// best codes for it. The best candidate is returned. Rounds and candidates depend on neither the exponents nor the rows
// that may be kept, and codes are an exact optimum, so that more rounds, exponents or rows never do worse.

import { type CodeSearch, createCodeSearch } from "./nearest-codes.js";
import { solveInPlace } from "./small-systems.js";
import { scaleExponentRange } from "./structured-layer.js";

export interface DecompositionOptions {
  /**
   * Rounds of least squares, at most. Candidates are made after 0, 2, 8, 32, 128 and 512 rounds
   * and when nothing changes any more. Default 32.
   */
  readonly iterations?: number | undefined;
  /** Consecutive exponents of a coefficient, 1 to 7; 7 are what 4 bits hold. Default 7. */
  readonly exponents?: number | undefined;
  /** θ: smaller coefficients become zero in every round, in the units of the weights. Default 0. */
  readonly threshold?: number | undefined;
  /** Rows of coefficients whose magnitudes sum to less than 5θ become zero. Default: kernels wider than 1, as published. */
  readonly zeroesRows?: boolean | undefined;
  /** Before rounding, columns are scaled so that their logarithms lie at whole numbers on average. Default false. */
  readonly rescales?: boolean | undefined;
}

/** The options with nothing left open. */
export type DecompositionSettings = {
  readonly [Name in keyof DecompositionOptions]-?: NonNullable<DecompositionOptions[Name]>;
};

/** A basis [columns, columns] in 8 bit, times 2^scaleExponent. */
export interface ScaledBasis {
  readonly basis: Int8Array;
  readonly scaleExponent: number;
}

export interface PieceResult extends ScaledBasis {
  /** [rows, columns] */
  readonly codes: Int8Array;
  /** ‖A − C·B‖², rows that must be zero included. */
  readonly squaredError: number;
}

export interface PieceDecomposer {
  /**
   * Decomposes A [rows, columns]; a row whose entry in `kept` is 0 becomes zero. The last `filling` values of A are no
   * weights but zeros that fill up the last row: what becomes of them does not count. A basis that is given is a candidate
   * too, with any coefficients. The result is valid until the next call.
   */
  decompose(matrix: Float64Array, kept: Uint8Array, filling: number, given?: ScaledBasis): PieceResult;
}

const largestCoefficient = 32;
const mostRestarts = 12;
const candidateRounds: ReadonlySet<number> = new Set([2, 8, 32, 128, 512]);

/** A decomposer of matrices with up to `mostRows` rows. It keeps its memory between pieces. */
export function createPieceDecomposer(
  columns: number,
  mostRows: number,
  options: DecompositionSettings,
): PieceDecomposer {
  const { iterations, exponents, rescales, zeroesRows } = options;
  const size = mostRows * columns;
  const coefficients = new Float32Array(size);
  const rounded = new Float32Array(size);
  const basis = new Float64Array(columns * columns);
  const allowed = new Uint8Array(size);
  const search = createCodeSearch(columns);
  const lastSearch = createCodeSearch(columns);
  const state = { matrix: new Float64Array(), rows: 0, kept: new Uint8Array(), filling: 0 };
  const best = createBest(columns, size);

  function candidate(): void {
    const { matrix, rows, kept, filling } = state;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const index = row * columns + column;
        allowed[index] = kept[row] !== 0 && coefficients[index] !== 0 ? 1 : 0;
      }
    }
    const scaled = alignedBasis(basis, coefficients, rows, columns);
    best.offer([search, lastSearch], quantizeBasis(scaled), exponents, { matrix, rows, allowed, filling });
  }

  function offerGiven(given: ScaledBasis): void {
    const { matrix, rows, kept, filling } = state;
    for (let index = 0; index < rows * columns; index++) allowed[index] = kept[Math.floor(index / columns)]!;
    best.offer([search, lastSearch], given, exponents, { matrix, rows, allowed, filling });
  }

  return {
    decompose(matrix, kept, filling, given) {
      const rows = matrix.length / columns;
      Object.assign(state, { matrix, rows, kept, filling });
      best.clear();
      if (given) offerGiven(given);
      let threshold = options.threshold;
      let restarts = 0;
      const start = (): void => {
        for (let index = 0; index < matrix.length; index++) coefficients[index] = matrix[index]!;
        basis.fill(0);
        for (let column = 0; column < columns; column++) basis[column * columns + column] = 1;
        zeroSmall(coefficients, rows, columns, threshold, zeroesRows);
      };
      start();
      candidate();
      rounded.fill(Number.NaN);
      for (let round = 1; round <= iterations; round++) {
        if (rescales) rescale(coefficients, rows, columns);
        if (!roundInto(coefficients, rounded, matrix.length)) {
          candidate();
          break;
        }
        const vanished = fitBasis(matrix, rounded, rows, columns, basis);
        if (vanished && threshold > 0) {
          threshold = ++restarts > mostRestarts ? 0 : threshold * 0.5;
          start();
          rounded.fill(Number.NaN);
        } else {
          fitCoefficients(matrix, basis, rows, columns, coefficients);
          zeroSmall(coefficients, rows, columns, threshold, zeroesRows);
        }
        if (candidateRounds.has(round)) candidate();
      }
      return best.result(rows);
    },
  };
}

interface OfferedRows {
  readonly matrix: Float64Array;
  readonly rows: number;
  readonly allowed: Uint8Array<ArrayBuffer>;
  readonly filling: number;
}

/** The basis with zeros in the columns from `first` on. */
function withoutColumns(basis: Float64Array, columns: number, first: number): Float64Array {
  return basis.map((element, index) => (index % columns < first ? element : 0));
}

/** The best candidate so far, in memory of its own. */
function createBest(columns: number, size: number) {
  let [codes, trial] = [new Int8Array(size), new Int8Array(size)];
  const basis = new Int8Array(columns * columns);
  const exact = new Float64Array(columns * columns);
  let scaleExponent = 0;
  let squaredError = Number.POSITIVE_INFINITY;
  return {
    clear(): void {
      squaredError = Number.POSITIVE_INFINITY;
    },
    offer(
      [search, lastSearch]: readonly [CodeSearch, CodeSearch],
      tried: ScaledBasis,
      exponents: number,
      { matrix, rows, allowed, filling }: OfferedRows,
    ): void {
      for (let index = 0; index < exact.length; index++) exact[index] = tried.basis[index]! * 2 ** tried.scaleExponent;
      search.prepare(exact, exponents);
      if (filling > 0) lastSearch.prepare(withoutColumns(exact, columns, columns - filling), exponents);
      let error = 0;
      for (let row = 0; row < rows && error < squaredError; row++) {
        const isFilledUp = filling > 0 && row === rows - 1;
        error += encodeRow(isFilledUp ? lastSearch : search, matrix, row * columns, columns, allowed, trial);
      }
      if (!(error < squaredError)) return;
      squaredError = error;
      scaleExponent = tried.scaleExponent;
      basis.set(tried.basis);
      [codes, trial] = [trial, codes];
    },
    result: (rows: number): PieceResult => ({
      codes: codes.subarray(0, rows * columns),
      basis,
      scaleExponent,
      squaredError,
    }),
  };
}

function encodeRow(
  search: CodeSearch,
  matrix: Float64Array,
  start: number,
  columns: number,
  allowed: Uint8Array<ArrayBuffer>,
  codes: Int8Array,
): number {
  let square = 0;
  let isAllowed = false;
  for (let index = start; index < start + columns; index++) {
    square += matrix[index]! * matrix[index]!;
    isAllowed ||= allowed[index] !== 0;
  }
  if (isAllowed && square > 0) return search.encode(matrix, start, allowed, codes);
  codes.fill(0, start, start + columns);
  return square;
}

/** The basis whose rows take the largest power of two of their column of coefficients, so that it becomes 2^0. */
function alignedBasis(basis: Float64Array, coefficients: Float32Array, rows: number, columns: number): Float64Array {
  const scaled = basis.slice();
  for (let column = 0; column < columns; column++) {
    let largest = 0;
    for (let row = 0; row < rows; row++) largest = Math.max(largest, Math.abs(coefficients[row * columns + column]!));
    if (largest === 0) continue;
    const factor = roundedPower(largest);
    for (let k = 0; k < columns; k++) scaled[column * columns + k]! *= factor;
  }
  return scaled;
}

/** The nearest basis of whole numbers −127 … 127 times a power of two. */
export function quantizeBasis(exact: Float64Array): ScaledBasis {
  let largest = 0;
  for (const element of exact) largest = Math.max(largest, Math.abs(element));
  let exponent = largest === 0 ? 0 : Math.ceil(Math.log2(largest / 127.5));
  while (largest > 127.49 * 2 ** exponent) exponent++;
  const scaleExponent = Math.min(scaleExponentRange[1], Math.max(scaleExponentRange[0], exponent));
  const basis = Int8Array.from(exact, (element) =>
    Math.max(-127, Math.min(127, Math.round(element / 2 ** scaleExponent))),
  );
  return { basis, scaleExponent };
}

const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);
/** Half of a float32's leading digit: added to the bits, what is at least 1.5 · 2^k becomes at least 2^(k+1). */
const halfStep = 0x400000;
const exponentBits = 0xff800000 | 0;

/** The power of two nearest by value to a positive number. */
function roundedPower(magnitude: number): number {
  single[0] = magnitude;
  singleBits[0] = (singleBits[0]! + halfStep) & exponentBits;
  return single[0]!;
}

/** Rounds to signed powers of two, at most 32; false when nothing changed. */
function roundInto(coefficients: Float32Array, rounded: Float32Array, count: number): boolean {
  let hasChanged = false;
  for (let index = 0; index < count; index++) {
    single[0] = coefficients[index]!;
    singleBits[0] = (singleBits[0]! + halfStep) & exponentBits;
    let value = single[0]!;
    if (value > largestCoefficient) value = largestCoefficient;
    else if (value < -largestCoefficient) value = -largestCoefficient;
    if (rounded[index] !== value) {
      rounded[index] = value;
      hasChanged = true;
    }
  }
  return hasChanged;
}

/** B = least squares of A on the rounded coefficients. True when one of their columns is zero; its row of B is then a unit. */
function fitBasis(
  matrix: Float64Array,
  rounded: Float32Array,
  rows: number,
  columns: number,
  basis: Float64Array,
): boolean {
  const gram = new Float64Array(columns * columns);
  basis.fill(0);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let i = 0; i < columns; i++) {
      const c = rounded[start + i]!;
      if (c === 0) continue;
      for (let j = 0; j <= i; j++) gram[i * columns + j]! += c * rounded[start + j]!;
      for (let j = 0; j < columns; j++) basis[i * columns + j]! += c * matrix[start + j]!;
    }
  }
  const vanished: number[] = [];
  for (let i = 0; i < columns; i++) if (gram[i * columns + i] === 0) vanished.push(i);
  solveInPlace(gram, basis, columns);
  for (const i of vanished) basis[i * columns + i] = 1;
  return vanished.length > 0;
}

/** C = least squares of A on B: A·Bᵀ·(B·Bᵀ)⁻¹. */
function fitCoefficients(
  matrix: Float64Array,
  basis: Float64Array,
  rows: number,
  columns: number,
  coefficients: Float32Array,
): void {
  const gram = new Float64Array(columns * columns);
  const inverse = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < columns; k++) gram[i * columns + j]! += basis[i * columns + k]! * basis[j * columns + k]!;
      inverse[i * columns + j] = basis[i * columns + j]!;
    }
  }
  solveInPlace(gram, inverse, columns);
  // Now C = A·inverseᵀ.
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let i = 0; i < columns; i++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += matrix[start + k]! * inverse[i * columns + k]!;
      coefficients[start + i] = sum;
    }
  }
}

function zeroSmall(
  coefficients: Float32Array,
  rows: number,
  columns: number,
  threshold: number,
  zeroesRows: boolean,
): void {
  if (threshold === 0) return;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      if (Math.abs(coefficients[index]!) < threshold) coefficients[index] = 0;
      sum += Math.abs(coefficients[index]!);
    }
    if (zeroesRows && sum < 5 * threshold) coefficients.fill(0, row * columns, (row + 1) * columns);
  }
}

/** Scales each column by 2^mean(round(log₂|c|) − log₂|c|). */
function rescale(coefficients: Float32Array, rows: number, columns: number): void {
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    let count = 0;
    for (let index = column; index < rows * columns; index += columns) {
      const magnitude = Math.abs(coefficients[index]!);
      if (magnitude === 0) continue;
      const logarithm = Math.log2(magnitude);
      sum += Math.round(logarithm) - logarithm;
      count++;
    }
    const factor = count === 0 ? 1 : 2 ** (sum / count);
    for (let index = column; index < rows * columns; index += columns) coefficients[index]! *= factor;
  }
}
