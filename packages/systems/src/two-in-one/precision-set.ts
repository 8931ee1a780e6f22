// The set of precisions that a network with random precision draws from, and what it costs.
import { inputError, type RandomStream } from "@dovetail/core";
import type { SwitchableNetwork } from "@dovetail/quant";
import type { Scheduled } from "@dovetail/train";

/** The scalars of a precision drawn uniformly from `set` at each optimizer step: random precision training (RPT). */
export function drawnScalars(
  { setting }: Pick<SwitchableNetwork, "setting">,
  set: readonly number[],
  random: RandomStream,
): Readonly<Record<string, Scheduled>> {
  requireSet(set);
  const at = (step: number): Readonly<Record<string, number>> => setting(drawnBits(set, random, step));
  const names = Object.keys(setting(set[0]!));
  return Object.fromEntries(names.map((name) => [name, (step: number) => at(step)[name]!] as const));
}

/** The precision of a step: the same whenever it is asked for. */
export function drawnBits(set: readonly number[], random: RandomStream, step: number): number {
  return set[random.split(step).integer(set.length)]!;
}

/** What one inference costs where the precision is drawn uniformly from a set: the mean of the precisions' costs. */
export function expectedCost(set: readonly number[], costOf: (bits: number) => number): number {
  requireSet(set);
  return set.reduce((sum, bits) => sum + costOf(bits), 0) / set.length;
}

/**
 * Bit-operations of a product where weights and activations have the same bits, on average over the set: mean of b².
 * 1024 for {32}, 38 for {4 … 8}, 114 for {4 … 16}: times the multiply-accumulates these are the published BitOPs.
 */
export function meanBitOperations(set: readonly number[]): number {
  return expectedCost(set, (bits) => bits ** 2);
}

/** Throws the input error `precision_set` for an empty set, or one with a precision twice. */
export function requireSet(set: readonly number[]): void {
  if (set.length > 0 && new Set(set).size === set.length) return;
  throw inputError("precision_set", "the set of precisions to draw from", {
    expected: "different bit-widths, at least one",
    received: `[${set.join(", ")}]`,
  });
}
