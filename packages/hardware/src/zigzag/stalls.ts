import { dataMoves } from "./accelerator.js";
import type { PortTable, PreparedLayer } from "./prepared.js";
import type { Traffic } from "./traffic.js";

const moves = dataMoves.length;

/** Cycles of one transfer of each slot: what the port takes, and what the two sides leave for it. */
export interface TransferCycles {
  readonly real: Float64Array;
  readonly allowed: Float64Array;
}

/** Cycles that transfers take and may take without the array waiting (cost-model.md §4.4, step 2). */
export function timeTransfers(
  { levels }: PreparedLayer,
  { wholeBits, period, topIrrelevant }: Traffic,
  doubleBuffered: Uint8Array,
  { real, allowed }: TransferCycles,
): void {
  for (let at = 0; at < levels.length; at++) {
    const { level, maxBits } = levels[at]!;
    for (let move = 0; move < moves; move++) {
      const slot = at * moves + move;
      const width = maxBits[move]!;
      real[slot] = width === 0 ? 0 : Math.ceil(wholeBits[slot]! / width);
      // Towards the array the side that is overwritten is the level below, of which the array itself holds nothing.
      const receiver = move < 2 ? at - 1 : at;
      const isArray = move < 2 && level === 0;
      const window = isArray || doubleBuffered[receiver] === 1 ? 1 : topIrrelevant[receiver]!;
      allowed[slot] = Math.floor(period[slot]! / window);
    }
  }
}

/** Cycles that the array waits for a port; negative where the port has time to spare (steps 3 and 4). */
export function portStall(port: PortTable, traffic: Traffic, { real, allowed }: TransferCycles): number {
  let active = 0;
  let last = -1;
  let stalls = 0;
  let slack = 0;
  let windows = 0;
  for (const slot of port.slots) {
    const periods = traffic.periods[slot]!;
    if (periods === 0) continue;
    active++;
    last = slot;
    const stall = (real[slot]! - allowed[slot]!) * (periods - 1);
    if (stall > 0) stalls += stall;
    else slack += stall;
    windows += allowed[slot]! * (periods - 1);
  }
  if (active === 0) return 0;
  if (active === 1) return (real[last]! - allowed[last]!) * (traffic.periods[last]! - 1);
  return stalls + Math.max(0, slack + windows - unionOfWindows(port, traffic, allowed));
}

/**
 * Length of the union of the windows in which a port's transfers may happen. Each lies at the start of its period, and
 * the periods, being products of the innermost loops of one order, divide one another.
 */
export function unionOfWindows(
  { slots }: Pick<PortTable, "slots">,
  { period, periods }: Pick<Traffic, "period" | "periods">,
  allowed: Float64Array,
): number {
  let longest = 0;
  for (const slot of slots) {
    if (periods[slot] === 0) continue;
    if (period[slot] === allowed[slot]) return period[slot]! * periods[slot]!;
    if (period[slot]! > period[longest]! || periods[longest] === 0) longest = slot;
  }
  return coveredBy(slots, period, periods, allowed, period[longest]!, period[longest]!) * periods[longest]!;
}

/** How much of the first `length` cycles lies in a window of a period of at most `limit`. */
function coveredBy(
  slots: readonly number[],
  period: Float64Array,
  periods: Float64Array,
  allowed: Float64Array,
  limit: number,
  length: number,
): number {
  let cycle = 0;
  let window = 0;
  for (const slot of slots) {
    if (periods[slot] === 0 || period[slot]! > limit) continue;
    if (period[slot]! > cycle) {
      cycle = period[slot]!;
      window = allowed[slot]!;
    } else if (period[slot] === cycle) window = Math.max(window, allowed[slot]!);
  }
  if (cycle === 0) return 0;
  const inner = (cycles: number): number => coveredBy(slots, period, periods, allowed, cycle - 1, cycles);
  const whole = Math.floor(length / cycle);
  const rest = length - whole * cycle;
  const perCycle = whole === 0 ? 0 : window + inner(cycle) - inner(window);
  const inRest = rest <= window ? rest : window + inner(rest) - inner(window);
  return whole * perCycle + inRest;
}
