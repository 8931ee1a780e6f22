import { portOf, type ZigZagAccelerator, type ZigZagMemory } from "./accelerator.js";
import type { ZigZagLayer } from "./layer.js";
import type { SpatialMapping, Unrolling, ZigZagMappingEntry } from "./mapping.js";
import { irrelevant, type OperandTable, operandTables } from "./operands.js";

/** Spatial mappings that are tried where the entry leaves dimensions of the array open. */
const CANDIDATES = 4;
/** Combinations that are looked at to choose them. */
const COMBINATIONS = 20_000;

/**
 * The spatial mappings of a layer under an entry: the entry's own, cut down to what array, layer, and the innermost
 * memories' bandwidth and capacity allow; dimensions of the array that it leaves out are filled, the combinations with
 * the fewest cycles first.
 */
export function spatialMappings(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  entry: ZigZagMappingEntry,
): SpatialMapping[] {
  const operands = operandTables(layer, accelerator, entry.links);
  const given = reduceGiven(layer, accelerator, entry, operands);
  const open = accelerator.array.dimensions.filter(({ name }) => entry.spatial[name] === undefined);
  const filled = open.length === 0 ? [given] : fillOpen(layer, accelerator, entry, operands, given);
  const fitting = filled.map((spatial) => fitCapacity(layer, accelerator, operands, spatial));
  const distinct = new Map(fitting.map((spatial) => [JSON.stringify(spatial), spatial]));
  return [...distinct.values()];
}

type MutableUnrolling = { dimension: string; factor: number }[];

function reduceGiven(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  { spatial }: ZigZagMappingEntry,
  operands: readonly OperandTable[],
): SpatialMapping {
  const reduced: Record<string, MutableUnrolling> = {};
  const used = new Map<string, number>();
  for (const { name, size } of accelerator.array.dimensions) {
    if (spatial[name] === undefined) continue;
    const kept = spatial[name]
      .filter(({ dimension }) => layer.dimensions[dimension] !== undefined)
      .map(({ dimension, factor }) => ({
        dimension,
        factor: Math.min(factor, largestFactor(layer, accelerator, operands, name, dimension)),
      }));
    while (kept.reduce((product, { factor }) => product * factor, 1) > size) kept.shift();
    reduced[name] = kept.filter(({ dimension, factor }) => {
      const total = (used.get(dimension) ?? 1) * factor;
      if (total > layer.dimensions[dimension]!) return false;
      used.set(dimension, total);
      return true;
    });
  }
  return reduced;
}

/** What of a layer's dimension can lie along one of the array: bounded by both, and by bandwidth into the array. */
function largestFactor(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  operands: readonly OperandTable[],
  arrayDimension: string,
  dimension: string,
): number {
  const size = accelerator.array.dimensions.find(({ name }) => name === arrayDimension)!.size;
  let largest = Math.min(size, layer.dimensions[dimension]!);
  for (const { memory, operand } of innermost(accelerator, operands)) {
    if (!memory.servedDimensions.includes(arrayDimension) || !bearsOn(layer, operand, dimension)) continue;
    const move = operand.memoryOperand === "O" ? "writeFromLow" : "readToLow";
    const bits = portOf(memory, operand.memoryOperand, move)!.maxBitsPerCycle;
    if (operand.bits > 0) largest = Math.min(largest, Math.floor(bits / operand.bits));
  }
  return Math.max(1, largest);
}

/** Memories below which none of their operands has another. */
function innermost(accelerator: ZigZagAccelerator, operands: readonly OperandTable[]) {
  const found: { readonly memory: ZigZagMemory; readonly operand: OperandTable }[] = [];
  for (const [index, memory] of accelerator.memories.entries()) {
    const held = operands.filter(({ memories }) => memories.includes(index));
    if (!held.every(({ memories }) => memories[0] === index)) continue;
    for (const operand of held) found.push({ memory, operand });
  }
  return found;
}

