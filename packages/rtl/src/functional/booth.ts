/** A digit other than 0 of radix-4 Booth recoding: it stands for `digit` · 4^place. */
export interface BoothDigit {
  /** −2, −1, 1 or 2: a shift by at most one place, and a sign. */
  readonly digit: number;
  readonly place: number;
}

const known = new Map<number, readonly BoothDigit[]>();

/**
 * The digits of a whole number that are not 0, lowest place first: digit i = −2·b(2i+1) + b(2i) + b(2i−1) of its two's
 * complement. Numbers without sign have a zero above their highest bit, and so 255 has the digits −1 and 1 · 4^4.
 */
export function boothDigits(value: number): readonly BoothDigit[] {
  const found = known.get(value);
  if (found !== undefined) return found;
  const digits: BoothDigit[] = [];
  let rest = value;
  let below = 0;
  for (let place = 0; !(rest === 0 && below === 0) && !(rest === -1 && below === 1); place++) {
    const digit = -2 * ((rest >> 1) & 1) + (rest & 1) + below;
    if (digit !== 0) digits.push({ digit, place });
    below = (rest >> 1) & 1;
    rest >>= 2;
  }
  // Operands have at most 16 bit: the table stays small.
  known.set(value, digits);
  return digits;
}
