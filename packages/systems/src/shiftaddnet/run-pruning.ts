// Pruning with retraining of ShiftAddNet's reproduction.

import { createRandomStream } from "@dovetail/core";
import { evaluate } from "@dovetail/train";
import type { PieceContext } from "../reproduction/reproduction.js";
import { type Experiment, type NetworkChoice, networkFor } from "./experiment.js";
import { keptName, type PruningFigures } from "./figures.js";
import { precisions } from "./precision.js";
import { pruneByMagnitude } from "./prune.js";
import { chosenOptimizer } from "./run-training.js";
import { trainNetwork } from "./training.js";

/** The tuned network with its smallest weights zeroed: as it is, and after further training with the zeros in place. */
export async function runPruning(
  experiment: Experiment,
  choice: NetworkChoice,
  { runtime, dataset: load, result, kept, watch }: PieceContext,
): Promise<PruningFigures> {
  const { prunedShares, retrainingSteps, batchSize, seeds } = experiment;
  const dataset = await load(experiment.data);
  const plain = networkFor(experiment, choice, dataset);
  const optimizer = chosenOptimizer(choice, result);
  const { tensors } = await kept(keptName.tuned(choice.name, optimizer));
  const figures: PruningFigures = [];
  for (const [index, share] of prunedShares.entries()) {
    const { network, weights, zeroFractions } = pruneByMagnitude(plain, tensors, share);
    const before = await evaluate({ runtime, network, weights, dataset, part: "validation" });
    const retrained = await trainNetwork({
      runtime,
      dataset,
      network,
      weights,
      precision: precisions.float32,
      optimizer,
      steps: retrainingSteps,
      batchSize,
      learningRateFactor: 0.1,
      random: createRandomStream(seeds[0]!).split("retraining"),
      watch: watch.signal ? { signal: watch.signal } : {},
    });
    const after = await evaluate({ runtime, ...retrained, dataset, part: "test" });
    figures.push({
      share,
      zeroFractions: { ...zeroFractions },
      validationFraction: before.accuracyFraction,
      retrainedFraction: after.accuracyFraction,
    });
    watch.onProgress?.({ task: `prune ${choice.name}`, done: index + 1, total: prunedShares.length, unit: "shares" });
  }
  return figures;
}
