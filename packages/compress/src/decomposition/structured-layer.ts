// A layer's weights in SmartExchange's form (ISCA 2020; systems.md section 1): per piece of a filter's matrix a sparse
// matrix of signed powers of two (coefficients) times a small dense basis. Everything is a whole number here, so that the
// weights rebuilt from it are the same bits everywhere.

import type { LayerWeightShape, StructuredAnnotation, StructuredForm } from "@dovetail/graph";

/**
 * A coefficient's code is 0 for zero and ±(k + 1) for ±2^−k, k = 0 … exponents − 1. With a sign and three bits, zero takes
 * one of eight magnitudes: 4 bits hold seven consecutive exponents, and one code of sixteen (minus zero) is never used.
 * The window's place is the piece's own: it is part of the basis's scale.
 */
export interface StructuredLayer {
  readonly shape: LayerWeightShape;
  readonly form: StructuredForm;
  /** Consecutive exponents that a coefficient may have: 1 to 7. */
  readonly exponents: number;
  /** [outputChannels · rowsPerFilter, columns]. */
  readonly codes: Int8Array;
  /** [outputChannels · piecesPerFilter, columns, columns], −127 to 127. */
  readonly bases: Int8Array;
  /** A basis: its elements are `bases` · 2^scaleExponent. */
  readonly scaleExponents: Int8Array;
}

export const mostExponents = 7;
export const basisBitWidth = 8;
export const scaleBitWidth = 8;
/** Every weight is then a whole multiple of a normal float32 number, and below the largest one. */
export const scaleExponentRange = [-110, 110] as const;

/** Bits of a coefficient: a sign, and a magnitude code that has room for zero. */
export function coefficientBitWidthOf(exponents: number): number {
  return 1 + Math.ceil(Math.log2(exponents + 1));
}

/** The value of every code: 0, or ±2^(1 − |code|). [rows, columns] */
export function coefficientValues({ codes }: StructuredLayer): Float32Array {
  return Float32Array.from(codes, (code) => (code === 0 ? 0 : Math.sign(code) * 2 ** (1 - Math.abs(code))));
}

/** 1 where a coefficient is not zero. [rows, columns] */
export function coefficientMask({ codes }: StructuredLayer): Uint8Array {
  return Uint8Array.from(codes, (code) => (code === 0 ? 0 : 1));
}

/** The elements of the bases, scaled. [bases, columns, columns] */
export function basisValues({ form, bases, scaleExponents }: StructuredLayer): Float32Array {
  const size = form.columns ** 2;
  return Float32Array.from(bases, (element, index) => element * 2 ** scaleExponents[Math.floor(index / size)]!);
}

/** The basis that a row of the coefficients belongs to. */
export function basisOfRow({ rowsPerFilter, rowsPerPiece, piecesPerFilter }: StructuredForm, row: number): number {
  const filter = Math.floor(row / rowsPerFilter);
  return filter * piecesPerFilter + Math.floor((row - filter * rowsPerFilter) / rowsPerPiece);
}

/** The weights [outputChannels, filterWeights] that the layer stands for, exactly. */
export function rebuildWeights({ shape, form, codes, bases, scaleExponents }: StructuredLayer): Float32Array {
  const { columns, filterWeights, rowsPerFilter, rowsPerPiece, piecesPerFilter } = form;
  const weights = new Float32Array(shape.outputChannels * filterWeights);
  for (let filter = 0; filter < shape.outputChannels; filter++) {
    for (let inFilter = 0; inFilter < rowsPerFilter; inFilter++) {
      const row = filter * rowsPerFilter + inFilter;
      const basis = filter * piecesPerFilter + Math.floor(inFilter / rowsPerPiece);
      const scale = 2 ** scaleExponents[basis]!;
      const first = inFilter * columns;
      for (let column = 0; column < Math.min(columns, filterWeights - first); column++) {
        let sum = 0;
        for (let inner = 0; inner < columns; inner++) {
          const code = codes[row * columns + inner]!;
          if (code === 0) continue;
          const term = bases[(basis * columns + inner) * columns + column]! * 2 ** (1 - Math.abs(code));
          sum += code < 0 ? -term : term;
        }
        weights[filter * filterWeights + first + column] = sum * scale;
      }
    }
  }
  return weights;
}

/** What the layer takes, counted in its codes. A row of zeros is not stored, whoever made it zero. */
export function structuredAnnotation({
  form,
  exponents,
  codes,
  scaleExponents,
}: StructuredLayer): StructuredAnnotation {
  const { columns } = form;
  let keptRows = 0;
  let nonZeroCoefficients = 0;
  for (let start = 0; start < codes.length; start += columns) {
    let inRow = 0;
    for (let column = 0; column < columns; column++) if (codes[start + column] !== 0) inRow++;
    if (inRow > 0) keptRows++;
    nonZeroCoefficients += inRow;
  }
  return {
    columns,
    rows: codes.length / columns,
    keptRows,
    bases: scaleExponents.length,
    nonZeroCoefficients,
    coefficientBitWidth: coefficientBitWidthOf(exponents),
    basisBitWidth,
    scaleBitWidth,
  };
}

/** Bits that such weights take in a file: kept rows, a bit a row, bases with their scales. */
export function structuredBits(annotation: StructuredAnnotation): number {
  const { columns, rows, keptRows, bases, coefficientBitWidth, scaleBitWidth: scale = 0 } = annotation;
  return keptRows * columns * coefficientBitWidth + rows + bases * (columns ** 2 * annotation.basisBitWidth + scale);
}
