// Two ways through an integer block: plain integer arithmetic, and the units of @dovetail/rtl clock by clock.

import { type AccumulatingUnit, createAddUnit, createShiftUnit, encodeShiftWeight, requantize } from "@dovetail/rtl";
import { type BlockWindow, blockWidths, type IntegerBlock } from "./integer-block.js";

/** Integers of one image, [channels, height, width]. */
export interface IntegerImage {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Int32Array;
}

/** Calls back for every tap of a window: place of the input (−1 in the padding) and of the weight. */
type Taps = (row: number, column: number, filter: number, visit: (input: number, weight: number) => void) => void;

function tapsOf({ channels, height, width }: IntegerImage, { shape, stride, padding }: BlockWindow): Taps {
  const [, , kernelHeight, kernelWidth] = shape;
  return (row, column, filter, visit) => {
    let weight = filter * channels * kernelHeight * kernelWidth;
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < kernelHeight; y++) {
        for (let x = 0; x < kernelWidth; x++, weight++) {
          const [down, right] = [row * stride + y - padding, column * stride + x - padding];
          const isInside = down >= 0 && down < height && right >= 0 && right < width;
          visit(isInside ? (channel * height + down) * width + right : -1, weight);
        }
      }
    }
  };
}

/** The output of a layer whose values come one by one, by filter, row and column. */
function layerOf(
  image: IntegerImage,
  window: BlockWindow,
  valueAt: (taps: Taps, row: number, column: number, filter: number) => number,
): IntegerImage {
  const [filters, , kernelHeight, kernelWidth] = window.shape;
  const size = (extent: number, kernel: number): number =>
    Math.floor((extent + 2 * window.padding - kernel) / window.stride) + 1;
  const [height, width] = [size(image.height, kernelHeight), size(image.width, kernelWidth)];
  const taps = tapsOf(image, window);
  const values = new Int32Array(filters * height * width);
  let index = 0;
  for (let filter = 0; filter < filters; filter++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) values[index++] = valueAt(taps, row, column, filter);
    }
  }
  return { channels: filters, height, width, values };
}

/** The block's output by integer arithmetic: sums of products with powers of two, sums of magnitudes, one product each. */
export function runIntegerBlock(block: IntegerBlock, image: IntegerImage): IntegerImage {
  const { shift, add, normalization, toAdd } = block;
  const operandLimit = 2 ** (blockWidths.addOperand - 1) - 1;
  const outputLimit = 2 ** (blockWidths.output - 1) - 1;
  const shifted = layerOf(image, shift, (taps, row, column, filter) => {
    let sum = 0;
    taps(row, column, filter, (input, weight) => {
      if (input >= 0) sum += image.values[input]! * shift.signs[weight]! * 2 ** shift.shifts[weight]!;
    });
    return Math.min(operandLimit, Math.max(-operandLimit, nearest(sum, toAdd)));
  });
  return layerOf(shifted, add, (taps, row, column, filter) => {
    let sum = 0;
    taps(row, column, filter, (input, weight) => {
      sum -= Math.abs((input >= 0 ? shifted.values[input]! : 0) - add.weights[weight]!);
    });
    const scaled = sum * normalization.factors[filter]! + normalization.offsets[filter]!;
    return Math.min(outputLimit, Math.max(0, nearest(scaled, normalization.shift)));
  });
}

/** value / 2^shift to the nearest integer, half to even, by arithmetic on integers of any size. */
function nearest(value: number, shift: number): number {
  if (shift <= 0) return value * 2 ** -shift;
  const unit = 1n << BigInt(shift);
  const exact = BigInt(value);
  const floor = exact >> BigInt(shift);
  const twice = 2n * (exact - floor * unit);
  return Number(twice > unit || (twice === unit && floor % 2n !== 0n) ? floor + 1n : floor);
}

/** The same on the functional models of the hardware's units: a clock for every tap, registers of their widths. */
export function runBlockOnUnits(block: IntegerBlock, image: IntegerImage): IntegerImage {
  const { shift, add, normalization, toAdd } = block;
  const words = Uint8Array.from(shift.signs, (sign, index) =>
    encodeShiftWeight({ sign: sign as -1 | 0 | 1, shift: shift.shifts[index]! }, blockWidths.exponent),
  );
  const shiftUnit = createShiftUnit({
    inputBits: blockWidths.shiftInput,
    exponentBits: blockWidths.exponent,
    accumulatorBits: blockWidths.shiftAccumulator,
  });
  const shifted = layerOf(image, shift, (taps, row, column, filter) => {
    accumulate(shiftUnit, taps, [row, column, filter], image.values, words);
    return requantize(
      shiftUnit.accumulator,
      { factor: 1, offset: 0, shift: toAdd },
      { outputBits: blockWidths.addOperand },
    );
  });
  const addUnit = createAddUnit({
    operandBits: blockWidths.addOperand,
    accumulatorBits: blockWidths.addAccumulator,
  });
  return layerOf(shifted, add, (taps, row, column, filter) => {
    accumulate(addUnit, taps, [row, column, filter], shifted.values, add.weights);
    const factor = normalization.factors[filter]!;
    const offset = normalization.offsets[filter]!;
    return requantize(
      addUnit.accumulator,
      { factor, offset, shift: normalization.shift },
      { outputBits: blockWidths.output, isRectified: true },
    );
  });
}

function accumulate(
  unit: AccumulatingUnit,
  taps: Taps,
  [row, column, filter]: readonly [number, number, number],
  values: Int32Array,
  weights: Int8Array | Uint8Array,
): void {
  unit.load();
  taps(row, column, filter, (input, weight) => unit.clock(input >= 0 ? values[input]! : 0, weights[weight]!));
}
