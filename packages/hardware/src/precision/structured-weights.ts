import { inputError } from "@dovetail/core";

// SmartExchange's form of a layer's weights (ISCA 2020; systems.md section 1): every filter is a tall matrix, cut into
// pieces, each the product of a sparse matrix of signed powers of two (coefficients) and a small dense basis.

export interface WeightShape {
  readonly outputChannels: number;
  /** Of one group. */
  readonly inputChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
}

export interface StructuredOptions {
  /** Part of the coefficients' rows that are kept; the others are zero. */
  readonly keptRowFraction: number;
  /** Part of the coefficients in kept rows that are not zero. Default 1. */
  readonly coefficientDensity?: number | undefined;
  /** Bits of a coefficient: sign and exponent. Default 4. */
  readonly coefficientBitWidth?: number | undefined;
  /** Bits of a basis element. Default 8. */
  readonly basisBitWidth?: number | undefined;
}

/** What a layer takes in this form. */
export interface StructuredWeights {
  /** Columns of the matrices: S. */
  readonly columns: number;
  readonly rows: number;
  readonly keptRows: number;
  readonly bases: number;
  readonly coefficientBits: number;
  /** One bit a row: kept or zero. */
  readonly indexBits: number;
  readonly basisBits: number;
  readonly totalBits: number;
  /** Bits stored for each weight of the dense layer. */
  readonly bitsPerWeight: number;
  /** Shifts with additions that rebuild all kept weights once: S for each, where all coefficients are non-zero. */
  readonly rebuildAdditions: number;
}

const rowsPerKernelPiece = 64;
const rowsPerFoldedPiece = 200;
const foldedColumns = 3;

/**
 * Storage and rebuild work of a layer's weights. A k×k convolution: a filter is (channels · k) × k, cut into pieces of at
 * most 64·k rows (the largest product of trailing prime factors of the height; prime heights stay whole), a k×k basis
 * each. 1×1 and linear layers: a row of weights is padded and folded to n × 3, in a power of two of pieces so that each
 * has at most about 200 rows. Kept rows are rounded up over the layer.
 *
 * @throws DovetailError `structured_weights` for sizes that are no positive integers and fractions outside 0…1.
 */
export function structuredWeights(shape: WeightShape, options: StructuredOptions): StructuredWeights {
  const { keptRowFraction, coefficientDensity = 1, coefficientBitWidth = 4, basisBitWidth = 8 } = options;
  for (const [field, value] of Object.entries(shape)) check(field, value, Number.isSafeInteger(value) && value >= 1);
  for (const [field, value] of Object.entries({ keptRowFraction, coefficientDensity })) {
    check(field, value, value >= 0 && value <= 1);
  }
  const { outputChannels, inputChannels, kernelHeight, kernelWidth } = shape;
  const isFolded = kernelHeight === 1 && kernelWidth === 1;
  const columns = isFolded ? foldedColumns : kernelWidth;
  const height = isFolded ? Math.ceil(inputChannels / foldedColumns) : inputChannels * kernelHeight;
  const pieces = isFolded ? foldedPieces(height) : height / kernelPieceRows(height, rowsPerKernelPiece * kernelHeight);
  const rows = outputChannels * height;
  const keptRows = Math.ceil(rows * keptRowFraction - 1e-9);
  const bases = outputChannels * pieces;
  const coefficientBits = keptRows * columns * coefficientBitWidth;
  const basisBits = bases * columns ** 2 * basisBitWidth;
  const totalBits = coefficientBits + rows + basisBits;
  return {
    columns,
    rows,
    keptRows,
    bases,
    coefficientBits,
    indexBits: rows,
    basisBits,
    totalBits,
    bitsPerWeight: totalBits / (outputChannels * inputChannels * kernelHeight * kernelWidth),
    rebuildAdditions: keptRows * columns ** 2 * coefficientDensity,
  };
}

/** 512 channels (171 rows): one; 1024 (342): two; 4096 (1366): eight. */
function foldedPieces(height: number): number {
  let pieces = 1;
  while (height / pieces > rowsPerFoldedPiece) pieces *= 2;
  return pieces;
}

function kernelPieceRows(height: number, most: number): number {
  const primes: number[] = [];
  let rest = height;
  for (let prime = 2; rest > 1; prime++) {
    while (rest % prime === 0) {
      primes.push(prime);
      rest /= prime;
    }
  }
  let rows = 1;
  for (const prime of primes.reverse()) {
    if (rows * prime > most) break;
    rows *= prime;
  }
  // Not even the largest factor fits: the matrix stays whole.
  return rows === 1 ? height : rows;
}

function check(field: string, value: number, isRight: boolean): void {
  if (isRight) return;
  const isFraction = field === "keptRowFraction" || field === "coefficientDensity";
  throw inputError("structured_weights", isFraction ? "no part of a whole" : "not a size", {
    path: [field],
    expected: isFraction ? "0 to 1" : "a positive integer",
    received: String(value),
  });
}