function bearsOn(layer: ZigZagLayer, operand: OperandTable, dimension: string): boolean {
  return operand.relevance[Object.keys(layer.dimensions).indexOf(dimension)] !== irrelevant;
}

/** Combinations of one layer dimension for each open dimension of the array, each as large as it can be. */
function fillOpen(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  entry: ZigZagMappingEntry,
  operands: readonly OperandTable[],
  given: SpatialMapping,
): SpatialMapping[] {
  const open = accelerator.array.dimensions.map(({ name }) => name).filter((name) => given[name] === undefined);
  const choices = open.map((name) => {
    const hinted = (entry.spatialHints[name] ?? []).filter((dimension) => layer.dimensions[dimension] !== undefined);
    return hinted.length > 0 ? hinted : Object.keys(layer.dimensions);
  });
  const found: { readonly spatial: SpatialMapping; readonly cycles: number; readonly largest: number }[] = [];
  const extend = (at: number, spatial: SpatialMapping): void => {
    if (found.length >= COMBINATIONS) return;
    if (at === open.length) {
      found.push({ spatial, ...extentOf(layer, spatial) });
      return;
    }
    for (const dimension of choices[at]!) {
      const left = Math.floor(layer.dimensions[dimension]! / unrolled(spatial, dimension));
      const factor = Math.min(left, largestFactor(layer, accelerator, operands, open[at]!, dimension));
      extend(at + 1, { ...spatial, [open[at]!]: [{ dimension, factor }] });
    }
  };
  extend(0, given);
  found.sort((left, right) => left.cycles - right.cycles || left.largest - right.largest);
  return found.slice(0, CANDIDATES).map(({ spatial }) => spatial);
}

function unrolled(spatial: SpatialMapping, dimension: string): number {
  return Object.values(spatial)
    .flat()
    .reduce((product, loop) => (loop.dimension === dimension ? product * loop.factor : product), 1);
}

/** Cycles that are left to time, and the most that lies along the array of one dimension: the less, the more reuse. */
function extentOf(layer: ZigZagLayer, spatial: SpatialMapping): { readonly cycles: number; readonly largest: number } {
  let cycles = 1;
  let largest = 1;
  for (const [dimension, size] of Object.entries(layer.dimensions)) {
    const factor = unrolled(spatial, dimension);
    cycles *= Math.ceil(size / factor);
    largest = Math.max(largest, factor);
  }
  return { cycles, largest };
}

/** Lowers factors, the largest first, until what lies along the dimensions that a memory serves fits into it. */
function fitCapacity(
  layer: ZigZagLayer,
  accelerator: ZigZagAccelerator,
  operands: readonly OperandTable[],
  spatial: SpatialMapping,
): SpatialMapping {
  const fitted: Record<string, MutableUnrolling> = Object.fromEntries(
    Object.entries(spatial).map(([name, loops]) => [name, loops.map((loop) => ({ ...loop }))]),
  );
  for (const { memory, operand } of innermost(accelerator, operands)) {
    const loops = memory.servedDimensions
      .flatMap((name) => fitted[name] ?? [])
      .filter(({ dimension }) => bearsOn(layer, operand, dimension));
    const words = (): number => loops.reduce((product, { factor }) => product * factor, 1);
    while (words() * operand.bits > memory.sizeBits && words() > 1) lowerLargest(loops);
  }
  return fitted;
}

function lowerLargest(loops: MutableUnrolling): void {
  const largest = Math.max(...loops.map(({ factor }) => factor));
  loops.find(({ factor }) => factor === largest)!.factor -= 1;
}

/** What lies along the array, in words, such as `D1: K 32, D2: C 32`. */
export function formatSpatial(spatial: SpatialMapping): string {
  const side = (loops: Unrolling): string => loops.map(({ dimension, factor }) => `${dimension} ${factor}`).join(" ");
  return Object.entries(spatial)
    .filter(([, loops]) => loops.some(({ factor }) => factor > 1))
    .map(([name, loops]) => `${name}: ${side(loops)}`)
    .join(", ");
}
