import type { MemoryLevelCost, OperandCost, ZigZagCost } from "./cost.js";
import { formatSpatial } from "./spatial.js";

/** Where energy and cycles of a layer come from: totals, ports that the array waits for, and every memory level. */
export function printZigZagCost(cost: ZigZagCost): string {
  const { onloadingCycles, stallCycles, offloadingCycles, temporalCycles, latencyCycles } = cost;
  const waiting = cost.ports.filter(({ stallCycles: stall }) => stall > 0);
  return [
    `${cost.layer}: ${number(cost.energyPj / 1e3)} nJ, ${number(latencyCycles)} cycles, ` +
      `${(100 * cost.utilization).toFixed(1)} % utilization, ${cost.macs} MACs`,
    `  ${number(temporalCycles)} cycles computing + ${number(stallCycles)} waiting + ${number(onloadingCycles)} loading` +
      ` + ${number(offloadingCycles)} unloading`,
    `  on the array: ${formatSpatial(cost.spatial) || "one unit"}`,
    ...waiting.map(
      ({ memory, port, stallCycles: stall }) => `  the array waits for ${memory}.${port}: ${number(stall)} cycles`,
    ),
    ...cost.operands.flatMap(printOperand),
    `  multiply-accumulates: ${number(cost.macEnergyPj / 1e3)} nJ`,
  ].join("\n");
}

function printOperand({ operand, levels }: OperandCost): string[] {
  return levels.map((level) => `  ${operand} in ${level.memory}: ${printLevel(level)}`);
}

function printLevel(level: MemoryLevelCost): string {
  const loops = level.loops.map(({ dimension, factor }) => `${dimension} ${factor}`).join(" ");
  const moves = level.moves.map(({ move, accesses }) => `${accesses} ${moveWords[move]}`).join(", ");
  return (
    `${loops === "" ? "no loop" : loops}; ${level.words} words × ${level.wordBits} bits` +
    ` (${(100 * level.utilization).toFixed(1)} %${level.doubleBuffered ? ", double-buffered" : ""});` +
    ` ${moves}; ${number(level.energyPj / 1e3)} nJ`
  );
}

const moveWords = {
  readToLow: "reads down",
  writeFromLow: "writes from below",
  readToHigh: "reads up",
  writeFromHigh: "writes from above",
} as const;

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
