/** What the hardware side reads of a tensor beyond its shape. It travels in the model's metadata. */
export interface TensorAnnotation {
  /** Bits of each stored value, e.g. 8 after 8-bit quantization; absent means the element type's own. */
  readonly bitWidth?: number | undefined;
  /** Share of values that are zero, in [0, 1]. */
  readonly sparsityFraction?: number | undefined;
  /** Every value is 0 or ±2^k, so that a product with it is a shift. */
  readonly powerOfTwo?: boolean | undefined;
}
