import { inputError } from "@dovetail/core";
import { type LayerWeightShape, type StructuredForm, structuredFormOf } from "@dovetail/graph";
import {
  createPieceDecomposer,
  type DecompositionOptions,
  type DecompositionSettings,
  type ScaledBasis,
} from "./decompose-piece.js";
import { mostExponents, type StructuredLayer } from "./structured-layer.js";

export interface LayerDecomposition {
  readonly layer: StructuredLayer;
  /** ‖W − W'‖² over ‖W‖²; 0 where all weights are zero. */
  readonly relativeSquaredError: number;
}

export interface LayerDecompositionOptions extends DecompositionOptions {
  /** A row of all matrices [outputChannels · rowsPerFilter]: 0 where it must be zero. Default: all may differ from zero. */
  readonly keptRows?: Uint8Array | undefined;
  /**
   * The layer's form before its weights changed: its bases are candidates, so that weights which have the form already
   * keep it, bit for bit.
   */
  readonly previous?: StructuredLayer | undefined;
}

/**
 * A layer's weights [outputChannels, filterWeights] as coefficients and bases. Throws `decomposition` for options out of
 * their range, weights that are no numbers, and arrays of another size.
 */
export function decomposeLayer(
  weights: Float32Array,
  shape: LayerWeightShape,
  options: LayerDecompositionOptions = {},
): LayerDecomposition {
  const form = structuredFormOf(shape);
  const { columns, rowsPerFilter, rowsPerPiece, piecesPerFilter } = form;
  const rows = shape.outputChannels * rowsPerFilter;
  const settings = completed(options, shape);
  const { keptRows = new Uint8Array(rows).fill(1), previous } = options;
  checkSizes(weights, keptRows, shape, form);
  const decomposer = createPieceDecomposer(columns, rowsPerPiece, settings);
  const codes = new Int8Array(rows * columns);
  const bases = new Int8Array(shape.outputChannels * piecesPerFilter * columns ** 2);
  const scaleExponents = new Int8Array(shape.outputChannels * piecesPerFilter);
  let squaredError = 0;
  for (let basis = 0; basis < scaleExponents.length; basis++) {
    const filter = Math.floor(basis / piecesPerFilter);
    const firstInFilter = (basis % piecesPerFilter) * rowsPerPiece;
    const count = Math.min(rowsPerPiece, rowsPerFilter - firstInFilter);
    const first = filter * rowsPerFilter + firstInFilter;
    const matrix = matrixOf(weights, form, filter, firstInFilter, count);
    const piece = decomposer.decompose(
      matrix,
      keptRows.subarray(first, first + count),
      Math.max(0, (firstInFilter + count) * columns - form.filterWeights),
      previous && basisOf(previous, basis),
    );
    codes.set(piece.codes, first * columns);
    bases.set(piece.basis, basis * columns ** 2);
    scaleExponents[basis] = piece.scaleExponent;
    squaredError += piece.squaredError;
  }
  const layer: StructuredLayer = { shape, form, exponents: settings.exponents, codes, bases, scaleExponents };
  const square = squareOf(weights);
  return { layer, relativeSquaredError: square === 0 ? 0 : squaredError / square };
}

function basisOf({ form: { columns }, bases, scaleExponents }: StructuredLayer, index: number): ScaledBasis {
  const size = columns ** 2;
  return { basis: bases.subarray(index * size, (index + 1) * size), scaleExponent: scaleExponents[index]! };
}

/** Rows of a filter's matrix; what fills up the last row is zero. */
function matrixOf(
  weights: Float32Array,
  { columns, filterWeights }: StructuredForm,
  filter: number,
  firstRow: number,
  rows: number,
): Float64Array {
  const matrix = new Float64Array(rows * columns);
  const first = firstRow * columns;
  const start = filter * filterWeights;
  matrix.set(weights.subarray(start + first, start + Math.min(filterWeights, first + rows * columns)));
  return matrix;
}

function completed(
  { iterations = 32, exponents = mostExponents, threshold = 0, zeroesRows, rescales = false }: DecompositionOptions,
  { kernelWidth }: LayerWeightShape,
): DecompositionSettings {
  check("iterations", Number.isSafeInteger(iterations) && iterations >= 0, "0 or more", iterations);
  const fits = Number.isInteger(exponents) && exponents >= 1 && exponents <= mostExponents;
  check("exponents", fits, `1 to ${mostExponents}`, exponents);
  check("threshold", threshold >= 0 && threshold < Number.POSITIVE_INFINITY, "0 or more", threshold);
  return { iterations, exponents, threshold, zeroesRows: zeroesRows ?? kernelWidth > 1, rescales };
}

function checkSizes(
  weights: Float32Array,
  keptRows: Uint8Array,
  { outputChannels }: LayerWeightShape,
  { filterWeights, rowsPerFilter }: StructuredForm,
): void {
  const count = outputChannels * filterWeights;
  check("weights", weights.length === count, `${count} values`, weights.length);
  check("keptRows", keptRows.length === outputChannels * rowsPerFilter, "an entry a row", keptRows.length);
  const wrong = weights.findIndex((weight) => !(Math.abs(weight) < 2 ** 100));
  if (wrong >= 0) check("weights", false, "numbers below 2^100", weights[wrong]!);
}

function check(field: string, isRight: boolean, expected: string, received: number): void {
  if (!isRight) {
    throw inputError("decomposition", "cannot decompose a layer", { path: [field], expected, received: `${received}` });
  }
}

function squareOf(values: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]! * values[index]!;
  return sum;
}
