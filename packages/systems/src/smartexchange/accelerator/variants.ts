// Machines with one thing changed at a time, SmartExchange's but for one.
import type { Accelerator } from "@dovetail/hardware";
import { fanout, type MachineName, machines, multiplier, smartExchange } from "./machines.js";

const { sparsity, unit } = smartExchange;
const scnn = machines.SCNN;

export const variantNames = [
  "without Booth recoding",
  "without bit skipping",
  "without zero rows of weights",
  "without zero rows of activations",
  "without compression",
  "without sliding inputs",
  "without second basis registers",
  "one pattern of zero rows",
  "a pattern of zero rows a filter",
  "engines of one adder",
  "engines never waited for",
  "multipliers alone",
  "multipliers of a slice in step",
  "SCNN with narrow ports",
] as const;
export type VariantName = (typeof variantNames)[number];

/** A machine with one thing changed: a feature switched off, or another assumption in place of ours. */
export interface Variant {
  readonly of: MachineName;
  readonly kind: "ablation" | "assumption";
  readonly title: string;
  readonly machine: Accelerator;
}

export const variants: Readonly<Record<VariantName, Variant>> = {
  "without Booth recoding": {
    of: "SmartExchange",
    kind: "ablation",
    title: "zero bits skipped without Booth recoding",
    machine: { ...smartExchange, unit: { ...unit, encoding: "bits" } },
  },
  "without bit skipping": {
    of: "SmartExchange",
    kind: "ablation",
    title: "activations in parallel: 1,024 multipliers of 8 bit",
    machine: {
      ...smartExchange,
      unit: multiplier,
      levels: smartExchange.levels.map((level) => (level.name === "multipliers" ? fanout("multipliers", 1) : level)),
    },
  },
  "without zero rows of weights": {
    of: "SmartExchange",
    kind: "ablation",
    title: "zero rows of weights not skipped",
    machine: { ...smartExchange, sparsity: { ...sparsity!, skips: ["Inputs"] } },
  },
  "without zero rows of activations": {
    of: "SmartExchange",
    kind: "ablation",
    title: "zero rows of activations not skipped, and stored",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, skips: ["Weights"], stored: { Weights: { format: "structured" } } },
    },
  },
  "without compression": {
    of: "SmartExchange",
    kind: "ablation",
    title: "weights stored as words of 8 bit, nothing to rebuild",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, rebuild: undefined, stored: { ...sparsity!.stored, Weights: undefined } },
    },
  },
  "without sliding inputs": {
    of: "SmartExchange",
    kind: "ablation",
    title: "no FIFO that slides inputs along a row: the input buffer is read for every column of a kernel",
    machine: {
      ...smartExchange,
      levels: smartExchange.levels.filter(({ name }) => name !== "inputFifo"),
      sparsity: { ...sparsity!, skippingLevels: ["accumulators"] },
      constraints: {
        ...smartExchange.constraints,
        levels: smartExchange.constraints!.levels!.filter(({ level }) => level !== "inputFifo"),
      },
    },
  },
  "without second basis registers": {
    of: "SmartExchange",
    kind: "ablation",
    title: "one basis register an engine: three cycles, a row each, to load the next basis",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, rebuild: { ...sparsity!.rebuild!, basisLoadCycles: 3 } },
    },
  },
  "one pattern of zero rows": {
    of: "SmartExchange",
    kind: "assumption",
    title: "all 64 slices share one pattern of zero rows, or none waits for another's",
    machine: { ...smartExchange, sparsity: { ...sparsity!, rows: { ...sparsity!.rows!, filtersPerPattern: 64 } } },
  },
  "a pattern of zero rows a filter": {
    of: "SmartExchange",
    kind: "assumption",
    title: "each of 64 slices has its own pattern of zero rows, and waits for those of the others",
    machine: { ...smartExchange, sparsity: { ...sparsity!, rows: { ...sparsity!.rows!, filtersPerPattern: 1 } } },
  },
  "engines of one adder": {
    of: "SmartExchange",
    kind: "assumption",
    title: "a rebuild engine does one addition a cycle, a third of a coefficient",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, rebuild: { ...sparsity!.rebuild!, coefficientsPerCycle: 1 / 3 } },
    },
  },
  "engines never waited for": {
    of: "SmartExchange",
    kind: "assumption",
    title: "rebuild engines as fast as needed",
    machine: {
      ...smartExchange,
      sparsity: { ...sparsity!, rebuild: { ...sparsity!.rebuild!, coefficientsPerCycle: 1e6 } },
    },
  },
  "multipliers alone": {
    of: "SmartExchange",
    kind: "assumption",
    title: "no multiplier waits for its neighbours",
    machine: { ...smartExchange, unit: { ...unit, lockstep: 1 } },
  },
  "multipliers of a slice in step": {
    of: "SmartExchange",
    kind: "assumption",
    title: "all 128 multipliers of a slice wait for the slowest",
    machine: { ...smartExchange, unit: { ...unit, lockstep: 128 } },
  },
  "SCNN with narrow ports": {
    of: "SCNN",
    kind: "assumption",
    title: "SCNN's memories have ports of 64 bits, at which operands of skipped products pass too",
    machine: {
      ...scnn,
      levels: scnn.levels.map((level) =>
        level.memory?.kind === "given" && ["inputRam", "weightFifo"].includes(level.name)
          ? { ...level, memory: { ...level.memory, bitsPerCycle: 64 } }
          : level,
      ),
      sparsity: { ...scnn.sparsity!, skippingLevels: ["accumulators"] },
    },
  },
};
