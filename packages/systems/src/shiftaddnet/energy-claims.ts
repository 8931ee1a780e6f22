// Claims about energy against convolutions at the same precision.

import type { Claim } from "../reproduction/card.js";
import { claimOf, percent, rounded } from "../reproduction/claims.js";
import { paper, specification } from "./claim-sources.js";
import type { EnergyTable } from "./energy.js";
import type { EnergyPartFigures } from "./figures.js";
import type { PrecisionName } from "./precision.js";
import type { Results } from "./results.js";

type Phase = "inference" | "training";

interface Comparison {
  readonly phase: Phase;
  readonly precision: PrecisionName;
  readonly table: EnergyTable;
  readonly withMemory: boolean;
}

const unitTitles: Readonly<Record<EnergyTable, string>> = {
  operators45: "ASIC operators",
  operatorsZc706: "FPGA operators",
  synthesised45: "synthesised units",
  interpolated45: "ASIC operators, 16 bit interpolated",
};

const precisionTitles: Readonly<Record<PrecisionName, string>> = {
  float32: "float32",
  fixed16: "add layers at 8 bit and shift layers at 16, against convolutions at 8",
  fixed8: "8 bit",
};

const comparisons: readonly Comparison[] = [
  ...(["float32", "fixed8", "fixed16"] as const).flatMap((precision) => [
    ...compared("inference", precision, "operators45", [false, true]),
    ...compared("inference", precision, "operatorsZc706", [false]),
    ...(precision === "fixed8" ? compared("inference", precision, "synthesised45", [false, true]) : []),
    ...compared("training", precision, "operators45", [false, true]),
  ]),
];

function compared(
  phase: Phase,
  precision: PrecisionName,
  table: EnergyTable,
  memory: readonly boolean[],
): readonly Comparison[] {
  return memory.map((withMemory) => ({ phase, precision, table, withMemory }));
}

export function energyClaims(results: Results): Claim[] {
  return comparisons.map((comparison) => {
    const { phase, precision, table, withMemory } = comparison;
    return claimOf({
      text: `Shift-add: energy saved against convolutions at the same precision (${precisionTitles[precision]}), ${phase}, ${unitTitles[table]}${withMemory ? " and memory" : " alone"}, at least`,
      source: `${paper}: over 80 % of training's and inference's; ${specification}`,
      claimed: 80,
      unit: "%",
      perSeed: [saving(results, comparison)],
      direction: "atLeast",
      tried: tried(results, comparison),
    });
  });
}

interface Attempt {
  /** Instead of shift-add. */
  readonly network?: string;
  /** Part of the shift weights that are zero, whose operations a unit skips. */
  readonly skipped?: number;
  readonly table?: EnergyTable;
}

/** Saved energy in percent of the convolutional network's. */
function saving({ energy }: Results, comparison: Comparison, attempt: Attempt = {}): number {
  const { phase, precision, withMemory } = comparison;
  const { network = "shift-add", skipped = 0, table = comparison.table } = attempt;
  const part = (name: string, at: PrecisionName, units: EnergyTable): EnergyPartFigures =>
    energy(name).rows.find((row) => row.precision === at && row.table === units)![phase];
  const all = ({ operationsPj, memoryPj }: EnergyPartFigures): number => operationsPj + (withMemory ? memoryPj : 0);
  const own = part(network, precision, table);
  // Convolutions have one form in fixed point.
  const reference = part("convolution", precision === "float32" ? "float32" : "fixed8", comparison.table);
  return 100 * (1 - (all(own) - skipped * own.shiftPj) / all(reference));
}

/** Zeros are taken to be as frequent in all layers. */
function tried(results: Results, comparison: Comparison): string[] {
  const { trained, pruned, meanAccuracy } = results;
  const { phase, precision } = comparison;
  const figure = (attempt: Attempt): string => `${rounded(saving(results, comparison, attempt), 3)} %`;
  const zeros = trained("shift-add", precision).zeroFractions.shift!.before;
  const frozenZeros = trained("fixed-shift-add", "fixed16").zeroFractions.shift!.before;
  const skipping = `units that skip zero shift weights (${percent(zeros)} % after training): ${figure({ skipped: zeros })}`;
  const interpolated =
    precision === "fixed16" && comparison.table === "operators45"
      ? [`integers of 16 bit interpolated: ${figure({ table: "interpolated45", skipped: zeros })} with zeros skipped`]
      : [];
  if (phase === "training") {
    const accuracy = `${percent(meanAccuracy("fixed-shift-add", "fixed16"))} % in fixed point`;
    return [
      skipping,
      `shifts frozen as drawn (${accuracy}): ${figure({ network: "fixed-shift-add" })}`,
      `shifts frozen, their zeros (${percent(frozenZeros)} %) skipped: ${figure({ network: "fixed-shift-add", skipped: frozenZeros })}`,
      ...interpolated,
    ];
  }
  const byPruning = pruned("shift-add").flatMap(({ share, zeroFractions, retrainedFraction }) => {
    const after = zeroFractions.shift!.after;
    const accuracy = `${percent(retrainedFraction)} % accuracy in float32`;
    return share > 0
      ? [`pruned by ${percent(share)} %, zeros skipped: ${figure({ skipped: after })} at ${accuracy}`]
      : [];
  });
  return [skipping, ...byPruning, ...interpolated];
}
