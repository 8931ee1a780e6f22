// What the results of the algorithm's pieces say: claims, tables, what was not run.
import { spearmanRho } from "@dovetail/nasbench";
import type { CardTable, Claim, Conclusion, NotRun } from "../reproduction/card.js";
import { claimOf, percent, points, rounded } from "../reproduction/claims.js";
import { type BriefFigures, briefSchema, type FullFigures, fullSchema } from "./evaluate-robustness.js";
import type { Experiment } from "./experiment.js";
import { dialSets, pieceName, type TrainedAt, type UsedAt, uses } from "./pieces.js";
import { meanBitOperations } from "./precision-set.js";
import { robustStepFactor, type TrainingMethod } from "./train-robust.js";

const shown = "systems.md §6, shows that it works";
const acceptance = "seeds-hardware.md §5.6";
const published = "seeds-hardware.md §5.1, PreActResNet-18 on CIFAR-10";

interface Access {
  readonly experiment: Experiment;
  readonly brief: (method: TrainingMethod, at: TrainedAt, used: UsedAt, seed: number) => BriefFigures;
  readonly full: (at: TrainedAt, used: UsedAt) => FullFigures;
  readonly dial: readonly BriefFigures[];
}

export function concludeAlgorithm(experiment: Experiment, results: ReadonlyMap<string, unknown>): Conclusion {
  const access: Access = {
    experiment,
    brief: (method, at, used, seed) => briefSchema.parse(results.get(pieceName.brief(method, at, used, seed))),
    full: (at, used) => fullSchema.parse(results.get(pieceName.full(at, used))),
    dial: briefSchema.array().parse((results.get(pieceName.dial) as { readonly figures: unknown }).figures),
  };
  return {
    setup: setupOf(experiment),
    claims: [...transferClaims(access), ...gainClaims(access), ...honestyClaims(access)],
    notRun: [...notRun],
    tables: [
      methodsTable(access),
      attacksTable(access),
      decisionsTable(access),
      ...matrixTables(access),
      dialTable(access),
      linesTable("RobustBench's rules and AutoAttack's flags", access, (of) => of.rules),
      linesTable("Checklist for masked gradients", access, (of) => of.masking),
    ],
  };
}

function setupOf(experiment: Experiment): string[] {
  const { depth, data, precisions, single, batchSize, epochs, learningRate, attackedImages, checkedImages } =
    experiment;
  const macs = robustStepFactor("pgd-7");
  return [
    `Algorithm: ResNet-${depth} on the bundled CIFAR-10 images, the first ${data.trainImagesPerClass} training images of each class. ${epochs} epochs with batches of ${batchSize} (free: a quarter of the epochs, four repetitions), SGD with momentum 0.9, weight decay 5e-4, ${learningRate} and a tenth of it after half, a hundredth after three quarters; flip and 4-pixel crop; the same first weights and batches. Attacks in training: 8/255 in the maximum norm, on the network in inference form, whose running statistics they leave alone. A PGD-7 step is ${macs} products of a forward pass where a natural one is 3: trainings have equal steps, not equal effort.`,
    `Precisions ${precisions.join(", ")} (published: 4 to 16 in training, 4 to 8 in use): RPT draws one for each training step; without it the network is trained at ${single} bit. RPI draws one for each batch in use; without RPT all precisions use the batch norms and ranges of ${single} bit. Stem, shortcuts and classifier are in full precision, each precision has its own activation ranges.`,
    `Attacked are the first ${attackedImages} test images, as many of each class; the checklist and the zero-gradient flag look at ${checkedImages}. “Published”: a precision is drawn for the attack and another for the decision, a batch of 128 at a time; misclassified images are frozen; the transfer matrices' means are the exact expectation of it. “Adaptive”: every attack follows the exact mean over the draw, and each image counts by the worst point that any attack found within 8/255.`,
  ];
}

