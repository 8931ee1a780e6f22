import { irrelevant, tensorWords } from "./operands.js";
import type { PreparedLayer, PreparedOperand } from "./prepared.js";
import type { LoopOrder } from "./traffic.js";

// Which loops lie at which memory, for a given order: memory by memory from the inside, each takes for all its operands
// together the loops with which the least has to be fetched from above (LOMA, Symons et al., AICAS 2021).

/** Places orders of loops into memories. */
export interface Allocator {
  /** By level, how many loops lie at or below it. */
  readonly cuts: Int32Array;
  /** False where a memory is too small. */
  allocate(order: LoopOrder): boolean;
}

export function createAllocator(prepared: PreparedLayer): Allocator {
  const { accelerator, levels, operands } = prepared;
  const cuts = new Int32Array(levels.length);
  const extents = new Float64Array(prepared.dimensions.length);
  const memories = accelerator.memories.map((memory, index) => ({
    sizeBits: memory.sizeBits,
    levels: memory.operands.flatMap((memoryOperand) =>
      levels.flatMap((level, at) =>
        level.memory === index && operands[level.operand]!.memoryOperand === memoryOperand ? [at] : [],
      ),
    ),
  }));

  const allocate = (order: LoopOrder): boolean => {
    for (const { sizeBits, levels: held } of memories) {
      const slices = held.map((at) => slicesOf(prepared, at, order, sizeBits, cuts, extents));
      const chosen = fewestAccesses(slices, sizeBits);
      if (chosen === undefined) return false;
      for (let index = 0; index < held.length; index++) cuts[held[index]!] = chosen[index]!.cut;
    }
    return operands.every(({ firstLevel, levels: count }) => cuts[firstLevel + count - 1] === order.length);
  };

  return { cuts, allocate };
}

/** Loops up to `cut` at or below a level: bits of the tile, and how many bits are fetched from above for all tiles. */
interface Slice {
  readonly cut: number;
  readonly bits: number;
  readonly fetchedBits: number;
}

/** The slices of an operand that fit a memory; the outermost memory takes all that fits. */
function slicesOf(
  { levels, operands }: PreparedLayer,
  at: number,
  order: LoopOrder,
  sizeBits: number,
  cuts: Int32Array,
  extents: Float64Array,
): Slice[] {
  const { operand: index, level } = levels[at]!;
  const operand = operands[index]!;
  const start = level === 0 ? 0 : cuts[at - 1]!;
  extents.set(operand.fractional.below[level + 1]!);
  for (let loop = 0; loop < start; loop++) extents[order.dimensions[loop]!]! *= order.factors[loop]!;
  const wordBits = wordBitsFrom(operand, index, level, start, order);
  let remaining = 1;
  for (let loop = start; loop < order.length; loop++) remaining *= order.factors[loop]!;
  const slices: Slice[] = [];
  for (let cut = start; cut <= order.length; cut++) {
    const bits = tensorWords(operand, extents) * wordBits;
    if (bits > sizeBits) break;
    slices.push({ cut, bits, fetchedBits: remaining * bits });
    if (cut === order.length) break;
    extents[order.dimensions[cut]!]! *= order.factors[cut]!;
    remaining /= order.factors[cut]!;
  }
  const isTop = level === operand.levels - 1;
  return isTop ? slices.slice(-1).map(({ cut, bits }) => ({ cut, bits, fetchedBits: 0 })) : slices;
}

/** Outputs are partial sums while a reduction is left that is not yet placed. */
function wordBitsFrom(
  operand: PreparedOperand,
  index: number,
  level: number,
  start: number,
  { dimensions, length }: LoopOrder,
): number {
  if (index !== 0 || operand.fractional.irrelevantFrom[level + 1]) return operand.bits;
  for (let at = start; at < length; at++) if (operand.relevance[dimensions[at]!] === irrelevant) return operand.bits;
  return operand.finalBits;
}

/** The slices, one an operand, that fit together and fetch least; of equals the larger ones. */
function fewestAccesses(slices: readonly (readonly Slice[])[], sizeBits: number): Slice[] | undefined {
  const last = slices[slices.length - 1] ?? [];
  const bestUpTo = fewestSoFar(last);
  let best: Slice[] | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  const chosen: Slice[] = [];
  const choose = (operand: number, bits: number, fetched: number): void => {
    if (operand < slices.length - 1) {
      for (const slice of slices[operand]!) {
        if (bits + slice.bits > sizeBits) break;
        chosen[operand] = slice;
        choose(operand + 1, bits + slice.bits, fetched + slice.fetchedBits);
      }
      return;
    }
    let fitting = last.length - 1;
    while (fitting >= 0 && bits + last[fitting]!.bits > sizeBits) fitting--;
    const slice = last[bestUpTo[fitting] ?? -1];
    if (slice === undefined || fetched + slice.fetchedBits > fewest) return;
    fewest = fetched + slice.fetchedBits;
    chosen[operand] = slice;
    best = [...chosen];
  };
  choose(0, 0, 0);
  return best;
}

/** For each slice the index of the one, itself or smaller, that fetches least; slices grow. */
function fewestSoFar(slices: readonly Slice[]): number[] {
  let best = 0;
  return slices.map(({ fetchedBits }, index) => {
    if (fetchedBits <= slices[best]!.fetchedBits) best = index;
    return best;
  });
}
