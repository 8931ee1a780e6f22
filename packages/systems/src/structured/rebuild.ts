// Weights in SmartExchange's form inside a training graph: coefficients times bases of whole numbers. Shared by the systems
// that train bases; it knows none of them.

import { basisBitWidth } from "@dovetail/compress";
import { type GraphBuilder, roundHalfToEven, type StructuredForm, type Value } from "@dovetail/graph";

const largestInteger = 2 ** (basisBitWidth - 1) - 1;
/** A largest element of 127 units is not to become 64 of twice the size because a logarithm is rounded. */
const logarithmSlack = 1e-4;
const smallestBasis = 2 ** -100;

/**
 * The weight [filters, filterWeights] from coefficients [pieces, rowsPerPiece, columns] and bases [pieces, columns,
 * columns], float32, which are rounded to 8 bits with a power of two each; the gradient passes straight through that. What
 * fills up a filter's last rows is cut off.
 */
export function rebuildFilters(
  g: GraphBuilder,
  form: StructuredForm,
  filters: number,
  { coefficients, basis }: { readonly coefficients: Value; readonly basis: Value },
): Value {
  const matrices = g.matMul(coefficients, roundBasis(g, basis));
  const filled = form.piecesPerFilter * form.rowsPerPiece * form.columns;
  const rows = g.reshape(matrices, [filters, filled]);
  return filled === form.filterWeights ? rows : g.slice(rows, [0], [form.filterWeights], [1]);
}

/** Integers of 8 bits times a power of two for each basis. */
function roundBasis(g: GraphBuilder, basis: Value): Value {
  return g.straightThrough(basis, (b) => {
    const most = g.max(g.op("ReduceMax", [g.abs(b), g.int64s([1, 2])], { keepdims: 1 }), smallestBasis);
    const logarithm = g.mul(g.op("Log", [g.div(most, largestInteger)]), 1 / Math.LN2);
    const scale = g.pow(2, g.op("Ceil", [g.sub(logarithm, logarithmSlack)]));
    return g.mul(g.clip(g.round(g.div(b, scale)), -largestInteger, largestInteger), scale);
  });
}

/** The same rounding outside a graph: bases [pieces, columns, columns] as they are stored. */
export function integerBases(
  basis: ArrayLike<number>,
  { columns }: StructuredForm,
): { readonly bases: Int8Array; readonly scaleExponents: Int8Array } {
  const size = columns ** 2;
  const bases = new Int8Array(basis.length);
  const scaleExponents = new Int8Array(basis.length / size);
  for (let piece = 0; piece < scaleExponents.length; piece++) {
    let most = smallestBasis;
    for (let index = piece * size; index < (piece + 1) * size; index++) most = Math.max(most, Math.abs(basis[index]!));
    const exponent = Math.ceil(Math.log2(most / largestInteger) - logarithmSlack);
    scaleExponents[piece] = exponent;
    for (let index = piece * size; index < (piece + 1) * size; index++) {
      const rounded = roundHalfToEven(basis[index]! / 2 ** exponent);
      bases[index] = Math.max(-largestInteger, Math.min(largestInteger, rounded));
    }
  }
  return { bases, scaleExponents };
}

/** Rows of filters as rows of pieces of one height: the last piece of a filter is filled up with zeros. */
export function inPieces(values: ArrayLike<number>, filters: number, form: StructuredForm): number[] {
  const perFilter = form.rowsPerFilter * form.columns;
  const filled = form.piecesPerFilter * form.rowsPerPiece * form.columns;
  return Array.from({ length: filters * filled }, (_, index) => {
    const place = index % filled;
    return place < perFilter ? values[Math.floor(index / filled) * perFilter + place]! : 0;
  });
}

/** Rows of pieces as rows of filters, without what filled up the last piece. */
export function fromPieces(values: ArrayLike<number>, filters: number, form: StructuredForm): number[] {
  const perFilter = form.rowsPerFilter * form.columns;
  const filled = form.piecesPerFilter * form.rowsPerPiece * form.columns;
  return Array.from(
    { length: filters * perFilter },
    (_, index) => values[Math.floor(index / perFilter) * filled + (index % perFilter)]!,
  );
}
