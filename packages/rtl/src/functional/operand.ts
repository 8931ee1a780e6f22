// Integers as a datapath sees them: so many bits, the highest of which counts negative where they are signed.

/** Part of a word. `value` lies in the range of `bits` bits, with sign or without. */
export interface Operand {
  readonly value: number;
  readonly bits: number;
  readonly isSigned: boolean;
}

export function signedOperand(value: number, bits: number): Operand {
  return { value, bits, isSigned: true };
}

/** True where two's complement of this width holds the value. */
export function fitsSigned(value: number, bits: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);
}

/** What a register of this width (up to 52 bit) holds after a value was written: two's complement, wrapped. */
export function wrapSigned(value: number, bits: number): number {
  const modulus = 2 ** bits;
  const rest = ((value % modulus) + modulus) % modulus;
  return rest < modulus / 2 ? rest : rest - modulus;
}

/** Bit `index`, 0 the lowest; beyond the width, the sign. */
export function bitOf({ value }: Operand, index: number): number {
  return (value >> index) & 1;
}

/** The low `at` bits, without sign, and what is above them, with the operand's: low + 2^at · high = value. */
export function splitAt({ value, bits, isSigned }: Operand, at: number): readonly [low: Operand, high: Operand] {
  return [
    { value: value & (2 ** at - 1), bits: at, isSigned: false },
    { value: value >> at, bits: Math.max(bits - at, 1), isSigned },
  ];
}

/** A part of an operand, and the place of its lowest bit. */
export interface Slice {
  readonly operand: Operand;
  readonly shift: number;
}

/** Slices of `width` bits, lowest first; the highest has what is left, and the sign. */
export function slicesOf(operand: Operand, width: number): readonly Slice[] {
  const slices: Slice[] = [];
  let rest = operand;
  let shift = 0;
  while (rest.bits > width) {
    const [low, high] = splitAt(rest, width);
    slices.push({ operand: low, shift });
    rest = high;
    shift += width;
  }
  return [...slices, { operand: rest, shift }];
}

/** One product of slices, and its place: what a pass of a unit works on. */
export interface Pass {
  readonly weight: Operand;
  readonly input: Operand;
  readonly shift: number;
}

/** Every pair of slices. */
export function passesOf(weightSlices: readonly Slice[], inputSlices: readonly Slice[]): readonly Pass[] {
  return weightSlices.flatMap((weight) =>
    inputSlices.map((input) => ({
      weight: weight.operand,
      input: input.operand,
      shift: weight.shift + input.shift,
    })),
  );
}
