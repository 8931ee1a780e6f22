/** What the hardware side reads of a tensor beyond its shape. It travels in the model's metadata. */
export interface TensorAnnotation {
  /** Bits of each stored value, e.g. 8 after 8-bit quantization; absent means the element type's own. */
  readonly bitWidth?: number | undefined;
  /** Share of values that are zero, in [0, 1]. */
  readonly sparsityFraction?: number | undefined;
  /** Every value is 0 or ±2^k, so that a product with it is a shift. */
  readonly powerOfTwo?: boolean | undefined;
  /** The values are products of sparse matrices of signed powers of two and small bases: see `structuredFormOf`. */
  readonly structured?: StructuredAnnotation | undefined;
}

/** What a layer's weights take in SmartExchange's form. Stored are the kept rows, a bit a row, the bases. */
export interface StructuredAnnotation {
  /** Columns of the coefficient matrices: S. */
  readonly columns: number;
  /** Of all coefficient matrices. */
  readonly rows: number;
  /** Rows that are stored; the others are zero. */
  readonly keptRows: number;
  /** Bases of S × S. */
  readonly bases: number;
  /** Coefficients in kept rows that are not zero. */
  readonly nonZeroCoefficients: number;
  /** Bits of a coefficient: sign and exponent. */
  readonly coefficientBitWidth: number;
  /** Bits of an element of a basis. */
  readonly basisBitWidth: number;
  /** Bits of the power of two by which a whole basis is scaled; 0 where absent. */
  readonly scaleBitWidth?: number | undefined;
}
