// Least squares with as many unknowns as a kernel is wide, row-major in typed arrays.

/**
 * Solves G·X = H for a symmetric positive definite G [n, n] and H [n, n] by Cholesky, in place of H; G is overwritten by
 * its factor. A pivot that vanishes is set to 1 and its row of X to 0: that unknown is not determined.
 */
export function solveInPlace(g: Float64Array, h: Float64Array, n: number): void {
  factorize(g, n);
  for (let column = 0; column < n; column++) {
    for (let i = 0; i < n; i++) {
      let sum = h[i * n + column]!;
      for (let k = 0; k < i; k++) sum -= g[i * n + k]! * h[k * n + column]!;
      h[i * n + column] = sum / g[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = h[i * n + column]!;
      for (let k = i + 1; k < n; k++) sum -= g[k * n + i]! * h[k * n + column]!;
      h[i * n + column] = sum / g[i * n + i]!;
    }
  }
}

function factorize(g: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = g[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= g[i * n + k]! * g[j * n + k]!;
      if (i !== j) {
        g[i * n + j] = sum / g[j * n + j]!;
      } else if (sum > 1e-12 * g[i * n + i]! && sum > 0) {
        g[i * n + i] = Math.sqrt(sum);
      } else {
        for (let k = 0; k < i; k++) g[i * n + k] = 0;
        g[i * n + i] = Number.POSITIVE_INFINITY;
      }
    }
  }
}

/**
 * The orthogonal–triangular factors of Bᵀ for rows of B [n, n]: `rotated(a)` = Qᵀa and R with Bᵀ = Q·R, by modified
 * Gram–Schmidt with a second pass. A row of B that depends on those before it leaves a zero on R's diagonal.
 */
export function factorizeBasis(basis: Float64Array, q: Float64Array, r: Float64Array, n: number): void {
  r.fill(0);
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < n; k++) q[j * n + k] = basis[j * n + k]!;
    let before = 0;
    for (let k = 0; k < n; k++) before += q[j * n + k]! ** 2;
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        let product = 0;
        for (let k = 0; k < n; k++) product += q[i * n + k]! * q[j * n + k]!;
        r[i * n + j]! += product;
        for (let k = 0; k < n; k++) q[j * n + k]! -= product * q[i * n + k]!;
      }
    }
    let square = 0;
    for (let k = 0; k < n; k++) square += q[j * n + k]! ** 2;
    const norm = square > 1e-20 * before ? Math.sqrt(square) : 0;
    r[j * n + j] = norm;
    for (let k = 0; k < n; k++) q[j * n + k] = norm === 0 ? 0 : q[j * n + k]! / norm;
  }
}
