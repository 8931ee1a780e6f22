// SmartExchange's machine with one thing changed at a time.
import type { Accelerator } from "@dovetail/hardware";
import { fanout, multiplier, smartExchange } from "./machines.js";

const { sparsity, unit } = smartExchange;

export const variantNames = [
  "without Booth recoding",
  "without bit skipping",
  "without zero rows of weights",
  "without zero rows of activations",
  "without compression",
  "engines of one adder",
  "engines never waited for",
  "multipliers alone",
  "slices in step",
] as const;
export type VariantName = (typeof variantNames)[number];

/** SmartExchange's machine with one thing changed: a feature switched off, or another assumption in place of ours. */
export interface Variant {
  readonly kind: "ablation" | "assumption";
  readonly title: string;
  readonly machine: Accelerator;
}

export const variants: Readonly<Record<VariantName, Variant>> = {
  "without Booth recoding": {
    kind: "ablation",
    title: "zero bits skipped without Booth recoding",
    machine: { ...smartExchange, unit: { ...unit, encoding: "bits" } },
  },
  "without bit skipping": {
    kind: "ablation",
    title: "activations in parallel: 1,024 multipliers of 8 bit",
    machine: {
      ...smartExchange,
      unit: multiplier,
      levels: smartExchange.levels.map((level) => (level.name === "multipliers" ? fanout("multipliers", 1) : level)),
    },
  },
  "without zero rows of weights": {
    kind: "ablation",
    title: "zero rows of weights not skipped",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, skips: ["Inputs"], rows: { ...sparsity!.rows!, sharedLevels: [] } },
    },
  },
  "without zero rows of activations": {
    kind: "ablation",
    title: "zero rows of activations not skipped, and stored",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, skips: ["Weights"], stored: { Weights: { format: "structured" } } },
    },
  },
  "without compression": {
    kind: "ablation",
    title: "weights stored as words of 8 bit, nothing to rebuild",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, rebuild: undefined, stored: { ...sparsity!.stored, Weights: undefined } },
    },
  },
  "engines of one adder": {
    kind: "assumption",
    title: "a rebuild engine does one addition a cycle, a third of a coefficient",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, rebuild: { ...sparsity!.rebuild!, coefficientsPerCycle: 1 / 3 } },
    },
  },
  "engines never waited for": {
    kind: "assumption",
    title: "rebuild engines as fast as needed",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, rebuild: { ...sparsity!.rebuild!, coefficientsPerCycle: 1e6 } },
    },
  },
  "multipliers alone": {
    kind: "assumption",
    title: "no multiplier waits for its neighbours",
    machine: { ...smartExchange, unit: { ...unit, lockstep: 1 } },
  },
  "slices in step": {
    kind: "assumption",
    title: "all 128 multipliers of a slice wait for the slowest",
    machine: { ...smartExchange, unit: { ...unit, lockstep: 128 } },
  },
};
