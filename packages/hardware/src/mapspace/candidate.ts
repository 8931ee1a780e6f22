import type { MappingCode } from "../analysis/code.js";
import type { Tables } from "../analysis/tables.js";

// A slot is a place for loops: a kind at a level. Slots are numbered kind by kind, slot = kind · levelCount + level.

export const TEMPORAL = 0;
export const SPATIAL_X = 1;
export const SPATIAL_Y = 2;
export const KINDS = 3;

/** A mapping code whose bounds and orders can also be addressed by slot: its arrays are views of `bounds` and `orders`. */
export interface Candidate extends MappingCode {
  /** [slot][dimension]. */
  readonly bounds: Int32Array;
  /** [slot][position]: dimensions, outermost loop first. */
  readonly orders: Uint8Array;
}

/** All bounds 1, all orders the problem's, nothing kept. */
export function createCandidate(tables: Tables): Candidate {
  const { levelCount, dimensionCount } = tables;
  const cells = levelCount * dimensionCount;
  const bounds = new Int32Array(KINDS * cells).fill(1);
  const orders = Uint8Array.from({ length: KINDS * cells }, (_, index) => index % dimensionCount);
  return {
    bounds,
    orders,
    temporal: bounds.subarray(TEMPORAL * cells, (TEMPORAL + 1) * cells),
    spatialX: bounds.subarray(SPATIAL_X * cells, (SPATIAL_X + 1) * cells),
    spatialY: bounds.subarray(SPATIAL_Y * cells, (SPATIAL_Y + 1) * cells),
    temporalOrder: orders.subarray(TEMPORAL * cells, (TEMPORAL + 1) * cells),
    orderX: orders.subarray(SPATIAL_X * cells, (SPATIAL_X + 1) * cells),
    orderY: orders.subarray(SPATIAL_Y * cells, (SPATIAL_Y + 1) * cells),
    keep: new Uint8Array(levelCount * tables.spaces.length),
  };
}

export function copyCandidate(from: Candidate, to: Candidate): void {
  to.bounds.set(from.bounds);
  to.orders.set(from.orders);
  to.keep.set(from.keep);
}
