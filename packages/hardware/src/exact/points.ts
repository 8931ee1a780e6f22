import { greatestCommonDivisor } from "../analysis/fanout.js";
import type { SpaceTable } from "../analysis/tables.js";
import { type Bits, clearBits, countBits, repeatBits, setBit } from "./bits.js";

// The places of a rank that a box of elements addresses: the values of Σ c·x. Where a stride exceeds the kernel they
// have gaps between them, which a rank's extent counts and this does not.

/** Places that lengths along a rank's terms address. `coefficients` and `lengths`: one entry per term. */
export function countPoints(
  coefficients: Float64Array,
  lengths: Float64Array,
  terms: number,
  extent: number,
  scratch: Bits,
): number {
  if (terms === 0) return 1;
  if (terms === 1) return lengths[0]!;
  if (terms === 2) {
    // a·i + b·j repeats along the chains (i + b/g, j − a/g): all but the first element of each chain is a repetition.
    const divisor = greatestCommonDivisor(coefficients[0]!, coefficients[1]!);
    const repeated =
      Math.max(0, lengths[0]! - coefficients[1]! / divisor) * Math.max(0, lengths[1]! - coefficients[0]! / divisor);
    return lengths[0]! * lengths[1]! - repeated;
  }
  layPoints(scratch, coefficients, lengths, terms, 0, extent);
  return countBits(scratch);
}

/** The places themselves, from place `at` on, in room for `count` places. */
export function layPoints(
  bits: Bits,
  coefficients: Float64Array,
  lengths: Float64Array,
  terms: number,
  at: number,
  count: number,
): void {
  clearBits(bits, count);
  setBit(bits, at);
  for (let term = 0; term < terms; term++) repeatBits(bits, coefficients[term]!, lengths[term]!);
}

/** From the first place to the last, gaps included. */
export function extentOf(coefficients: Float64Array, lengths: Float64Array, terms: number): number {
  let extent = 1;
  for (let term = 0; term < terms; term++) extent += coefficients[term]! * (lengths[term]! - 1);
  return extent;
}

/** The coefficients of each rank of a data space, term by term. */
export function rankCoefficients({ rankCount, firstTerm, termCoefficient }: SpaceTable): Float64Array[] {
  return Array.from({ length: rankCount }, (_, rank) => termCoefficient.slice(firstTerm[rank]!, firstTerm[rank + 1]!));
}
