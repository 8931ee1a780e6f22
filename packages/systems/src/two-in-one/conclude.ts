// What the results of the algorithm's pieces say: claims, what was not run.
import { spearmanRho } from "@dovetail/nasbench";
import type { Claim, Conclusion, NotRun } from "../reproduction/card.js";
import { claimOf, mean, percent, points, rounded } from "../reproduction/claims.js";
import type { BriefFigures } from "./evaluate-robustness.js";
import { type Experiment, seedsOf } from "./experiment.js";
import { dialSets, type TrainedAt, type UsedAt, uses } from "./pieces.js";
import { type Results, readResults } from "./results.js";
import { attacksTable, decisionsTable, dialTable, linesTable, matrixTables, methodsTable, useName } from "./tables.js";
import { robustStepFactor, type TrainingMethod } from "./train-robust.js";

const shown = "systems.md §6, shows that it works";
const acceptance = "seeds-hardware.md §5.6";
const published = "seeds-hardware.md §5.1, PreActResNet-18 on CIFAR-10";

export function concludeAlgorithm(experiment: Experiment, results: ReadonlyMap<string, unknown>): Conclusion {
  const read = readResults(experiment, results);
  return {
    setup: setupOf(experiment),
    claims: [...transferClaims(read), ...gainClaims(read), ...honestyClaims(read)],
    notRun: [...notRun],
    tables: [
      methodsTable(read),
      attacksTable(read),
      decisionsTable(read),
      ...matrixTables(read),
      dialTable(read),
      linesTable("RobustBench's rules and AutoAttack's flags", read, (of) => of.rules),
      linesTable("Checklist for masked gradients", read, (of) => of.masking),
    ],
  };
}

function setupOf(experiment: Experiment): string[] {
  const { depth, data, precisions, single, batchSize, epochs, learningRate, attackedImages, checkedImages } =
    experiment;
  const macs = robustStepFactor("pgd-7");
  return [
    `Algorithm: ResNet-${depth} on the bundled CIFAR-10 images, the first ${data.trainImagesPerClass} training images of each class. ${epochs} epochs with batches of ${batchSize} (free: a quarter of the epochs, four repetitions), SGD with momentum 0.9, weight decay 5e-4, ${learningRate} and a tenth of it after half, a hundredth after three quarters; flip and 4-pixel crop; the same first weights and batches. Attacks in training: 8/255 in the maximum norm, on the network in inference form, whose running statistics they leave alone. A PGD-7 step is ${macs} products of a forward pass where a natural one is 3: trainings have equal steps, not equal effort. PGD-7, of which a run takes more than ten minutes, has one seed.`,
    `Precisions ${precisions.join(", ")} (published: 4 to 16 in training, 4 to 8 in use): RPT draws one for each training step; without it the network is trained at ${single} bit. RPI draws one for each batch in use; without RPT all precisions use the batch norms and ranges of ${single} bit. Stem, shortcuts and classifier are in full precision, each precision has its own activation ranges.`,
    `Attacked are the first ${attackedImages} test images, as many of each class; the checklist and the zero-gradient flag look at ${checkedImages}. “Published”: a precision is drawn for the attack and another for the decision, a batch of 128 at a time; misclassified images are frozen; the transfer matrices' means are the exact expectation of it. “Adaptive”: every attack follows the exact mean over the draw, and each image counts by the worst point that any attack found within 8/255.`,
  ];
}

interface Transfer {
  /** Precisions whose own attack is the strongest. */
  readonly ownStrongest: number;
  /** Precisions where the attacks made at others leave at least 3 points more. */
  readonly threePointsMore: number;
  /** Rank correlation of the gap with the distance of the precisions; 0 where all are alike. */
  readonly correlation: number;
}

function transferOf(precisions: readonly number[], matrix: readonly (readonly number[])[]): Transfer {
  const cells = matrix.flatMap((row, decides) =>
    row.flatMap((value, attacked) =>
      attacked === decides
        ? []
        : [{ distance: Math.abs(precisions[decides]! - precisions[attacked]!), gap: points(value, row[decides]!) }],
    ),
  );
  const gapOf = (row: readonly number[], own: number): number =>
    mean(row.flatMap((value, attacked) => (attacked === own ? [] : [points(value, row[own]!)])));
  const correlation = spearmanRho(
    cells.map(({ distance }) => distance),
    cells.map(({ gap }) => gap),
  );
  return {
    ownStrongest: matrix.filter((row, own) => row.every((value) => row[own]! <= value)).length,
    threePointsMore: matrix.filter((row, own) => gapOf(row, own) >= 3).length,
    correlation: Number.isFinite(correlation) ? correlation : 0,
  };
}