/** PGD-7 at one precision, decided at all: the paper's observation. */
function transferClaims({ experiment, full }: Access): Claim[] {
  const { free } = full("single", "rpi").transfer!;
  const { precisions } = experiment;
  const gaps = free.map((row, index) => {
    const others = row.filter((_, attacked) => attacked !== index);
    return points(others.reduce((sum, value) => sum + value, 0) / others.length, row[index]!);
  });
  const weakest = free.filter((row, index) => row.every((value) => row[index]! <= value)).length;
  const cells = free.flatMap((row, decides) =>
    row.flatMap((value, attacked) =>
      attacked === decides
        ? []
        : [{ distance: Math.abs(precisions[decides]! - precisions[attacked]!), gap: value - row[decides]! }],
    ),
  );
  const rho = spearmanRho(
    cells.map(({ distance }) => distance),
    cells.map(({ gap }) => gap),
  );
  const claim = (text: string, source: string, claimed: number, unit: string, ours: number): Claim =>
    claimOf({ text, source, claimed, unit, perSeed: [ours], direction: "atLeast" });
  return [
    claim(
      "Transfer matrix of PGD-7 training at one precision, nothing frozen: precisions whose own attack is the strongest, at least",
      `${acceptance}, check 3`,
      precisions.length,
      "precisions",
      weakest,
    ),
    claim(
      "The same: precisions where attacks made at others leave at least 3 points more, at least two thirds",
      `${acceptance}, check 3`,
      Math.ceil((2 / 3) * precisions.length),
      "precisions",
      gaps.filter((gap) => gap >= 3).length,
    ),
    claim(
      "The same: rank correlation of the gap with the distance of the precisions, at least",
      `${acceptance}, check 3`,
      0.5,
      "(Spearman)",
      // Of gaps or distances that are all alike there is none.
      Number.isFinite(rho) ? rho : 0,
    ),
  ];
}

function gainClaims({ experiment, brief, full }: Access): Claim[] {
  const { seeds, methods } = experiment;
  const single = full("single", "single");
  const rpt = full("rpt", "rpi");
  const gains: Claim[] = [
    claimOf({
      text: "RPT + RPI against PGD-7 training at one precision, published protocol (exact mean): robust accuracy above, at least",
      source: shown,
      claimed: 5,
      unit: "points",
      perSeed: [points(rpt.transfer!.frozenMean, brief("pgd-7", "single", "single", seeds[0]!).published)],
      direction: "atLeast",
    }),
    claimOf({
      text: "The same gain under the adaptive evaluation: smaller by, at least (the sign of what is left is no target)",
      source: `${acceptance}, check 4`,
      claimed: 0,
      unit: "points",
      perSeed: [
        points(rpt.transfer!.frozenMean, brief("pgd-7", "single", "single", seeds[0]!).published) -
          points(rpt.worst.accuracy, single.worst.accuracy),
      ],
      direction: "atLeast",
    }),
    claimOf({
      text: "RPT + RPI: clean accuracy above PGD-7 training's at one precision, at least",
      source: published,
      claimed: 0.14,
      unit: "points",
      perSeed: seeds.map((seed) =>
        points(brief("pgd-7", "rpt", "rpi", seed).clean, brief("pgd-7", "single", "single", seed).clean),
      ),
      direction: "atLeast",
    }),
  ];
  const others = methods.filter(({ method }) => method === "fgsm-rs" || method === "free");
  for (const { method, withSeeds } of others) {
    gains.push(
      claimOf({
        text: `${method}: RPT + RPI against one precision, published protocol with its draws: robust accuracy above, at least`,
        source: `${published}; limit ours, of the text's 5 points`,
        claimed: 5,
        unit: "points",
        perSeed: (withSeeds ? seeds : seeds.slice(0, 1)).map((seed) =>
          points(brief(method, "rpt", "rpi", seed).published, brief(method, "single", "single", seed).published),
        ),
        direction: "atLeast",
      }),
    );
  }
  return gains;
}

/** What must hold of any evaluation that is to be believed. */
function honestyClaims({ full }: Access): Claim[] {
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
    }),
  ];
}

const useNames: Readonly<Record<`${TrainedAt} ${UsedAt}`, string>> = {
  "single single": "one precision",
  "single rpi": "one precision, RPI",
  "rpt single": "RPT, one precision",
  "rpt rpi": "RPT + RPI",
};

const useName = (at: TrainedAt, used: UsedAt): string => useNames[`${at} ${used}`];

