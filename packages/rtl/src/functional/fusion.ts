import { createMacUnit, inLockstep, type MacUnit, type MacUnitOptions } from "./mac-unit.js";
import { type Operand, passesOf, signedOperand, slicesOf } from "./operand.js";

export interface FusionUnitOptions extends MacUnitOptions {
  readonly units?: number | undefined;
}

const brickBits = 2;
const unitBits = 8;
/** Bricks along each operand. */
const side = unitBits / brickBits;

/**
 * Sixteen bricks of 2 × 2 bit that fuse (Bit Fusion, ISCA 2018): one product of 8 × 8 bit, four of 4 × 4, sixteen of
 * 2 × 2, two of 8 × 4 and so on, summed; operands take the next of 2, 4 and 8 bit. Wider ones take a pass for each pair
 * of bytes.
 */
export function createFusionUnit({ units = 1, ...options }: FusionUnitOptions = {}): MacUnit {
  return createMacUnit(
    {
      units,
      productsAt: ({ weightBits, inputBits }) =>
        units * (side / brickSlices(weightBits)) * (side / brickSlices(inputBits)),
      cycles: ({ weights, inputs, weightBits, inputBits }) => {
        const each = weights.length / units;
        return inLockstep(
          Array.from({ length: units }, (_, unit) => {
            const of = (values: readonly number[], bits: number): Operand[] =>
              values.slice(unit * each, (unit + 1) * each).map((value) => signedOperand(value, bits));
            return lane(of(weights, weightBits), of(inputs, inputBits));
          }),
        );
      },
    },
    options,
  );
}

/** Bricks that an operand's byte lies over: 1, 2 or 4. */
function brickSlices(bits: number): number {
  return bits <= brickBits ? 1 : bits <= 2 * brickBits ? 2 : side;
}

function* lane(weights: readonly Operand[], inputs: readonly Operand[]): Generator<number, void> {
  const slices = { weights: brickSlices(weights[0]!.bits), inputs: brickSlices(inputs[0]!.bits) };
  const passes = weights.map((weight, index) =>
    passesOf(slicesOf(weight, unitBits), slicesOf(inputs[index]!, unitBits)),
  );
  for (const [index, { shift }] of passes[0]!.entries()) {
    const now = passes.map((products) => products[index]!);
    const bricks = (row: number, column: number): number => {
      // The indices' low bits choose the slice of a word, what is left of them the product.
      const product = Math.floor(row / slices.weights) * (side / slices.inputs) + Math.floor(column / slices.inputs);
      const { weight, input } = now[product]!;
      return brick(weight, row % slices.weights, slices.weights) * brick(input, column % slices.inputs, slices.inputs);
    };
    yield tree(bricks, slices.weights, slices.inputs) * 2 ** shift;
  }

  /** Two bits of an operand, without sign but for the highest slice of a signed one. */
  function brick({ value, isSigned }: Operand, slice: number, count: number): number {
    const bits = (value >> (brickBits * slice)) & 3;
    return isSigned && slice === count - 1 && bits >= 2 ? bits - 4 : bits;
  }
}

/** Two levels of sums of four. A level shifts along an operand only where that operand lies over it. */
function tree(bricks: (row: number, column: number) => number, weightSlices: number, inputSlices: number): number {
  const quad = (row: number, column: number): number =>
    fuse4(
      (i, j) => bricks(2 * row + i, 2 * column + j),
      weightSlices > 1 ? brickBits : 0,
      inputSlices > 1 ? brickBits : 0,
    );
  return fuse4(quad, weightSlices > 2 ? 2 * brickBits : 0, inputSlices > 2 ? 2 * brickBits : 0);
}

function fuse4(part: (row: number, column: number) => number, rowShift: number, columnShift: number): number {
  return (
    part(0, 0) + part(0, 1) * 2 ** columnShift + part(1, 0) * 2 ** rowShift + part(1, 1) * 2 ** (rowShift + columnShift)
  );
}
