// Rules of the public code that step the optimizer after each precision, not once for all: ablations of CDT.
import type { RandomStream } from "@dovetail/core";
import type { SwitchableNetwork } from "@dovetail/quant";
import type { Scheduled } from "@dovetail/train";
import { descending } from "./passes.js";

/** `sandwich`: highest, lowest, two drawn between (Yu and Huang 2019). The others: all, in that order. */
export type StepwiseRule = "sandwich" | "lowToHigh" | "highToLow";

/** A step after each precision: each batch is repeated `repetitions` times, and `scalars` choose the precision. */
export interface StepwiseSchedule {
  readonly repetitions: number;
  readonly scalars: Readonly<Record<string, Scheduled>>;
}

/** Draws come from `random.split(number of the batch)`: a resumed training draws the same. */
export function stepwiseSchedule(
  { bitWidths, setting }: SwitchableNetwork,
  rule: StepwiseRule,
  random: RandomStream,
): StepwiseSchedule {
  const order = descending(bitWidths);
  const repetitions = rule === "sandwich" ? 4 : order.length;
  const bitsAt = (step: number): number => {
    const place = step % repetitions;
    if (rule === "highToLow") return order[place]!;
    if (rule === "lowToHigh") return order.at(-1 - place)!;
    if (place === 0) return order[0]!;
    if (place === 1) return order.at(-1)!;
    return order[
      random
        .split(Math.floor(step / repetitions))
        .split(place)
        .integer(order.length)
    ]!;
  };
  return { repetitions, scalars: scalarsBySteps(setting(order[0]!), (step) => setting(bitsAt(step))) };
}

/** One schedule a scalar, from the record at each step; `example` has the names. */
function scalarsBySteps(
  example: Readonly<Record<string, number>>,
  at: (step: number) => Readonly<Record<string, number>>,
): Record<string, Scheduled> {
  return Object.fromEntries(Object.keys(example).map((name) => [name, (step: number) => at(step)[name]!] as const));
}