/** PGD-7 at one precision, decided at all: the paper's observation. */
function transferClaims({ experiment, full }: Results): Claim[] {
  const { precisions } = experiment;
  const transfer = (at: TrainedAt, form: "free" | "frozen"): Transfer =>
    transferOf(precisions, full(at, "rpi").transfer![form]);
  const ours = transfer("single", "free");
  const others = [
    ["trained at one precision, misclassified images frozen", transfer("single", "frozen")],
    ["trained with RPT, nothing frozen", transfer("rpt", "free")],
    ["trained with RPT, misclassified images frozen", transfer("rpt", "frozen")],
  ] as const;
  const claim = (text: string, of: keyof Transfer, claimed: number, unit: string): Claim =>
    claimOf({
      text,
      source: `${acceptance}, check 3`,
      claimed,
      unit,
      perSeed: [ours[of]],
      direction: "atLeast",
      tried: others.map(([name, figures]) => `${name}: ${rounded(figures[of], 3)}`),
    });
  return [
    claim(
      "Transfer matrix of PGD-7 training at one precision, nothing frozen: precisions whose own attack is the strongest, at least",
      "ownStrongest",
      precisions.length,
      "precisions",
    ),
    claim(
      "The same: precisions where attacks made at others leave at least 3 points more, at least two thirds",
      "threePointsMore",
      Math.ceil((2 / 3) * precisions.length),
      "precisions",
    ),
    claim(
      "The same: rank correlation of the gap with the distance of the precisions, at least",
      "correlation",
      0.5,
      "(Spearman)",
    ),
  ];
}

/**
 * PGD-7 on ResNet-8, eight epochs of 5,000 images, seed 0, on 1,000 validation images: clean accuracy, PGD-20 under the
 * published protocol with its draws, PGD-20 on the exact mean.
 */
const triedSets: readonly string[] = [
  "ResNet-8, trained and used at 8 bit: clean 30.5 %, published 21.2 %, exact mean 21.0 %",
  "ResNet-8, trained at 8 bit, RPI over 4 to 8 bit: 30.3, 22.5, 20.9 %",
  "ResNet-8, RPT + RPI over 4 to 8 bit: 31.6, 22.5, 19.6 %",
  "ResNet-8, RPT + RPI over 4, 6, 8, 10, 12, 16 bit: 31.8, 24.8, 17.9 %",
  "ResNet-8, RPT + RPI over 3 to 6 bit: 31.2, 24.3, 19.3 %",
  "ResNet-8, RPT + RPI over 4 to 8 bit, no layer in full precision: 31.6, 22.2, 17.7 %",
];

function gainClaims(results: Results): Claim[] {
  const { experiment, brief, full } = results;
  const { seeds, methods } = experiment;
  const single = full("single", "single");
  const rpt = full("rpt", "rpi");
  const gain = points(rpt.transfer!.frozenMean, brief("pgd-7", "single", "single", seeds[0]!).published);
  const others = methods.filter(({ method }) => method === "fgsm-rs" || method === "free");
  return [
    claimOf({
      text: "RPT + RPI against PGD-7 training at one precision, published protocol (exact mean): robust accuracy above, at least",
      source: shown,
      claimed: 5,
      unit: "points",
      perSeed: [gain],
      direction: "atLeast",
      tried: [...triedOtherUses(results), ...triedSets],
    }),
    claimOf({
      text: "The same gain under the adaptive evaluation: smaller by, at least (the sign of what is left is no target)",
      source: `${acceptance}, check 4`,
      claimed: 0,
      unit: "points",
      perSeed: [gain - points(rpt.worst.accuracy, single.worst.accuracy)],
      direction: "atLeast",
      tried: triedSets,
    }),
    claimOf({
      text: "RPT + RPI: clean accuracy above PGD-7 training's at one precision, at least",
      source: published,
      claimed: 0.14,
      unit: "points",
      perSeed: seedsOf(experiment, "pgd-7").map((seed) =>
        points(brief("pgd-7", "rpt", "rpi", seed).clean, brief("pgd-7", "single", "single", seed).clean),
      ),
      direction: "atLeast",
      tried: [...triedOtherUses(results), ...triedSets],
    }),
    ...others.map(({ method }) => methodGain(results, method, seedsOf(experiment, method))),
  ];
}

