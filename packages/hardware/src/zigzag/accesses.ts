import { dataMoves } from "./accelerator.js";
import type { PreparedLayer } from "./prepared.js";
import type { Traffic } from "./traffic.js";

const moves = dataMoves.length;

/** Accesses of every slot, all units of a memory together, in accesses of the port's full width (cost-model.md §4.3). */
export function countAccesses({ levels, operands }: PreparedLayer, traffic: Traffic, accesses: Float64Array): void {
  for (let at = 0; at < levels.length; at++) {
    const { operand, level, minBits, maxBits } = levels[at]!;
    const units = operands[operand]!.fractional.count[level + 1]!;
    for (let move = 0; move < moves; move++) {
      const slot = at * moves + move;
      const bits = traffic.bits[slot]!;
      const least = minBits[move]!;
      accesses[slot] =
        bits === 0
          ? 0
          : Math.trunc(Math.ceil(bits / least) * (least / maxBits[move]!) * traffic.periods[slot]! * units);
    }
  }
}

/** Energy of a level's accesses. */
export function levelEnergyPj({ levels }: PreparedLayer, at: number, accesses: Float64Array): number {
  const { readPj, writePj } = levels[at]!;
  const slot = at * moves;
  const reads = accesses[slot + 2]! * readPj + accesses[slot]! * readPj;
  const writes = accesses[slot + 3]! * writePj + accesses[slot + 1]! * writePj;
  return reads + writes;
}

/** Whether every move that has something to move has a port to go through. */
export function hasPorts({ levels }: PreparedLayer, traffic: Traffic): boolean {
  for (let at = 0; at < levels.length; at++) {
    const { maxBits } = levels[at]!;
    for (let move = 0; move < moves; move++) {
      if (traffic.bits[at * moves + move]! > 0 && maxBits[move] === 0) return false;
    }
  }
  return true;
}
