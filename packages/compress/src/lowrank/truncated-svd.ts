// Singular values and vectors by way of the symmetric eigenproblem of the smaller Gram matrix, with cyclic Jacobi rotations
// (Golub and Van Loan, Matrix Computations, 8.5). Enough for weights, of which the largest singular values are wanted.

/** A matrix [rows, columns] as left · right: left [rows, rank] with orthogonal columns, right [rank, columns]. */
export interface Factors {
  readonly left: Float64Array;
  readonly right: Float64Array;
}

export interface SingularValues {
  /** In falling order. */
  readonly squares: Float64Array;
  /** The best approximation of a rank; the singular values' roots lie on both sides. */
  factors(rank: number): Factors;
}

/** All singular values of a row-major matrix. Time grows with the third power of its smaller side. */
export function singularValues(matrix: ArrayLike<number>, rows: number, columns: number): SingularValues {
  const isTall = rows > columns;
  const size = Math.min(rows, columns);
  const inner = Math.max(rows, columns);
  const at = isTall
    ? (i: number, k: number) => matrix[k * columns + i]!
    : (i: number, k: number) => matrix[i * columns + k]!;
  // Lines of the smaller side: [size, inner].
  const lines = new Float64Array(size * inner);
  for (let i = 0; i < size; i++) for (let k = 0; k < inner; k++) lines[i * inner + k] = at(i, k);
  const gram = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += lines[i * inner + k]! * lines[j * inner + k]!;
      gram[i * size + j] = sum;
      gram[j * size + i] = sum;
    }
  }
  const vectors = eigenvectorsInPlace(gram, size);
  const order = Array.from({ length: size }, (_, index) => index).sort(
    (a, b) => gram[b * size + b]! - gram[a * size + a]!,
  );
  return {
    squares: Float64Array.from(order, (index) => Math.max(0, gram[index * size + index]!)),
    factors(rank) {
      const small = new Float64Array(size * rank);
      const large = new Float64Array(rank * inner);
      for (let place = 0; place < rank; place++) {
        const vector = order[place]!;
        const root = Math.max(0, gram[vector * size + vector]!) ** 0.25;
        for (let i = 0; i < size; i++) {
          const element = vectors[vector * size + i]!;
          small[i * rank + place] = element * root;
          if (root === 0) continue;
          for (let k = 0; k < inner; k++) large[place * inner + k]! += (element / root) * lines[i * inner + k]!;
        }
      }
      return isTall
        ? { left: transposed(large, rank, inner), right: transposed(small, size, rank) }
        : { left: small, right: large };
    },
  };
}

/** Makes a symmetric matrix diagonal and gives its eigenvectors, a row each. */
function eigenvectorsInPlace(a: Float64Array, n: number): Float64Array {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  let total = 0;
  for (const value of a) total += value * value;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) off += 2 * a[i * n + j]! ** 2;
    if (off <= 1e-22 * total) break;
    // Small elements can wait for a later sweep, whose bar is lower.
    const bar = Math.sqrt(off) / (n * 20);
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) if (Math.abs(a[p * n + q]!) > bar) rotate(a, vectors, n, p, q);
    }
  }
  return vectors;
}

/** A rotation of lines p and q that makes their common element zero. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const [app, aqq, apq] = [a[p * n + p]!, a[q * n + q]!, a[p * n + q]!];
  const theta = (aqq - app) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[p * n + k]!, a[q * n + k]!];
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
    const [v, w] = [vectors[p * n + k]!, vectors[q * n + k]!];
    vectors[p * n + k] = c * v - s * w;
    vectors[q * n + k] = s * v + c * w;
  }
  for (let k = 0; k < n; k++) {
    a[k * n + p] = a[p * n + k]!;
    a[k * n + q] = a[q * n + k]!;
  }
  a[p * n + p] = app - t * apq;
  a[q * n + q] = aqq + t * apq;
  a[p * n + q] = 0;
  a[q * n + p] = 0;
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j]!;
  return result;
}
