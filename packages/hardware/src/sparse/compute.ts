import type { ComputeSparsity } from "./schema.js";

// What the compute units do, from what their two operands are: there and not zero, there and zero, or missing because
// their tensor is compressed. Timeloop's `CalculateFineGrainedComputeAccesses2Operand`.

export interface Operand {
  /** Share of non-zeros among single words. */
  readonly density: number;
  /** Whether the innermost level that keeps it has metadata, so that its zeros are missing. */
  readonly compressed: boolean;
  /** Share of operations that its innermost accesses were left out of; undefined when none were. */
  readonly leftOut: number | undefined;
}

export interface Computes {
  readonly actual: number;
  readonly gated: number;
  readonly skipped: number;
}

/** Operations of two operands, of those that are left after what the storage leaves out. */
export function countComputes(
  operations: number,
  [first, second]: readonly [Operand, Operand],
  { gateZeros = false, skipMissing = false }: ComputeSparsity,
): Computes {
  // What made one operand's access be left out was that the other was empty: of what is left, the other is more often there.
  const a = presence(first, second.leftOut);
  const b = presence(second, first.leftOut);
  const zero = operations * (a.nonZero * b.zero + a.zero * b.nonZero) + operations * (a.zero * b.zero);
  const unaligned =
    operations * (a.nonZero * b.missing + a.missing * b.nonZero) +
    operations * (a.zero * b.missing + a.missing * b.zero);
  const absent = operations * (a.missing * b.missing);
  const gated = Math.floor((gateZeros ? zero : 0) + (gateZeros && !skipMissing ? unaligned : 0));
  const skipped = Math.floor(skipMissing ? unaligned : 0);
  return { actual: Math.trunc(operations - skipped - gated - Math.floor(absent)), gated, skipped };
}

interface Presence {
  readonly nonZero: number;
  readonly zero: number;
  readonly missing: number;
}

function presence({ density, compressed }: Operand, otherLeftOut: number | undefined): Presence {
  const nonZero = Math.min(1, otherLeftOut === undefined ? density : density / (1 - otherLeftOut));
  return { nonZero, zero: compressed ? 0 : 1 - nonZero, missing: compressed ? 1 - nonZero : 0 };
}
