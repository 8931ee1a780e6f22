// The two ways in which published methods round a weight to a power of two.

/**
 * The exponent k of the power of two that is nearest to a magnitude by value: the switch from 2^k to 2^(k+1) is at
 * 1.5·2^k, where the larger one is taken (SmartExchange, ISCA 2020).
 *
 * @param magnitude above 0
 */
export function nearestExponentByValue(magnitude: number): number {
  const lower = lowerExponent(magnitude);
  return magnitude < 1.5 * 2 ** lower ? lower : lower + 1;
}

/**
 * The exponent k nearest to a magnitude's logarithm: the switch is at 2^(k+½), half to even (DeepShift-Q,
 * Elhoushi et al., 2021).
 *
 * @param magnitude above 0
 */
export function nearestExponentByLogarithm(magnitude: number): number {
  const logarithm = Math.log2(magnitude);
  const floor = Math.floor(logarithm);
  const rest = logarithm - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return rest < 0.5 ? floor : floor + 1;
}

/** The largest k with 2^k ≤ magnitude; Math.log2 may be off by one ulp beside a power of two. */
function lowerExponent(magnitude: number): number {
  const guess = Math.floor(Math.log2(magnitude));
  if (2 ** guess > magnitude) return guess - 1;
  return 2 ** (guess + 1) <= magnitude ? guess + 1 : guess;
}
