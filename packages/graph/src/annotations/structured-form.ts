// How SmartExchange (ISCA 2020; systems.md section 1) cuts a layer's weights into matrices. Every piece is the product of
// a sparse matrix of signed powers of two (coefficients) and a small dense square basis.

/** Sizes of a layer's weights [outputs, inputs, height, width]; a linear layer's kernel is 1×1. */
export interface LayerWeightShape {
  readonly outputChannels: number;
  /** Of one group. */
  readonly inputChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
}

/** A filter's matrix and its pieces: the last one may have fewer rows where the filter is folded. */
export interface StructuredForm {
  /** Columns of the matrix, and sides of a basis: S. */
  readonly columns: number;
  /** Weights in a filter, without the zeros that fill up its last row. */
  readonly filterWeights: number;
  readonly rowsPerFilter: number;
  readonly rowsPerPiece: number;
  readonly piecesPerFilter: number;
}

const rowsPerKernelPiece = 64;
const rowsPerFoldedPiece = 200;
const foldedColumns = 3;

/**
 * The form of a layer of these sizes (positive integers). A kernel of width k > 1: a filter is its weights in their order
 * as (channels · height) × k, cut into pieces of at most 64 · height rows (the largest product of trailing prime factors
 * of the number of rows that fits; where none fits the matrix stays whole). A kernel of width 1 (1×1 and linear layers):
 * a filter is filled up with zeros and folded to n × 3, in a power of two of pieces so that each has at most about 200
 * rows.
 */
export function structuredFormOf({ inputChannels, kernelHeight, kernelWidth }: LayerWeightShape): StructuredForm {
  const filterWeights = inputChannels * kernelHeight * kernelWidth;
  if (kernelWidth === 1) {
    const rowsPerFilter = Math.ceil(filterWeights / foldedColumns);
    // 512 channels (171 rows): one piece; 1024 (342): two; 4096 (1366): eight.
    let pieces = 1;
    while (rowsPerFilter / pieces > rowsPerFoldedPiece) pieces *= 2;
    const rowsPerPiece = Math.ceil(rowsPerFilter / pieces);
    return { columns: foldedColumns, filterWeights, rowsPerFilter, rowsPerPiece, piecesPerFilter: pieces };
  }
  const rowsPerFilter = inputChannels * kernelHeight;
  const rowsPerPiece = trailingFactors(rowsPerFilter, rowsPerKernelPiece * kernelHeight);
  return {
    columns: kernelWidth,
    filterWeights,
    rowsPerFilter,
    rowsPerPiece,
    piecesPerFilter: rowsPerFilter / rowsPerPiece,
  };
}

/** The largest product of trailing prime factors up to `most`; the height itself where not even one factor fits. */
function trailingFactors(height: number, most: number): number {
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
  return rows === 1 ? height : rows;
}
