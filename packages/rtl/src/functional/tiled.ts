import { createMacUnit, type MacUnit, type MacUnitOptions, type Products } from "./mac-unit.js";
import { type Operand, type Pass, passesOf, type Slice, signedOperand, splitAt, wrapSigned } from "./operand.js";
import { partialProduct } from "./serial.js";

export interface TiledUnitOptions extends MacUnitOptions {
  /** Units that share one reduction and one accumulator: G. Default 1. */
  readonly units?: number | undefined;
  /**
   * True: products of one significance are summed over all units, shifted once, and enter one register that shifts in
   * time. False: every tile has such a register, and the sum over tiles comes after it. Default true.
   */
  readonly isGrouped?: boolean | undefined;
}

const tiles = 4;
const tileBits = 4;

/**
 * Spatially tiled temporal units (2-in-1, MICRO 2021; our reading of it, rtl.md section 4.1): four tiles, each of 4 bit of
 * the input times a bit of the weight a cycle. Up to 4 bit, four products in as many cycles as the weight has bits; up to
 * 8, one, its tiles on the halves of both operands, in half as many; beyond, a pass for each half of an operand of more
 * than 8 bit.
 *
 * Operands of unequal widths are halved each at its own middle, so that there are four significances; the synthesised
 * unit has three.
 */
export function createTiledUnit({ units = 1, isGrouped = true, ...options }: TiledUnitOptions = {}): MacUnit {
  return createMacUnit(
    {
      units,
      productsAt: ({ weightBits, inputBits }) => units * (Math.max(weightBits, inputBits) <= tileBits ? tiles : 1),
      cycles: (products) => (isGrouped ? grouped(tilePasses(products)) : ungrouped(tilePasses(products))),
    },
    options,
  );
}

/** What a tile works on in a pass, and the place of its product. */
interface Tile {
  readonly weight: Operand;
  readonly input: Operand;
  readonly shift: number;
}

/** All tiles of all units in one pass. */
interface TilePass {
  readonly tiles: readonly Tile[];
  readonly cycles: number;
  readonly shift: number;
}

function tilePasses({ weights, inputs, weightBits, inputBits }: Products): readonly TilePass[] {
  const operands = weights.map((weight, index) => ({
    weight: signedOperand(weight, weightBits),
    input: signedOperand(inputs[index]!, inputBits),
  }));
  if (Math.max(weightBits, inputBits) <= tileBits) {
    return [{ tiles: operands.map((each) => ({ ...each, shift: 0 })), cycles: weightBits, shift: 0 }];
  }
  const passes = operands.map(({ weight, input }) => passesOf(bytes(weight), bytes(input)));
  const cycles = middle(weightBits > 2 * tileBits ? middle(weightBits) : weightBits);
  return passes[0]!.map(({ shift }, index) => ({
    tiles: passes.flatMap((products) => halved(products[index]!, cycles)),
    cycles,
    shift,
  }));

  function halved({ weight, input }: Pass, weightMiddle: number): Tile[] {
    const inputMiddle = middle(inputBits > 2 * tileBits ? middle(inputBits) : inputBits);
    return [...passesOf(halves(weight, weightMiddle), halves(input, inputMiddle))];
  }
}

function middle(bits: number): number {
  return Math.ceil(bits / 2);
}

/** An operand of more than 8 bit in two parts, halved at its middle. */
function bytes(operand: Operand): readonly Slice[] {
  return operand.bits > 2 * tileBits ? halves(operand, middle(operand.bits)) : [{ operand, shift: 0 }];
}

function halves(operand: Operand, at: number): readonly Slice[] {
  const [low, high] = splitAt(operand, at);
  return [
    { operand: low, shift: 0 },
    { operand: high, shift: at },
  ];
}

/** The tile's product in the cycle of a weight bit. A short high half is extended by its sign. */
function tileProduct({ weight, input }: Tile, index: number, cycles: number): number {
  return partialProduct({ ...weight, bits: cycles }, index, input.value);
}

const registerBits = 40;

function* grouped(passes: readonly TilePass[]): Generator<number, void> {
  for (const { tiles, cycles, shift } of passes) {
    const significances = [...new Set(tiles.map((tile) => tile.shift))];
    let register = 0;
    for (let index = cycles - 1; index >= 0; index--) {
      let sum = 0;
      for (const significance of significances) {
        const same = tiles.filter((tile) => tile.shift === significance);
        sum += same.reduce((total, tile) => total + tileProduct(tile, index, cycles), 0) * 2 ** significance;
      }
      register = wrapSigned(2 * register + sum, registerBits);
      yield index === 0 ? register * 2 ** shift : 0;
    }
  }
}

function* ungrouped(passes: readonly TilePass[]): Generator<number, void> {
  for (const { tiles, cycles, shift } of passes) {
    const registers = tiles.map(() => 0);
    for (let index = cycles - 1; index >= 0; index--) {
      for (const [at, tile] of tiles.entries()) {
        registers[at] = wrapSigned(2 * registers[at]! + tileProduct(tile, index, cycles), registerBits);
      }
      const sum = tiles.reduce((total, tile, at) => total + registers[at]! * 2 ** tile.shift, 0);
      yield index === 0 ? sum * 2 ** shift : 0;
    }
  }
}
