/** To the nearest integer, halves to the even one, as Python's `round`. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return fraction < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Up to the next integer, unless floating point alone has lifted the value above one. */
export function ceilSafe(value: number): number {
  return Math.ceil(value - 1e-9);
}
