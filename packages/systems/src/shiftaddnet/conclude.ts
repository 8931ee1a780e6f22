// What the results of ShiftAddNet's reproduction say: claims, tables, what was not run.

import type { Conclusion, NotRun } from "../reproduction/card.js";
import { accuracyClaims } from "./accuracy-claims.js";
import { paper } from "./claim-sources.js";
import { energyClaims } from "./energy-claims.js";
import type { Experiment } from "./experiment.js";
import { resultsOf } from "./results.js";
import { robustnessClaims } from "./robustness-claims.js";
import { setupOf } from "./setup.js";
import { accuracyTable, energyTable, partsTable, pruningTable, ratioTable, tuningTable } from "./tables.js";

export function concludeShiftAddNet(experiment: Experiment, pieces: ReadonlyMap<string, unknown>): Conclusion {
  const results = resultsOf(experiment, pieces);
  return {
    setup: setupOf(results),
    claims: [...accuracyClaims(results), ...energyClaims(results), ...robustnessClaims(results)],
    notRun: [...notRun],
    tables: [
      accuracyTable(results),
      energyTable(results, "inference"),
      ratioTable(results, "inference"),
      energyTable(results, "training"),
      ratioTable(results, "training"),
      partsTable(results),
      pruningTable(results),
      tuningTable(results),
    ],
  };
}

const notRun: readonly NotRun[] = [
  {
    text: "ResNet-20, 160 epochs of 50,000 images: ShiftAddNet, test accuracy",
    source: "AdderNet's repository, table of ShiftAddNet",
    claimed: 89.32,
    unit: "%",
    reason: "days on two cores",
  },
  {
    text: "ResNet-20, 400 epochs of 50,000 images: AdderNet, test accuracy",
    source: "AdderNet, CIFAR-10",
    claimed: 92,
    unit: "%",
    reason: "days on two cores",
  },
  {
    text: "ResNet-20, 200 epochs of 50,000 images: DeepShift-PS with RAdam, test accuracy",
    source: "DeepShift, CIFAR-10",
    claimed: 88.84,
    unit: "%",
    reason: "days on two cores",
  },
  {
    text: "ResNet-38 and VGG-19 on CIFAR-10: energy saved against convolutions in training and inference, at least",
    source: paper,
    claimed: 80,
    unit: "%",
    reason: "days on two cores; larger networks are recipes of the same commands",
  },
];
