import { createMacUnit, inLockstep, type MacUnit, type MacUnitOptions } from "./mac-unit.js";
import { bitOf, type Operand, signedOperand, slicesOf, wrapSigned } from "./operand.js";

export interface SerialUnitOptions extends MacUnitOptions {
  /** The operand that comes a bit a cycle, highest first. */
  readonly serialOperand: "weights" | "inputs";
  /** Width of the other operand's path; a wider one takes a pass for each slice. Default 16 (Stripes). */
  readonly parallelBits?: number | undefined;
  readonly units?: number | undefined;
}

/** One operand a bit a cycle, the other in parallel (Stripes, MICRO 2016). */
export function createSerialUnit({
  serialOperand,
  parallelBits = 16,
  units = 1,
  ...options
}: SerialUnitOptions): MacUnit {
  return createMacUnit(
    {
      units,
      productsAt: () => units,
      cycles: ({ weights, inputs, weightBits, inputBits }) =>
        inLockstep(
          weights.map((value, index) => {
            const weight = signedOperand(value, weightBits);
            const input = signedOperand(inputs[index]!, inputBits);
            return serialOperand === "weights" ? lane(weight, input, parallelBits) : lane(input, weight, parallelBits);
          }),
        ),
    },
    options,
  );
}

function* lane(serial: Operand, parallel: Operand, parallelBits: number): Generator<number, void> {
  const registerBits = serial.bits + Math.min(parallel.bits, parallelBits) + 1;
  for (const { operand, shift } of slicesOf(parallel, parallelBits)) {
    let partialSum = 0;
    for (let index = serial.bits - 1; index >= 0; index--) {
      partialSum = wrapSigned(2 * partialSum + partialProduct(serial, index, operand.value), registerBits);
      yield index === 0 ? partialSum * 2 ** shift : 0;
    }
  }
}

/** Both operands a bit a cycle (Loom, DAC 2018): one lane, which Loom has in great numbers. */
export function createDoublySerialUnit({
  units = 1,
  ...options
}: MacUnitOptions & { readonly units?: number | undefined } = {}): MacUnit {
  return createMacUnit(
    {
      units,
      productsAt: () => units,
      cycles: ({ weights, inputs, weightBits, inputBits }) =>
        inLockstep(
          weights.map((value, index) =>
            doublySerialLane(signedOperand(value, weightBits), signedOperand(inputs[index]!, inputBits)),
          ),
        ),
    },
    options,
  );
}

function* doublySerialLane(weight: Operand, input: Operand): Generator<number, void> {
  const registerBits = weight.bits + input.bits + 1;
  let partialSum = 0;
  for (let weightIndex = weight.bits - 1; weightIndex >= 0; weightIndex--) {
    let row = 0;
    for (let index = input.bits - 1; index >= 0; index--) {
      const product = bitOf(weight, weightIndex) * bitOf(input, index);
      row = wrapSigned(2 * row + (index === input.bits - 1 ? -product : product), input.bits + 1);
      if (index > 0) {
        yield 0;
        continue;
      }
      const isHighest = weightIndex === weight.bits - 1;
      partialSum = wrapSigned(2 * partialSum + (isHighest ? -row : row), registerBits);
      yield weightIndex === 0 ? partialSum : 0;
    }
  }
}

/** A bit of the serial operand times the parallel one; the highest bit of a signed operand counts negative. */
export function partialProduct(serial: Operand, index: number, parallel: number): number {
  if (bitOf(serial, index) === 0) return 0;
  return serial.isSigned && index >= serial.bits - 1 ? -parallel : parallel;
}
