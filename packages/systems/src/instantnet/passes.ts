// Cascade distillation training (Y. Fu et al., InstantNet, DAC 2021) and what it is compared with, as passes of a step.
import type { SwitchableNetwork } from "@dovetail/quant";
import type { Pass } from "@dovetail/train";

/**
 * How the precisions of a switchable network are trained together. `cascade`: each learns from all higher ones (CDT).
 * `highest`: from the highest alone (SP-Net, Guerra et al. 2020). `joint`: from the labels alone (the rule of AdaBits,
 * Jin et al. 2020, on this network's quantizers).
 */
export type DistillationRule = "cascade" | "highest" | "joint";

export interface PassOptions {
  /** `cascade` by default. */
  readonly rule?: DistillationRule | undefined;
  /** β, the weight of each teacher; 1 by default. */
  readonly distillationWeight?: number | undefined;
  /** `mean` over the precisions, as the paper says, by default; the public code takes the `sum`. */
  readonly reduction?: "mean" | "sum" | undefined;
}

/** Passes before the one at this index that it learns from. */
const teachersOf: Readonly<Record<DistillationRule, (index: number) => readonly number[]>> = {
  cascade: (index) => Array.from({ length: index }, (_, teacher) => teacher),
  highest: (index) => (index === 0 ? [] : [0]),
  joint: () => [],
};

/**
 * One pass a precision, the highest first: cross-entropy + β Σ MSE to the logits of its teachers, which get no gradient.
 */
export function precisionPasses(
  { bitWidths, setting }: SwitchableNetwork,
  { rule = "cascade", distillationWeight = 1, reduction = "mean" }: PassOptions = {},
): readonly Pass[] {
  const weight = reduction === "mean" ? 1 / bitWidths.length : 1;
  return descending(bitWidths).map((bits, index) => ({
    scalars: setting(bits),
    weight,
    teachers: teachersOf[rule](index).map((pass) => ({ pass, weight: distillationWeight })),
  }));
}

/** Highest first. */
export function descending(bitWidths: readonly number[]): number[] {
  return [...bitWidths].sort((a, b) => b - a);
}
