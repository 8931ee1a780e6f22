import { createMacUnit, inLockstep, type MacUnit, type MacUnitOptions } from "./mac-unit.js";
import { passesOf, signedOperand, slicesOf } from "./operand.js";

export interface FixedUnitOptions extends MacUnitOptions {
  /** Width of the multiplier; wider operands take a pass for each pair of slices. Default 8. */
  readonly widthBits?: number | undefined;
  readonly units?: number | undefined;
}

/** A multiplier of fixed width with an accumulator. For passes it takes slices without sign too. */
export function createFixedUnit({ widthBits = 8, units = 1, ...options }: FixedUnitOptions = {}): MacUnit {
  return createMacUnit(
    {
      units,
      productsAt: () => units,
      cycles: ({ weights, inputs, weightBits, inputBits }) =>
        inLockstep(weights.map((weight, index) => lane(weight, weightBits, inputs[index]!, inputBits, widthBits))),
    },
    options,
  );
}

function* lane(
  weight: number,
  weightBits: number,
  input: number,
  inputBits: number,
  width: number,
): Generator<number, void> {
  const passes = passesOf(
    slicesOf(signedOperand(weight, weightBits), width),
    slicesOf(signedOperand(input, inputBits), width),
  );
  for (const pass of passes) yield pass.weight.value * pass.input.value * 2 ** pass.shift;
}
