import { type MemoryOperand, memoriesOf, type ZigZagAccelerator } from "./accelerator.js";
import { distinctPoints, type LayerOperand, type ZigZagLayer } from "./layer.js";

/** How a loop bears on a tensor: its words change with the loop, change in part (a window), or do not change. */
export const relevant = 0;
export const partlyRelevant = 1;
export const irrelevant = 2;

/** A rank of a window: two loops, their strides, and the points that are stored at most. */
interface Window {
  readonly a: number;
  readonly b: number;
  readonly strideA: number;
  readonly strideB: number;
  readonly size: number;
}

/** A tensor of a layer, with indices in place of names. Operand 0 is the output. */
export interface OperandTable {
  readonly name: string;
  readonly memoryOperand: MemoryOperand;
  /** Bits of a word; of the output: while it is a partial sum. */
  readonly bits: number;
  /** Bits of a complete output; of an input the same as `bits`. */
  readonly finalBits: number;
  /** By dimension of the layer. */
  readonly relevance: Uint8Array;
  /** Memories that hold it, innermost first. */
  readonly memories: readonly number[];
  readonly relevantDimensions: readonly number[];
  readonly windows: readonly Window[];
}

/** The operands of a layer on an accelerator, in the equation's order. */
export function operandTables(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  links: Readonly<Record<string, MemoryOperand>>,
): OperandTable[] {
  const names = Object.keys(layer.dimensions);
  const indexOf = (name: string): number => names.indexOf(name);
  return [layer.output, ...layer.inputs].map((operand): OperandTable => {
    const windows = windowsOf(layer, operand, indexOf);
    const relevantDimensions = operand.ranks.map(indexOf).filter((index) => index >= 0);
    const relevance = new Uint8Array(names.length).fill(irrelevant);
    for (const { a, b } of windows) relevance[a] = relevance[b] = partlyRelevant;
    for (const dimension of relevantDimensions) relevance[dimension] = relevant;
    const memoryOperand = links[operand.name]!;
    return {
      name: operand.name,
      memoryOperand,
      bits: operand.bits,
      finalBits: operand === layer.output ? layer.output.finalBits : operand.bits,
      relevance,
      memories: memoriesOf(accelerator, memoryOperand),
      relevantDimensions,
      windows,
    };
  });
}

function windowsOf(layer: ZigZagLayer, operand: LayerOperand, indexOf: (name: string) => number): Window[] {
  return layer.relations
    .filter(({ rank }) => operand.ranks.includes(rank))
    .map(({ a, b, size }) => ({
      a: indexOf(a.dimension),
      b: indexOf(b.dimension),
      strideA: a.coefficient,
      strideB: b.coefficient,
      size,
    }));
}

/** Words of a tensor within a tile. Extents may be fractions; a window takes their whole part, as ZigZag does. */
export function tensorWords({ relevantDimensions, windows }: OperandTable, extents: Float64Array): number {
  let words = 1;
  for (let index = 0; index < relevantDimensions.length; index++) words *= extents[relevantDimensions[index]!]!;
  for (let index = 0; index < windows.length; index++) words *= windowPoints(windows[index]!, extents);
  return words;
}

function windowPoints({ a, b, strideA, strideB, size }: Window, extents: Float64Array): number {
  const points = distinctPoints(strideA, Math.trunc(extents[a]!), strideB, Math.trunc(extents[b]!));
  return Math.min(size, points);
}
