import { inputError } from "@dovetail/core";
import { type LayerWeightShape, type StructuredAnnotation, structuredFormOf } from "@dovetail/graph";

// What a layer's weights take in SmartExchange's form (ISCA 2020; systems.md section 1).

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
  /** Of the bases' elements and scales. */
  readonly basisBits: number;
  readonly totalBits: number;
  /** Bits stored for each weight of the dense layer. */
  readonly bitsPerWeight: number;
  /** Coefficients that are not zero. */
  readonly nonZeroCoefficients: number;
  /** Shifts with additions that rebuild all kept weights once: S for each coefficient that is not zero. */
  readonly rebuildAdditions: number;
}

/**
 * Storage and rebuild work of a layer's weights in the form of `structuredFormOf`. Kept rows are rounded up over the layer.
 *
 * @throws DovetailError `structured_weights` for sizes that are no positive integers and fractions outside 0…1.
 */
export function structuredWeights(shape: LayerWeightShape, options: StructuredOptions): StructuredWeights {
  const { keptRowFraction, coefficientDensity = 1, coefficientBitWidth = 4, basisBitWidth = 8 } = options;
  for (const [field, value] of Object.entries(shape)) check(field, value, Number.isSafeInteger(value) && value >= 1);
  for (const [field, value] of Object.entries({ keptRowFraction, coefficientDensity })) {
    check(field, value, value >= 0 && value <= 1);
  }
  const { outputChannels } = shape;
  const { columns, filterWeights, rowsPerFilter, piecesPerFilter } = structuredFormOf(shape);
  const rows = outputChannels * rowsPerFilter;
  const keptRows = Math.ceil(rows * keptRowFraction - 1e-9);
  const bases = outputChannels * piecesPerFilter;
  const nonZeroCoefficients = keptRows * columns * coefficientDensity;
  return countedStructure(
    { columns, rows, keptRows, bases, nonZeroCoefficients, coefficientBitWidth, basisBitWidth },
    outputChannels * filterWeights,
  );
}

/** Storage and rebuild work of weights that are annotated with the form. `denseWeights`: how many there are without it. */
export function countedStructure(counts: StructuredAnnotation, denseWeights: number): StructuredWeights {
  const { columns, rows, keptRows, bases, nonZeroCoefficients, scaleBitWidth = 0 } = counts;
  const coefficientBits = keptRows * columns * counts.coefficientBitWidth;
  const basisBits = bases * (columns ** 2 * counts.basisBitWidth + scaleBitWidth);
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
    bitsPerWeight: totalBits / denseWeights,
    nonZeroCoefficients,
    rebuildAdditions: nonZeroCoefficients * columns,
  };
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