function methodGain({ brief }: Results, method: TrainingMethod, seeds: readonly number[]): Claim {
  const withRpi = brief(method, "single", "rpi", seeds[0]!);
  const exact = (at: TrainedAt, used: UsedAt): number => percent(brief(method, at, used, seeds[0]!).adaptive);
  return claimOf({
    text: `${method}: RPT + RPI against one precision, published protocol with its draws: robust accuracy above, at least`,
    source: `${published}; limit ours, of the text's 5 points`,
    claimed: 5,
    unit: "points",
    perSeed: seeds.map((seed) =>
      points(brief(method, "rpt", "rpi", seed).published, brief(method, "single", "single", seed).published),
    ),
    direction: "atLeast",
    tried: [
      `RPI without RPT: ${percent(withRpi.published)} % under the published protocol`,
      `PGD on the exact mean: ${exact("single", "single")} % at one precision, ${exact("rpt", "rpi")} % with RPT + RPI`,
      ...triedSets,
    ],
  });
}

/** What else this card's own trainings were used as, under the published protocol. */
function triedOtherUses({ experiment, brief, dial }: Results): string[] {
  const figures = ({ clean, published: figure }: BriefFigures): string =>
    `clean ${percent(clean)} %, published ${percent(figure)} %`;
  return [
    `RPI without RPT: ${figures(brief("pgd-7", "single", "rpi", experiment.seeds[0]!))}`,
    ...dialSets(experiment.precisions).map(
      (set, index) => `RPT, used at ${set.join(", ")} bit: ${figures(dial[index]!)}`,
    ),
  ];
}

/** What must hold of any evaluation that is to be believed. */
function honestyClaims(results: Results): Claim[] {
  const { full } = results;
  const rpt = full("rpt", "rpi");
  const { free } = rpt.transfer!;
  const byAttacked = free.map((_, attacked) => free.reduce((sum, row) => sum + row[attacked]!, 0) / free.length);
  const failed = uses.map(([at, used]) => full(at, used).masking.filter(({ state }) => state === "failed").length);
  return [
    claimOf({
      text: "Adaptive evaluation of RPT + RPI: no weaker than the strongest attack on a single precision, averaged over decisions; above it by, at most",
      source: "seeds-hardware.md §5.3",
      claimed: 0,
      unit: "points",
      perSeed: [points(rpt.worst.accuracy, Math.min(...byAttacked))],
      direction: "atMost",
    }),
    claimOf({
      text: "Checklist for masked gradients, three networks: lines that failed, at most (the table says which)",
      source: shown,
      claimed: 0,
      unit: "lines",
      perSeed: [failed.reduce((sum, count) => sum + count, 0)],
      direction: "atMost",
      tried: triedAgainstMasking(results),
    }),
  ];
}

const strongerAttacks: ReadonlySet<string> = new Set(["more steps", "more restarts", "other gradients not stronger"]);

/** What else the networks with a failed line were attacked with: whether gradients are masked, or few images differ. */
function triedAgainstMasking({ full, experiment: { checkedImages } }: Results): string[] {
  return uses.flatMap(([at, used]) => {
    const { images, attacks, masking } = full(at, used);
    if (masking.every(({ state }) => state !== "failed")) return [];
    const all = attacks.map(({ name, accuracy }) => `${name} ${percent(accuracy)} %`);
    return [
      `${useName(at, used)}, not ${checkedImages} images but ${images}: ${all.join(", ")}`,
      ...masking
        .filter(({ name }) => strongerAttacks.has(name))
        .map(({ name, state, figure }) => `${useName(at, used)}, ${name} (${state}): ${figure}`),
    ];
  });
}

const notRun: readonly NotRun[] = [
  {
    text: "PGD-7, RPT + RPI: PGD-20 under the published protocol",
    source: published,
    claimed: 65.15,
    unit: "%",
    reason: "PreActResNet-18, 50,000 images, 160 epochs",
  },
  {
    text: "WRN-34-10, RPT + RPI: PGD-20 under the published protocol",
    source: "seeds-hardware.md §5.1",
    claimed: 66.75,
    unit: "%",
    reason: "6.7 GMAC an image",
  },
  {
    text: "Published “AutoAttack” (the standard version at one drawn precision)",
    source: "seeds-hardware.md §5.1",
    claimed: 54.56,
    unit: "%",
    reason: "its rand version on the exact mean, APGD-CE and APGD-DLR, stands in the full evaluation instead",
  },
  {
    text: "ImageNet, ResNet-50, Free: PGD-10",
    source: "seeds-hardware.md §5.1",
    claimed: 42.88,
    unit: "%",
    reason: "ImageNet is out of reach here",
  },
];
