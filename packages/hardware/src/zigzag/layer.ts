// A layer as ZigZag writes it: loop dimensions with sizes, an equation of three operands, and for a sliding window the
// relation of an input's rank to two loops.

/** A tensor of a layer. */
export interface LayerOperand {
  /** `O`, `W` or `I` in ZigZag's own files. */
  readonly name: string;
  /** Indices of the equation in upper case: loop dimensions, or ranks that a relation explains. */
  readonly ranks: readonly string[];
  /** Bits of a word; of the output: of a partial sum. */
  readonly bits: number;
}

/** Rank = a.coefficient × a.dimension + b.coefficient × b.dimension, the window of a convolution. */
export interface RankRelation {
  readonly rank: string;
  readonly a: { readonly dimension: string; readonly coefficient: number };
  readonly b: { readonly dimension: string; readonly coefficient: number };
  /** Points of the rank that are stored: the input without its padding. */
  readonly size: number;
}

export interface ZigZagLayer {
  readonly id: number;
  readonly name: string;
  readonly operator: string;
  /** Sizes of the loops, by name. */
  readonly dimensions: Readonly<Record<string, number>>;
  readonly output: LayerOperand & {
    /** Bits of a word that is complete. */
    readonly finalBits: number;
  };
  /** In the equation's order. */
  readonly inputs: readonly LayerOperand[];
  readonly relations: readonly RankRelation[];
  /** Layer whose output an input is, where it is one. */
  readonly sources: Readonly<Record<string, number>>;
}

/** Multiply-accumulates of a layer. */
export function layerMacs({ dimensions }: ZigZagLayer): number {
  return Object.values(dimensions).reduce((product, size) => product * size, 1);
}

/**
 * How many points a window reaches: distinct values of sa·i + sb·j for i < a, j < b. Strides that leave gaps count the
 * points that are read, not the gaps (cost-model.md §4.2). ZigZag's own form of it counts too many where a dilation
 * exceeds the outputs at hand.
 */
export function distinctPoints(sa: number, a: number, sb: number, b: number): number {
  const divisor = greatestCommonDivisor(sa, sb);
  return a * b - Math.max(0, b - sa / divisor) * Math.max(0, a - sb / divisor);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
