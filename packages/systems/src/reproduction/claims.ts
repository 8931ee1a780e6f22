import type { Claim } from "./card.js";

export interface ClaimOptions {
  readonly text: string;
  readonly source: string;
  readonly claimed: number;
  readonly unit: string;
  /** A value a seed. */
  readonly perSeed: readonly number[];
  /** Whether the mean must be at least, at most, or more than what is claimed. */
  readonly direction: "atLeast" | "atMost" | "above";
  /** What was tried where it does not hold. */
  readonly tried?: readonly string[] | undefined;
}

const holds: Readonly<Record<ClaimOptions["direction"], (ours: number, claimed: number) => boolean>> = {
  atLeast: (ours, claimed) => ours >= claimed,
  atMost: (ours, claimed) => ours <= claimed,
  above: (ours, claimed) => ours > claimed,
};

/** A claim held against the mean over the seeds, with the standard deviation (n − 1) where there are several. */
export function claimOf({ perSeed, direction, tried = [], ...claim }: ClaimOptions): Claim {
  const ours = mean(perSeed);
  const held = holds[direction](ours, claim.claimed);
  return {
    ...claim,
    ours: rounded(ours, 4),
    spread: perSeed.length > 1 ? rounded(standardDeviation(perSeed), 2) : null,
    ...(perSeed.length > 1 && { perSeed: perSeed.map((value) => rounded(value, 4)) }),
    held,
    tried: held ? [] : [...tried],
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** With n − 1 in the denominator; 0 of one value. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

export function rounded(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}

/** A fraction in percent, to four digits. */
export function percent(fraction: number): number {
  return rounded(100 * fraction, 4);
}

/** By how many percentage points a fraction is above another one. */
export function points(a: number, b: number): number {
  return 100 * (a - b);
}
