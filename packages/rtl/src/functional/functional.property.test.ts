import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFixedUnit } from "./fixed.js";
import { createFusionUnit } from "./fusion.js";
import { type MacUnit, multiply, type Products } from "./mac-unit.js";
import { createDoublySerialUnit, createSerialUnit } from "./serial.js";
import { createTiledUnit } from "./tiled.js";

const width = fc.integer({ min: 2, max: 16 });

/** Half of the operands at the ends of their range, where a wrong sign or a lost carry shows. */
function word(bits: number): fc.Arbitrary<number> {
  const [least, most] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return fc.oneof(fc.integer({ min: least, max: most }), fc.constantFrom(least, most, -1, 0, 1));
}

/** Products that start together, for the unit and two widths. */
function productsFor(unit: MacUnit): fc.Arbitrary<Products> {
  return fc.tuple(width, width).chain(([weightBits, inputBits]) => {
    const count = unit.productsAt({ weightBits, inputBits });
    const words = (bits: number) => fc.array(word(bits), { minLength: count, maxLength: count });
    return fc.record({
      weightBits: fc.constant(weightBits),
      inputBits: fc.constant(inputBits),
      weights: words(weightBits),
      inputs: words(inputBits),
    });
  });
}

function dotProduct({ weights, inputs }: Products): number {
  return weights.reduce((sum, weight, index) => sum + weight * inputs[index]!, 0);
}

const units: readonly (readonly [string, MacUnit])[] = [
  ["fixed, 8 bit", createFixedUnit()],
  ["fixed, 16 bit", createFixedUnit({ widthBits: 16 })],
  ["serial inputs", createSerialUnit({ serialOperand: "inputs" })],
  ["serial weights, 8 bit in parallel", createSerialUnit({ serialOperand: "weights", parallelBits: 8 })],
  ["sixteen serial lanes", createSerialUnit({ serialOperand: "weights", units: 16 })],
  ["doubly serial", createDoublySerialUnit({ units: 2 })],
  ["fusion", createFusionUnit()],
  ["four fusion units", createFusionUnit({ units: 4 })],
  ["tiled", createTiledUnit()],
  ["tiled, not grouped", createTiledUnit({ isGrouped: false })],
  ["sixteen tiled ones", createTiledUnit({ units: 16 })],
  ["five tiled ones, not grouped", createTiledUnit({ units: 5, isGrouped: false })],
];

describe.each(units)("%s", (_, unit) => {
  it("multiplies operands of any two widths of 2 to 16 bit exactly, precision switching from one to the next", () => {
    fc.assert(
      fc.property(fc.array(productsFor(unit), { minLength: 1, maxLength: 8 }), (sequence) => {
        unit.clear();
        let expected = 0;
        for (const products of sequence) {
          const cycles = multiply(unit, products);
          expected += dotProduct(products);
          expect(unit.accumulator).toBe(expected);
          expect(cycles).toBeGreaterThan(0);
        }
      }),
      { numRuns: 400 },
    );
  });
});
