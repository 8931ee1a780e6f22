import { inputError } from "@dovetail/core";
import type { OrderedLoop, ZigZagMappingEntry } from "./mapping.js";
import { type FreeLoop, mergeLoops, primeLoops } from "./orderings.js";
import type { PreparedLayer } from "./prepared.js";

/** The loops in time of a layer, and what a mapping says of their places. */
export interface OrderPattern {
  readonly loops: readonly FreeLoop[];
  /** The mapping fixes no place. */
  readonly isFree: boolean;
  /** Whether a loop may stand at a place, 0 the innermost. */
  accepts(place: number, loop: FreeLoop): boolean;
}

/**
 * The loops of a layer, prime factors merged to at most `factorLimit`, with the places that a given order fixes. A given
 * loop has its factor; one without (`*`) stands for any loop over its dimension at that place. Given loops over
 * dimensions that the layer lacks, or that leave nothing to time, are left out.
 *
 * @throws DovetailError `zigzag_order` for factors that do not divide what the spatial mapping leaves.
 */
export function orderPattern(
  prepared: PreparedLayer,
  order: ZigZagMappingEntry["order"],
  factorLimit: number,
): OrderPattern {
  const { dimensions, temporalSizes } = prepared;
  const known = (loops: readonly OrderedLoop[]): FreeLoop[] =>
    loops
      .map(({ dimension, factor }) => ({ dimension: dimensions.indexOf(dimension), factor: factor ?? anyFactor }))
      .filter(({ dimension, factor }) => dimension >= 0 && temporalSizes[dimension]! > 1 && factor !== 1);
  const given = [...known(order.inner), ...known(order.outer)];
  const sized = given.filter(({ factor }) => factor !== anyFactor);
  const free = mergeLoops(primeLoops(sizesWithout(prepared, sized)), factorLimit - sized.length);
  const loops = [...sized, ...free];
  const innerCount = known(order.inner).length;
  const places = placeable(given, loops);
  const placeOf = (index: number): number => (index < innerCount ? index : loops.length - (given.length - index));
  const fixed = new Map(places.map((index) => [placeOf(index), given[index]!]));
  return {
    loops,
    isFree: fixed.size === 0,
    accepts(place, loop) {
      const wanted = fixed.get(place);
      if (wanted === undefined) return true;
      return wanted.dimension === loop.dimension && (wanted.factor === anyFactor || wanted.factor === loop.factor);
    },
  };
}

const anyFactor = 0;

/** What is left of each dimension without the loops whose factors are given. */
function sizesWithout({ dimensions, temporalSizes }: PreparedLayer, sized: readonly FreeLoop[]): Int32Array {
  const sizes = Int32Array.from(temporalSizes);
  for (const { dimension, factor } of sized) {
    if (sizes[dimension]! % factor !== 0) {
      throw inputError("zigzag_order", "a loop's factor does not divide what is left of its dimension", {
        path: ["temporal_ordering", dimensions[dimension]!],
        expected: `a divisor of ${sizes[dimension]}`,
        received: String(factor),
      });
    }
    sizes[dimension]! /= factor;
  }
  return sizes;
}

/** Indices of the given loops for which there are enough loops over their dimension. */
function placeable(given: readonly FreeLoop[], loops: readonly FreeLoop[]): number[] {
  return given.flatMap(({ dimension }, index) => {
    const available = loops.filter((loop) => loop.dimension === dimension).length;
    const before = given.slice(0, index).filter((loop) => loop.dimension === dimension).length;
    return before < available ? [index] : [];
  });
}
