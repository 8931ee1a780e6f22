import type { AccessCounts } from "../analysis/counts.js";
import type { Tables } from "../analysis/tables.js";
import type { FirstStep } from "../exact/counts.js";
import type { Rates } from "./rates.js";

/** A port of a memory. */
export const PORT_NONE = 0;
export const PORT_READ = 1;
export const PORT_WRITE = 2;
export const PORT_SHARED = 3;

/** How long a port of a level is busy over the whole layer; 0 where nothing bounds it. Not whole. */
export function portCycles(counts: AccessCounts, rates: Rates, level: number, port: number): number {
  const spaceCount = counts.reads.length / counts.instances.length;
  let bits = 0;
  for (let cell = level * spaceCount; cell < (level + 1) * spaceCount; cell++) {
    const read = port === PORT_WRITE ? 0 : counts.reads[cell]!;
    const written = port === PORT_READ ? 0 : counts.fills[cell]! + counts.updates[cell]!;
    bits += (read + written) * rates.wordBits[cell]!;
  }
  const { readBandwidth, writeBandwidth, sharedBandwidth } = rates;
  return bits / (port === PORT_READ ? readBandwidth : port === PORT_WRITE ? writeBandwidth : sharedBandwidth)[level]!;
}

/** Cycles as a whole number. Sums of averages may lie beyond a whole number by the error of a division or two. */
export function wholeCycles(cycles: number): number {
  return Math.ceil(cycles * (1 - 1e-12));
}

// What no computation can hide: before the first cycle every memory on the way to the units gets its first tile, one
// after the other, and after the last cycle the results go back the same way. `docs/models/exact.md` has the bounds.

/** Cycles before the first and after the last cycle of the units; not whole. */
export interface Transient {
  fillCycles: number;
  drainCycles: number;
}

/** Of the mapping that was counted last. Operands come in side by side: the slowest decides. */
export function timeTransient(tables: Tables, rates: Rates, first: FirstStep, transient: Transient): void {
  const { levelCount, spaces } = tables;
  transient.fillCycles = 0;
  transient.drainCycles = 0;
  for (let space = 0; space < spaces.length; space++) {
    let fill = 0;
    let drain = 0;
    // A level's reads and its children's writes go on at the same time: the slower of both counts.
    let reading = 0;
    for (let level = 0; level < levelCount; level++) {
      const cell = level * spaces.length + space;
      const bits = rates.wordBits[cell]!;
      const readBits = first.reads[cell]! * bits;
      const fillBits = first.fills[cell]! * bits;
      const updateBits = first.updates[cell]! * bits;
      const shared = rates.sharedBandwidth[level]!;
      if (fillBits > 0) {
        fill += Math.max(reading, fillBits / Math.min(rates.writeBandwidth[level]!, shared));
        reading = 0;
      }
      if (readBits > 0) reading = readBits / Math.min(rates.readBandwidth[level]!, shared);
      drain += updateBits / Math.min(rates.writeBandwidth[level]!, shared);
    }
    transient.fillCycles = Math.max(transient.fillCycles, fill + reading);
    transient.drainCycles = Math.max(transient.drainCycles, drain);
  }
}
