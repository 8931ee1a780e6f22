import { inputError } from "@dovetail/core";
import { type LayerWeightShape, structuredFormOf } from "@dovetail/graph";

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
  readonly basisBits: number;
  readonly totalBits: number;
  /** Bits stored for each weight of the dense layer. */
  readonly bitsPerWeight: number;
  /** Shifts with additions that rebuild all kept weights once: S for each, where all coefficients are non-zero. */
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
    bitsPerWeight: totalBits / (outputChannels * filterWeights),
    rebuildAdditions: keptRows * columns ** 2 * coefficientDensity,
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
