import type { ZigZagAccelerator } from "./accelerator.js";
import type { ZigZagLayer } from "./layer.js";
import type { SpatialMapping } from "./mapping.js";
import { irrelevant, type OperandTable, tensorWords } from "./operands.js";
import { ceilSafe, roundHalfEven } from "./rounding.js";

/** A loop laid along the array: dimension of the layer by index, dimension of the array by index. */
export interface UnrolledLoop {
  readonly arrayDimension: number;
  readonly dimension: number;
  readonly factor: number;
}

/** The loops of a spatial mapping with the factors that they have in effect. */
export interface EffectiveUnrolling {
  /** n / ⌈n / u⌉ where u units share n iterations: may be a fraction. Energies are counted with these. */
  readonly fractional: readonly UnrolledLoop[];
  /** The same without their fraction. Latencies are counted with these. */
  readonly whole: readonly UnrolledLoop[];
  /** Iterations that are left to time, by dimension of the layer. */
  readonly temporalSizes: Int32Array;
}

/** What a spatial mapping means for a layer (cost-model.md §4.1). */
export function effectiveUnrolling(
  layer: ZigZagLayer,
  { array }: ZigZagAccelerator,
  spatial: SpatialMapping,
): EffectiveUnrolling {
  const names = Object.keys(layer.dimensions);
  const loops = array.dimensions.flatMap(({ name }, arrayDimension) =>
    (spatial[name] ?? [])
      .filter(({ dimension }) => names.includes(dimension))
      .map(({ dimension, factor }) => ({ arrayDimension, dimension: names.indexOf(dimension), factor })),
  );
  const sizes = Object.values(layer.dimensions);
  const fractional = adjust(loops, sizes, (factor) => factor);
  const temporalSizes = Int32Array.from(sizes);
  for (const { dimension, factor } of fractional) {
    temporalSizes[dimension] = ceilSafe(temporalSizes[dimension]! / factor);
  }
  return { fractional, whole: adjust(loops, sizes, Math.trunc), temporalSizes };
}

/**
 * A dimension that its factors do not divide is spread evenly over the units that are needed: the first and largest of
 * its factors is lowered.
 */
function adjust(
  loops: readonly UnrolledLoop[],
  sizes: readonly number[],
  finish: (factor: number) => number,
): UnrolledLoop[] {
  const adjusted: UnrolledLoop[] = [];
  for (const loop of loops) {
    const same = loops.filter(({ dimension }) => dimension === loop.dimension);
    const largest = Math.max(...same.map(({ factor }) => factor));
    if (same.find(({ factor }) => factor === largest) !== loop) {
      adjusted.push(loop);
      continue;
    }
    const before = adjusted
      .filter(({ dimension, arrayDimension }) => dimension === loop.dimension && arrayDimension < loop.arrayDimension)
      .reduce((product, { factor }) => product * factor, 1);
    const size = sizes[loop.dimension]!;
    const remainder = ceilSafe(size / (loop.factor * before));
    adjusted.push({ ...loop, factor: finish(size / remainder / before) });
  }
  return adjusted;
}

/** Where the spatial loops of an operand lie. Index l: architectural level, 0 the array, l + 1 memory level l. */
export interface UnrolledLevels {
  /** Product of the spatial factors of each dimension at levels below l. One more entry than levels. */
  readonly below: readonly Float64Array[];
  /** Units of level l that hold different words. */
  readonly unique: readonly number[];
  /** Units of level l. */
  readonly count: readonly number[];
  /** Words that level l + 1 hands to different units of level l at once. */
  readonly boost: readonly number[];
  /** Some irrelevant dimension is laid along the array at level l or above. */
  readonly irrelevantFrom: readonly boolean[];
}

/** Sorts spatial loops into an operand's levels: a loop belongs below the first memory that serves its array dimension. */
export function unrolledLevels(
  operand: OperandTable,
  loops: readonly UnrolledLoop[],
  { array, memories }: ZigZagAccelerator,
): UnrolledLevels {
  const top = operand.memories.length;
  const levelOf = ({ arrayDimension }: UnrolledLoop): number => {
    const name = array.dimensions[arrayDimension]!.name;
    const level = operand.memories.findIndex((memory) => memories[memory]!.servedDimensions.includes(name));
    return level < 0 ? top : level;
  };
  const dimensions = operand.relevance.length;
  const below = Array.from({ length: top + 2 }, (_, level) => {
    const product = new Float64Array(dimensions).fill(1);
    for (const loop of loops) if (levelOf(loop) < level) product[loop.dimension]! *= loop.factor;
    return product;
  });
  const words = below.map((extents) => tensorWords(operand, extents));
  const units = below.map((extents) => extents.reduce((product, extent) => product * extent, 1));
  const levels = Array.from({ length: top + 1 }, (_, level) => level);
  const unique = levels.map((level) => words[top + 1]! / words[level]!);
  return {
    below,
    unique,
    count: levels.map((level) => roundHalfEven(units[top + 1]! / units[level]!)),
    boost: levels.map((level) => (level === top ? 1 : roundHalfEven(unique[level]! / unique[level + 1]!))),
    irrelevantFrom: levels.map((level) =>
      loops.some(
        (loop) => levelOf(loop) >= level && loop.factor > 1 && operand.relevance[loop.dimension] === irrelevant,
      ),
    ),
  };
}
