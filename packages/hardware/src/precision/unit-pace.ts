import { inputError } from "@dovetail/core";
import { fusedProductsPerCycle } from "../fusion/array.js";

// How fast units multiply operands of two widths (seeds-hardware.md section 5.4). The closed forms of what the units of
// @dovetail/rtl do cycle by cycle; its tests hold the two against each other at every pair of widths of 2 to 16 bit.

/**
 * - `fixed`: a multiplier of `widestBits`; wider operands take a pass for each pair of slices
 * - `composable`: bricks of `narrowestBits` that fuse up to `widestBits` (Bit Fusion)
 * - `serial`: one operand a bit a cycle, the other in parallel (Stripes)
 * - `serialBoth`: both operands a bit a cycle (Loom)
 * - `tiledSerial`: four small serial units on halves of the operands, serial over the weights (2-in-1)
 * - `shift`, `add`: ShiftAddNet's units
 */
export type UnitRule =
  | { readonly kind: "fixed"; readonly widestBits: number }
  | { readonly kind: "composable"; readonly widestBits: number; readonly narrowestBits: number }
  | { readonly kind: "serial"; readonly serialOperand: "weights" | "inputs"; readonly widestBits: number }
  | { readonly kind: "serialBoth" }
  | { readonly kind: "tiledSerial" }
  | { readonly kind: "shift" | "add" };

/** A unit starts `products` products together, which sum, and has them done `cycles` later. */
export interface UnitPace {
  readonly products: number;
  readonly cycles: number;
}

/**
 * Products and cycles of a unit for operands of two widths. Products a cycle are `products / cycles`.
 *
 * @throws DovetailError `unit_pace` for widths that are no positive integers, and above 16 bit for `tiledSerial`.
 */
export function unitPace(rule: UnitRule, weightBits: number, inputBits: number): UnitPace {
  for (const bits of [weightBits, inputBits]) {
    if (!Number.isInteger(bits) || bits < 1) refuse("no width of an operand", "a positive integer", bits);
  }
  switch (rule.kind) {
    case "fixed":
      return { products: 1, cycles: Math.ceil(weightBits / rule.widestBits) * Math.ceil(inputBits / rule.widestBits) };
    case "composable":
      return {
        products: fusedProductsPerCycle(
          rule,
          Math.min(inputBits, rule.widestBits),
          Math.min(weightBits, rule.widestBits),
        ),
        cycles: Math.ceil(weightBits / rule.widestBits) * Math.ceil(inputBits / rule.widestBits),
      };
    case "serial": {
      const [serial, parallel] = rule.serialOperand === "weights" ? [weightBits, inputBits] : [inputBits, weightBits];
      return { products: 1, cycles: serial * Math.ceil(parallel / rule.widestBits) };
    }
    case "serialBoth":
      return { products: 1, cycles: weightBits * inputBits };
    case "tiledSerial":
      return tiledPace(weightBits, inputBits);
    default:
      return { products: 1, cycles: 1 };
  }
}

/**
 * Up to 4 bit four products in as many cycles as bits; up to 8 one in half as many; an operand of more than 8 bit is
 * halved, with a pass for each half.
 */
function tiledPace(weightBits: number, inputBits: number): UnitPace {
  const widest = Math.max(weightBits, inputBits);
  if (widest > 16) refuse("a tiled unit does not multiply operands this wide", "at most 16 bit", widest);
  if (widest <= 4) return { products: 4, cycles: weightBits };
  const parts = (bits: number): number => (bits > 8 ? 2 : 1);
  const partBits = Math.ceil(weightBits / parts(weightBits));
  return { products: 1, cycles: parts(weightBits) * parts(inputBits) * Math.ceil(partBits / 2) };
}

function refuse(message: string, expected: string, bits: number): never {
  throw inputError("unit_pace", message, { expected, received: `${bits} bit` });
}
