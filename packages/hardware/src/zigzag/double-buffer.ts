import type { PreparedLayer } from "./prepared.js";
import type { Traffic } from "./traffic.js";

/**
 * Which levels have room for the next tile beside the present one, operand by operand and innermost first: a level that
 * takes the room leaves less to the others in the same memory (cost-model.md §4.4, step 1). The share of a tile leaves
 * out the relevant loops at its top, which bring its words one part after another.
 */
export function findDoubleBuffers(
  { levels }: PreparedLayer,
  { words, wordBits, topRelevant }: Traffic,
  scratch: Float64Array,
  doubleBuffered: Uint8Array,
): void {
  const count = levels.length;
  for (let at = 0; at < count; at++) {
    const { operand, sizeBits } = levels[at]!;
    const held = at + operand + 1;
    scratch[at] = Math.floor((words[held]! * wordBits[held]!) / topRelevant[at]!) / sizeBits;
  }
  for (let at = 0; at < count; at++) {
    let shared = 0;
    for (const other of levels[at]!.sharing) shared += scratch[other]!;
    scratch[count + at] = shared;
  }
  for (let at = 0; at < count; at++) {
    const own = scratch[at]!;
    const shared = scratch[count + at]!;
    doubleBuffered[at] = shared <= 0.5 || own <= 1 - shared ? 1 : 0;
    const { sharing } = levels[at]!;
    if (shared <= 0.5 || own > 1 - shared || sharing.length === 1) continue;
    for (const other of sharing) scratch[count + other]! += own;
  }
}
