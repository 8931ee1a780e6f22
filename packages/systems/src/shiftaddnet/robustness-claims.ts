// Claims about what quantization and pruning cost, and about blocks in integers.

import type { Claim } from "../reproduction/card.js";
import { claimOf, percent, points, rounded } from "../reproduction/claims.js";
import { specification } from "./claim-sources.js";
import { commonSeeds, type Run } from "./experiment.js";
import type { Results } from "./results.js";

type Fixed = Exclude<Run[1], "float32">;

const others = ["shift", "add"] as const;

export function robustnessClaims(results: Results): Claim[] {
  const shares = results.experiment.prunedShares.filter((share) => share > 0);
  return [
    ...(["fixed16", "fixed8"] as const).flatMap((precision) =>
      others.map((other) => quantizationClaim(results, precision, other)),
    ),
    quantizationLimit(results),
    ...shares.flatMap((share) => others.map((other) => pruningClaim(results, share, other))),
    pruningLimit(results),
    integersClaim(results),
  ];
}

/**
 * Tried after the full run's trainings from scratch: ResNet-20's shift-add network as it was chosen, seed 0, 120 steps of 64
 * images further at a tenth of its rate; 1,000 validation images.
 */
const triedFromFloat32 =
  "ResNet-20's shift-add trained further from its float32 weights (48.9 %) instead of from scratch, 120 steps at a tenth of the rate, validation images: 49.6 % in float32, 48.1 % with add layers at 8 bit and shift layers at 16, 46.7 % all at 8 bit; so 1.5 and 2.9 points are lost";

/** Tried after the full run, from the same weights, retrained as there; accuracies on the 1,000 validation images. */
const triedPruning: readonly string[] = [
  "ResNet-20's shift-add (validation images; trained as much further without pruning 49.8 %) pruned by 50 % as here: 45.6 %",
  "the same with a threshold for each add layer instead of one for all of them: 46.9 %",
  "the same retrained at half of the learning rate instead of a tenth: 45.8 %",
  "its shift layers alone pruned, add layers left whole, whose zeros save no work: by 50 % 49.5 %, by 90 % 49.3 %",
];

/** Add layers have one form in fixed point. */
const formOf = (network: string, precision: Fixed): Fixed => (network === "add" ? "fixed8" : precision);

const titles: Readonly<Record<Fixed, string>> = {
  fixed16: "add layers at 8 bit, shift layers at 16",
  fixed8: "all layers at 8 bit",
};

function quantizationLoss({ trained }: Results, network: string, precision: Fixed, seed?: number): number {
  const fixed = trained(network, formOf(network, precision), seed);
  return points(trained(network, "float32", seed).accuracyFraction, fixed.accuracyFraction);
}

const runsOf = (network: string, precision: Fixed): readonly Run[] => [
  [network, "float32"],
  [network, formOf(network, precision)],
];

function quantizationClaim(results: Results, precision: Fixed, other: string): Claim {
  const seeds = commonSeeds(results.experiment, ...runsOf("shift-add", precision), ...runsOf(other, precision));
  return claimOf({
    text: `Shift-add: test accuracy lost by fixed point (${titles[precision]}) beyond what the ${other} network loses, at most`,
    source: `${specification}: robust to quantization as in the paper`,
    claimed: 0,
    unit: "points",
    perSeed: seeds.map(
      (seed) =>
        quantizationLoss(results, "shift-add", precision, seed) - quantizationLoss(results, other, precision, seed),
    ),
    direction: "atMost",
    tried: quantizationLosses(results),
  });
}

function quantizationLosses(results: Results): string[] {
  const { meanAccuracy } = results;
  const lost = (network: string, precision: Fixed): string =>
    `${network} ${rounded(quantizationLoss(results, network, precision), 3)}`;
  return [
    `points lost, add layers at 8 bit and shift layers at 16: ${["shift-add", ...others].map((name) => lost(name, "fixed16")).join(", ")}`,
    `points lost, all at 8 bit: ${["shift-add", ...others].map((name) => lost(name, "fixed8")).join(", ")}`,
    triedFromFloat32,
    `frozen shifts at 16 bit, add layers at 8: ${percent(meanAccuracy("fixed-shift-add", "fixed16"))} %, ${percent(meanAccuracy("shift-add", "fixed16"))} % with learnt ones`,
  ];
}

function quantizationLimit(results: Results): Claim {
  return claimOf({
    text: "Shift-add: test accuracy lost with add layers at 8 bit and shift layers at 16, at most",
    source: "limit ours, set before the runs; no publication's",
    claimed: 1,
    unit: "points",
    perSeed: [quantizationLoss(results, "shift-add", "fixed16")],
    direction: "atMost",
    tried: quantizationLosses(results),
  });
}

/** Points lost by pruning, both networks trained equally further. */
function pruningLoss({ pruned }: Results, network: string, share: number): number {
  const at = (of: number): number => pruned(network).find((row) => row.share === of)!.retrainedFraction;
  return points(at(0), at(share));
}

function pruningClaim(results: Results, share: number, other: string): Claim {
  return claimOf({
    text: `Shift-add: test accuracy lost by pruning ${percent(share)} %, with retraining, beyond what the ${other} network loses, at most`,
    source: `${specification}: robust to pruning as in the paper`,
    claimed: 0,
    unit: "points",
    perSeed: [pruningLoss(results, "shift-add", share) - pruningLoss(results, other, share)],
    direction: "atMost",
    tried: pruningLosses(results),
  });
}

function pruningLosses(results: Results): string[] {
  const { experiment, pruned } = results;
  const losses = experiment.prunedShares
    .filter((share) => share > 0)
    .map((share) => {
      const byNetwork = ["shift-add", ...others].map((name) => {
        const before = pruned(name).find((row) => row.share === share)!.validationFraction;
        return `${name} ${rounded(pruningLoss(results, name, share), 3)} (validation ${percent(before)} % before retraining)`;
      });
      return `points lost at ${percent(share)} %: ${byNetwork.join(", ")}`;
    });
  return [...losses, ...triedPruning];
}

function pruningLimit(results: Results): Claim {
  return claimOf({
    text: "Shift-add: test accuracy lost with half of the weights pruned, with retraining, at most",
    source: "limit ours, set before the runs; no publication's",
    claimed: 2,
    unit: "points",
    perSeed: [pruningLoss(results, "shift-add", 0.5)],
    direction: "atMost",
    tried: pruningLosses(results),
  });
}

function integersClaim({ integers }: Results): Claim {
  const { blocks, images, values, differing } = integers("shift-add");
  return claimOf({
    text: `Shift-add: values that differ between integer arithmetic and the models of the RTL's units, of ${values} that ${blocks} trained blocks give for ${images} training images, at most`,
    source: `${specification}: bit-exact integer inference of a shift-add block`,
    claimed: 0,
    unit: "values",
    perSeed: [differing],
    direction: "atMost",
  });
}
