// Claims about accuracy, beside the networks that shift-add is compared with.

import type { Claim } from "../reproduction/card.js";
import { claimOf, percent, points } from "../reproduction/claims.js";
import { paper, specification } from "./claim-sources.js";
import { commonSeeds, networkNamed, type Run } from "./experiment.js";
import type { Results } from "./results.js";

export function accuracyClaims(results: Results): Claim[] {
  const float = "float32";
  return [
    above(results, [float, float], "shift", float),
    above(results, [float, float], "add", float),
    above(results, [float, float], "wide-shift", "float32, at equal operator energy (float32, ASIC)"),
    above(results, [float, float], "wide-add", "float32, at equal operator energy (float32, ASIC)"),
    above(results, ["fixed8", "fixed8"], "shift", "all at 8 bit"),
    above(results, ["fixed8", "fixed8"], "add", "all at 8 bit"),
    above(results, ["fixed16", "fixed16"], "shift", "add layers at 8 bit, shift layers at 16"),
    above(results, ["fixed16", "fixed8"], "add", "add layers at 8 bit, shift layers at 16"),
  ];
}

function above(results: Results, [own, theirs]: readonly [Run[1], Run[1]], other: string, precision: string): Claim {
  const { trained } = results;
  return claimOf({
    text: `Shift-add: test accuracy above the ${other} network's, ${precision}, more than`,
    source: `${specification}; ${paper}`,
    claimed: 0,
    unit: "points",
    perSeed: commonSeeds(results.experiment, ["shift-add", own], [other, theirs]).map((seed) =>
      points(trained("shift-add", own, seed).accuracyFraction, trained(other, theirs, seed).accuracyFraction),
    ),
    direction: "above",
    tried: tried(results, other),
  });
}

/** Both networks were trained by several optimizers; frozen shifts, precisions and further training are attempts too. */
function tried({ experiment, tuned, meanAccuracy, pruned, trained }: Results, other: string): string[] {
  const byOptimizer = ["shift-add", other].flatMap((name) => {
    const { optimizers } = networkNamed(experiment, name);
    const figures = optimizers.map(
      (optimizer) => `${optimizer} ${percent(tuned(name, optimizer).validationFraction)} %`,
    );
    return figures.length > 0 ? [`${name} by its optimizers, validation accuracy: ${figures.join(", ")}`] : [];
  });
  const further = pruned("shift-add").find(({ share }) => share === 0)!.retrainedFraction;
  return [
    ...byOptimizer,
    `shift-add with frozen shifts, fixed point: ${percent(meanAccuracy("fixed-shift-add", "fixed16"))} %`,
    `shift-add in float32 ${percent(meanAccuracy("shift-add", "float32"))} %, with add layers at 8 bit ${percent(meanAccuracy("shift-add", "fixed16"))} %, all at 8 bit ${percent(meanAccuracy("shift-add", "fixed8"))} %`,
    `shift-add in float32, seed ${experiment.seeds[0]}, trained ${experiment.retrainingSteps} steps further at a tenth of the rate: ${percent(further)} % after ${percent(trained("shift-add", "float32").accuracyFraction)} %`,
  ];
}
