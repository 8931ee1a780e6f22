import { dataMoves } from "./accelerator.js";
import { moveIndex, type PortTable, type PreparedLayer } from "./prepared.js";
import type { TransferCycles } from "./stalls.js";
import type { Traffic } from "./traffic.js";

// Filling the memories before the first cycle and emptying them after the last (cost-model.md §4.4, step 6).

const moves = dataMoves.length;

/** By slot: cycles of loading or unloading, and whether the port serves both inputs. */
export interface LoadingCycles {
  readonly cycles: Float64Array;
  readonly shared: Uint8Array;
}

/**
 * Cycles that each port's transfers take before or after the computation. A transfer that happens but once may share the
 * time of the computation, as far as the port has bandwidth left there.
 */
export function loadPort(
  prepared: PreparedLayer,
  port: PortTable,
  traffic: Traffic,
  { real }: TransferCycles,
  computeCycles: number,
  loading: LoadingCycles,
): void {
  const once: number[] = [];
  let demand = 0;
  for (const slot of port.slots) {
    if (traffic.periods[slot] === 0 || isPartialSumMove(prepared, slot)) continue;
    loading.cycles[slot] = real[slot]!;
    loading.shared[slot] = port.sharedByInputs ? 1 : 0;
    if (traffic.periods[slot] === 1) once.push(slot);
    else demand += traffic.averageBits[slot]!;
  }
  const surplus = Math.max(0, ((port.bitsPerCycle - demand) / port.bitsPerCycle) * computeCycles);
  if (surplus > 0) lowerTogether(prepared, port, traffic, once, surplus, loading.cycles);
}

/** Partial sums that come back: none do at the start and at the end. */
function isPartialSumMove({ levels }: PreparedLayer, slot: number): boolean {
  if (levels[Math.floor(slot / moves)]!.operand !== 0) return false;
  const move = slot % moves;
  return move === moveIndex.readToLow || move === moveIndex.writeFromHigh;
}

/**
 * Lowers the largest first until they are equal, then all of them, until nothing is left or each is at its least. As in
 * ZigZag what is at its least already is lowered again with the others, even below 0.
 */
function lowerTogether(
  { operands, levels }: PreparedLayer,
  port: PortTable,
  { wholeWords, wordBits }: Traffic,
  slots: number[],
  surplus: number,
  cycles: Float64Array,
): void {
  const least = (slot: number): number => {
    const { operand } = levels[Math.floor(slot / moves)]!;
    const first = operands[operand]!.firstLevel + operand + 1;
    return Math.ceil((wholeWords[first]! * wordBits[first]!) / port.bitsPerCycle);
  };
  slots.sort((left, right) => cycles[right]! - cycles[left]!);
  let left = surplus;
  for (let last = 0; last < slots.length; last++) {
    const wanted = cycles[slots[last]!]! - least(slots[last]!);
    const each = left >= wanted * (last + 1) ? wanted : left / (last + 1);
    for (let at = 0; at <= last; at++) cycles[slots[at]!]! -= each;
    left -= each * (last + 1);
    if (each !== wanted) break;
  }
}

/** Cycles before the first multiplication: the inputs come in one after the other where they share a port. */
export function onloadingCycles({ operands }: PreparedLayer, { cycles, shared }: LoadingCycles): number {
  const inputs = operands.slice(1).map(({ firstLevel, levels }) => {
    const parts = { alone: 0, halfShared: 0, shared: 0 };
    for (let at = firstLevel; at < firstLevel + levels - 1; at++) {
      const lower = at * moves + moveIndex.writeFromHigh;
      const upper = (at + 1) * moves + moveIndex.readToLow;
      const longest = Math.max(cycles[lower]!, cycles[upper]!);
      if (shared[lower] && shared[upper]) parts.shared += longest;
      else if (shared[lower] || shared[upper]) parts.halfShared = longest;
      else parts.alone += longest;
    }
    return parts;
  });
  const [a, b] = inputs;
  if (a === undefined) return 0;
  if (b === undefined) return Math.max(0, a.alone);
  const aFirst = a.shared + Math.max(b.shared + b.halfShared + b.alone, a.halfShared + a.alone);
  const bFirst = b.shared + Math.max(a.shared + a.halfShared + a.alone, b.halfShared + b.alone);
  return Math.max(0, Math.min(aFirst, bFirst));
}

/** Cycles after the last multiplication: the output goes up level by level. */
export function offloadingCycles({ operands }: PreparedLayer, { cycles }: LoadingCycles): number {
  const { firstLevel, levels } = operands[0]!;
  let total = 0;
  for (let at = firstLevel; at < firstLevel + levels - 1; at++) {
    total += Math.max(cycles[at * moves + moveIndex.readToHigh]!, cycles[(at + 1) * moves + moveIndex.writeFromLow]!);
  }
  return Math.max(0, total);
}