function methodsTable({ experiment, brief }: Access): CardTable {
  const { methods, seeds, pgdSteps } = experiment;
  return {
    title: `Trainings, ${experiment.attackedImages} images, %`,
    columns: ["training", "used", "seeds", "clean", `published PGD-${pgdSteps}`, `PGD-${pgdSteps} on the exact mean`],
    rows: methods.flatMap(({ method, withSeeds }) =>
      uses.map(([at, used]) => {
        const all = (withSeeds ? seeds : seeds.slice(0, 1)).map((seed) => brief(method, at, used, seed));
        const mean = (of: (figures: BriefFigures) => number): number =>
          percent(all.reduce((sum, figures) => sum + of(figures), 0) / all.length);
        return [
          method,
          useName(at, used),
          all.length,
          mean(({ clean }) => clean),
          mean(({ published: figure }) => figure),
          mean(({ adaptive }) => adaptive),
        ];
      }),
    ),
    note: "Published: one draw for each batch of 128 images, so that the figure has a spread of its own.",
  };
}

function attacksTable({ full }: Access): CardTable {
  const figures = uses.map(([at, used]) => full(at, used));
  const cell = ({ accuracy, interval }: { accuracy: number; interval: number[] }): string =>
    `${percent(accuracy)} [${interval.map(percent).join(", ")}]`;
  const [first] = figures;
  return {
    title: "PGD-7 training: adaptive evaluation, % with 95 % intervals",
    columns: ["attack", ...uses.map(([at, used]) => useName(at, used))],
    rows: [
      ["none", ...figures.map(({ clean }) => cell(clean))],
      ...first!.attacks.map(({ name }, index) => [name, ...figures.map(({ attacks }) => cell(attacks[index]!))]),
      ["worst of all, image by image", ...figures.map(({ worst }) => cell(worst))],
      [
        "published protocol, exact mean",
        ...figures.map(({ transfer }) => (transfer ? percent(transfer.frozenMean) : null)),
      ],
      ["the same, nothing frozen", ...figures.map(({ transfer }) => (transfer ? percent(transfer.freeMean) : null))],
    ],
  };
}

function decisionsTable({ full }: Access): CardTable {
  return {
    title: "PGD-7 training: ways to decide, on the worst points of the adaptive evaluation, %",
    columns: ["used", "drawn", "all precisions right", "majority vote", "mean softmax"],
    rows: uses.map(([at, used]) => {
      const { worst, decisions } = full(at, used);
      const { worstCase, majorityVote, ensembleMean } = decisions;
      return [useName(at, used), ...[worst.accuracy, worstCase, majorityVote, ensembleMean].map(percent)];
    }),
    note: "The points were made against the draw: other ways to decide may have worse ones.",
  };
}

function matrixTables({ experiment, full }: Access): CardTable[] {
  const { precisions, pgdSteps } = experiment;
  return (["single", "rpt"] as const).flatMap((at) => {
    const { free, frozen } = full(at, "rpi").transfer!;
    const table = (title: string, matrix: readonly (readonly number[])[]): CardTable => ({
      title: `${title}, PGD-7 training ${at === "rpt" ? "with RPT" : `at ${experiment.single} bit`}, %`,
      columns: ["decides", ...precisions.map((bits) => `attacked at ${bits} bit`)],
      rows: matrix.map((row, index) => [`${precisions[index]} bit`, ...row.map(percent)]),
    });
    return [
      table(`Transfer of PGD-${pgdSteps}, nothing frozen`, free),
      table(`Transfer of PGD-${pgdSteps}, misclassified images frozen`, frozen),
    ];
  });
}

function dialTable({ experiment, dial }: Access): CardTable {
  return {
    title: "The dial: one set of weights (PGD-7, RPT), other sets in use",
    columns: ["set", "bit-operations a product", "clean, %", "published, %", "adaptive PGD, %"],
    rows: dialSets(experiment.precisions).map((set, index) => {
      const { clean, published: figure, adaptive } = dial[index]!;
      return [set.join(", "), rounded(meanBitOperations(set), 4), percent(clean), percent(figure), percent(adaptive)];
    }),
    note: "Bit-operations: the mean of b² over the set; 1,024 in float32.",
  };
}

function linesTable(title: string, { full }: Access, of: (figures: FullFigures) => FullFigures["rules"]): CardTable {
  const figures = uses.map(([at, used]) => of(full(at, used)));
  return {
    title,
    columns: ["line", ...uses.map(([at, used]) => useName(at, used))],
    rows: figures[0]!.map(({ name }, index) => [
      name,
      ...figures.map((lines) => `${lines[index]!.state}; ${lines[index]!.figure}`),
    ]),
  };
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
