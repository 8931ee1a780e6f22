import { encodeMapping } from "../analysis/code.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Candidate } from "./candidate.js";
import type { Mapspace } from "./mapspace.js";
import { sortByRank } from "./sample.js";

/**
 * Writes a mapping document into a candidate: loops in the order that the constraints fix, tensors kept as they demand.
 * False when its bounds do not multiply to the problem's sizes or stand where they may not; fan-outs and memories may
 * overflow (`repair`).
 *
 * @throws DovetailError when the mapping names levels, dimensions or data spaces that do not exist.
 */
export function adoptMapping(space: Mapspace, mapping: Mapping, candidate: Candidate): boolean {
  const { tables, slotCount, fixedBounds, free } = space;
  const { dimensionCount, sizes } = tables;
  const code = encodeMapping(tables, withoutUnitLoops(mapping));
  candidate.temporal.set(code.temporal);
  candidate.spatialX.set(code.spatialX);
  candidate.spatialY.set(code.spatialY);
  candidate.temporalOrder.set(code.temporalOrder);
  candidate.orderX.set(code.orderX);
  candidate.orderY.set(code.orderY);
  candidate.keep.set(space.keep);
  for (const cell of space.freeKeeps) candidate.keep[cell] = code.keep[cell]!;
  for (let slot = 0; slot < slotCount; slot++) sortByRank(space, candidate, slot);
  const covered = new Float64Array(dimensionCount).fill(1);
  for (let cell = 0; cell < slotCount * dimensionCount; cell++) {
    if (free[cell] !== 1 && candidate.bounds[cell] !== fixedBounds[cell]) return false;
    covered[cell % dimensionCount]! *= candidate.bounds[cell]!;
  }
  return covered.every((size, dimension) => size === sizes[dimension]);
}

/** Dimensions of size 1 may be unknown to the problem. */
function withoutUnitLoops(mapping: Mapping): Mapping {
  return {
    levels: mapping.levels.map((level) => ({
      ...level,
      temporal: level.temporal.filter(({ bound }) => bound > 1),
      spatialX: level.spatialX.filter(({ bound }) => bound > 1),
      spatialY: level.spatialY.filter(({ bound }) => bound > 1),
    })),
  };
}
