// What the results of SmartDeal's reproduction say: claims, tables, what was not run.

import type { CardTable, Claim, Conclusion, NotRun, Scale } from "../reproduction/card.js";
import { claimOf, mean, percent, points, rounded, standardDeviation } from "../reproduction/claims.js";
import { settings } from "../reproduction/data-splits.js";
import { type Experiment, experiments, integerMethods } from "./experiment.js";
import { coefficientState, methodSchema } from "./methods.js";
import {
  type EnergyRow,
  energySchema,
  type ModelledEnergy,
  type PieceFigures,
  pieceFiguresSchema,
  pieceName,
  settingMethods,
  wideNetworkName,
} from "./pieces.js";
import { partPj, type StepEnergy, stepParts, totalPj } from "./training-energy.js";

const source = "systems.md §2, shows that it works";
const published = "SmartDeal (2021)";

export function concludeSmartDeal(scale: Scale, results: ReadonlyMap<string, unknown>): Conclusion {
  return concludeExperiment(experiments[scale], results);
}

export function concludeExperiment(experiment: Experiment, results: ReadonlyMap<string, unknown>): Conclusion {
  const figures = (piece: string): PieceFigures => pieceFiguresSchema.parse(results.get(piece));
  const access: Access = {
    figures,
    scratch: (method, seed) => figures(pieceName.scratch(method, seed)),
    energy: energySchema.parse(results.get(pieceName.energy)),
  };
  return {
    setup: setupOf(experiment),
    claims: claimsOf(experiment, access),
    notRun: [...notRun],
    tables: [
      methodsTable(experiment, access),
      partsTable(experiment, access),
      ratiosTable(experiment, access),
      inferenceTable(access),
      settingsTable(access),
    ],
  };
}

interface Access {
  readonly figures: (piece: string) => PieceFigures;
  readonly scratch: (method: string, seed: number) => PieceFigures;
  readonly energy: ModelledEnergy;
}

function setupOf(experiment: Experiment): string[] {
  const { depth, data, batchSize, steps, integerSteps, settingSteps, learningRate, keptRowShare } = experiment;
  const { trainImagesPerClass, testImagesPerClass } = data;
  return [
    `ResNet-${depth} (shortcuts by 1×1 convolutions) on the bundled CIFAR-10 images: the first ${trainImagesPerClass} training images of each class and ${testImagesPerClass === undefined ? "all" : `${10 * testImagesPerClass}`} test images, which are read once, at the end of each training. All methods: ${steps} steps of ${batchSize} images (${integerSteps} with 8-bit operands), SGD with momentum 0.9, weight decay 1e-4, a one-cycle learning rate up to ${learningRate}, flip and 4-pixel crop, the same first dense weights and the same batches with one seed.`,
    `Ours starts from the decomposition of these first weights: in groups of 32 filters (10 in linear layers) the ${percent(1 - keptRowShare)} % of rows of smallest magnitude are given up, the rest becomes four-bit coefficients (zero and both signs of seven powers of two) times bases. Which coefficients may differ from zero is fixed from then on; the sixteenth code marks the others, so that the mask takes no bits of its own. Bases are float32 between steps and rounded to 8 bits, with a power of two each, wherever a weight is rebuilt; accuracy is measured with these rounded bases, and what is stored is exactly what was measured.`,
    "switch: bucket switching as published; the state of a coefficient is its code and a counter. The counters make the gradients' momentum superfluous: by default there is none (the published code has one, float32, of every coefficient: switch-momentum). An exponent below the smallest becomes zero, and a zero becomes the smallest magnitude of the sign asked for. round: SGD with momentum whose result is rounded to a code at once. latent: SGD with momentum on float32 coefficients, rounded in the forward pass. averaged: from four fifths of the epochs on the learning rate stays and the coefficients' values and bases of the ends of epochs are averaged, rounded once, and the running statistics brought up to date by 60 batches. Threshold and bar of the switching were chosen on ResNet-8, 5,000 training and 3,000 validation images, seed 0.",
    "Energy: a 45 nm machine of 16 × 16 units with registers, a buffer of 512 KB (CACTI) and LPDDR4, the same for all methods; float32 products by Horowitz's table, 8-bit ones by Bit Fusion's cell. Each of the three products of each layer runs under the mapping of least energy of 2,000 that the mapper tries for dense weights. Ours moves weights in their own bits between DRAM and buffer, bases as float32, rebuilds them on the way to the units and skips the rows that are zero for good, in the weights' gradient too. Gradients of a layer's weights that fit half of the buffer never leave the chip, for the dense network too. Dense SGD reads and writes weight and momentum in float32, also with 8-bit operands. Element-wise operations are not charged: they would be the same for all. Of a strided layer's error product the products that are not with inserted zeros are charged.",
    `Fine-tuning: ${settingSteps} dense float32 steps on every second training image, then ${settingSteps} steps by each method on the others. Adaptation: the same with the first and the last five classes, the classifier anew.`,
  ];
}

/** On ResNet-8, eight epochs of 5,000 images, validation accuracy; docs/systems/smartdeal.md has the whole list. */
const triedAccuracy: readonly string[] = [
  "bar and threshold of the switching: 10 and 1e-4 50.2 % where dense SGD had 49.3 %, 20 and 1e-4 41.1 %, 1 and 1e-3 36.9 %",
  "no exponent of room above the largest first coefficient 45.4 %, one 48.9 %, two 46.7 %, dense SGD 52.2 %",
  "momentum of coefficients, 0.9 with threshold 1e-3: 41.0 %",
  "latent coefficients: 47.0 % without room, 49.2 % with an exponent of it, 50.4 % with twice the rate for coefficients and half of it for bases",
  "first weights rounded without the decomposition's rounds: 49.8 % against 48.9 %, within noise",
];

const triedEnergy: readonly string[] = [
  "the same products with 8-bit operands, one image a step, and a network whose weights are most of its traffic: the table of ratios",
];

function claimsOf(experiment: Experiment, access: Access): Claim[] {
  const { seeds, batchSize } = experiment;
  const { scratch, figures } = access;
  const first = seeds.slice(0, 1);
  const against = (method: string, base: string, over = seeds): number[] =>
    over.map((seed) => points(scratch(method, seed).accuracyFraction, scratch(base, seed).accuracyFraction));
  const accuracyClaim = (text: string, perSeed: number[]): Claim =>
    claimOf({ text, source, claimed: -1, unit: "points", perSeed, direction: "atLeast", tried: triedAccuracy });
  const energy = (options: Omit<RatioOptions, "network">): number[] => [
    ratioOf(access, { network: `resnet${experiment.depth}`, ...options }),
  ];
  const trained = { method: "switch", batchSize } as const;
  return [
    accuracyClaim(
      "Bucket switching: test accuracy above dense SGD's of the same effort, at least",
      against("switch", "dense"),
    ),
    accuracyClaim(
      "Latent coefficients: test accuracy above dense SGD's of the same effort, at least",
      against("latent", "dense"),
    ),
    claimOf({
      text: "Bucket switching: storage of all parameters, float32 over ours, biases and normalizations counted, at least",
      source,
      claimed: 8,
      unit: "×",
      perSeed: seeds.map((seed) => storageRatio(scratch("switch", seed))),
      direction: "atLeast",
    }),
    claimOf({
      text: "Bucket switching: storage of all parameters, float32 over ours (published), at least",
      source: published,
      claimed: 10.56,
      unit: "×",
      perSeed: seeds.map((seed) => storageRatio(scratch("switch", seed))),
      direction: "atLeast",
      tried: ["this card keeps four fifths of the rows; fewer rows were not run at this scale"],
    }),
    claimOf({
      text: `Bucket switching: training energy, dense SGD over ours, both float32, ${batchSize} images a step (published), at least`,
      source: published,
      claimed: 4.48,
      unit: "×",
      perSeed: energy({ ...trained, arithmetic: "float32", against: "float32" }),
      direction: "atLeast",
      tried: triedEnergy,
    }),
    claimOf({
      text: `Bucket switching with 8-bit operands: training energy, float32 dense SGD over ours, ${batchSize} images a step (published), at least`,
      source: published,
      claimed: 4.48,
      unit: "×",
      perSeed: energy({ ...trained, arithmetic: "integer8", against: "float32" }),
      direction: "atLeast",
      tried: triedEnergy,
    }),
    accuracyClaim(
      "Bucket switching with 8-bit operands: test accuracy above dense training's with 8-bit operands, at least",
      [
        points(
          figures(pieceName.integer("switch-8")).accuracyFraction,
          figures(pieceName.integer("dense-8")).accuracyFraction,
        ),
      ],
    ),
    claimOf({
      text: "Inference of one image at 8 bits: energy, dense over ours with zeros of activations used (published, on real hardware), at least",
      source: published,
      claimed: 2.44,
      unit: "×",
      perSeed: [inferencePj(access, "dense", false) / inferencePj(access, "ours", true)],
      direction: "atLeast",
      tried: ["without the zeros, and zeros for the dense network too: the table of inference"],
    }),
    ...settings.flatMap((setting) =>
      settingMethods
        .filter((method) => method !== "dense")
        .map((method) =>
          accuracyClaim(`${methodTitles[method]}, ${setting}: test accuracy above dense SGD's, at least`, [
            points(
              figures(pieceName.after(setting, method)).accuracyFraction,
              figures(pieceName.after(setting, "dense")).accuracyFraction,
            ),
          ]),
        ),
    ),
    ...averagedMethods(experiment).map((method) =>
      claimOf({
        text: `${methodTitles[method]}, averaged: test accuracy above that of the same training's last step, at least`,
        source: "SmartDeal's variant with stochastic weight averaging; limit ours",
        claimed: 0,
        unit: "points",
        perSeed: first.map((seed) => {
          const { accuracyFraction, lastAccuracyFraction } = scratch(`${method}-averaged`, seed);
          return points(accuracyFraction, lastAccuracyFraction);
        }),
        direction: "atLeast",
      }),
    ),
  ];
}

function averagedMethods({ methods }: Experiment): ("switch" | "latent")[] {
  return (["switch", "latent"] as const).filter((name) => methods.some((one) => one.name === `${name}-averaged`));
}

const methodTitles = { switch: "Bucket switching", latent: "Latent coefficients" } as const;

function storageRatio({ storage: { denseWeightBits, weightBits, otherBits } }: PieceFigures): number {
  return (denseWeightBits + otherBits) / (weightBits + otherBits);
}

interface RatioOptions {
  readonly network: string;
  readonly method: string;
  readonly arithmetic: EnergyRow["arithmetic"];
  /** Operands of the dense network. */
  readonly against: EnergyRow["arithmetic"];
  readonly batchSize: number;
}

function partsOf(
  { energy }: Access,
  { network, method, arithmetic, batchSize }: Omit<RatioOptions, "against">,
): StepEnergy {
  const row = energy.steps.find(
    (one) =>
      one.network === network && one.method === method && one.arithmetic === arithmetic && one.batchSize === batchSize,
  );
  return row!.parts;
}

/** Training energy of the dense network over the method's. */
function ratioOf(access: Access, { against, ...options }: RatioOptions): number {
  const dense = partsOf(access, { ...options, method: "dense", arithmetic: against });
  return totalPj(dense) / totalPj(partsOf(access, options));
}

/** Energy of one image at 8 bits. */
function inferencePj({ energy }: Access, weights: "dense" | "ours", usesZeros: boolean): number {
  return energy.inference.find((row) => row.weights === weights && row.usesZeros === usesZeros)!.energyPj;
}

function methodsTable({ seeds, methods, steps, integerSteps }: Experiment, access: Access): CardTable {
  const row = (name: string, method: unknown, all: readonly PieceFigures[]) => {
    const settled = methodSchema.parse(method);
    const accuracies = all.map(({ accuracyFraction }) => 100 * accuracyFraction);
    const last = all.map(({ lastAccuracyFraction }) => 100 * lastAccuracyFraction);
    const state = settled.kind === "dense" ? undefined : coefficientState(settled);
    return [
      name,
      all.length,
      rounded(mean(accuracies), 4),
      all.length > 1 ? rounded(standardDeviation(accuracies), 2) : null,
      name.endsWith("averaged") ? rounded(mean(last), 4) : null,
      rounded(mean(all.map(({ losses }) => losses.at(-1)!)), 4),
      rounded(mean(all.map(storageRatio)), 4),
      rounded(mean(all.map(({ storage }) => storage.denseWeightBits / storage.weightBits)), 4),
      state ? 4 + state.ownBits : 32,
      state ? state.momentumBits : 32,
    ];
  };
  return {
    title: "Methods at equal steps",
    columns: [
      "method",
      "seeds",
      "test accuracy, %",
      "deviation",
      "last step's accuracy, %",
      "loss of the last epoch",
      "storage, all parameters, ×",
      "storage, weights alone, ×",
      "kept between steps, bits a coefficient",
      "momentum, bits",
    ],
    rows: [
      ...methods.map(({ name, method, isCompared }) => {
        const over = isCompared ? seeds : seeds.slice(0, 1);
        return row(
          name,
          method,
          over.map((seed) => access.scratch(name, seed)),
        );
      }),
      ...integerMethods.map(([name, method]) => row(name, method, [access.figures(pieceName.integer(name))])),
    ],
    note: `The last two with 8-bit activations and gradients, ${integerSteps} steps, not ${steps}. Storage is that of the finished network, bases at 8 bits.`,
  };
}

function partsTable(experiment: Experiment, access: Access): CardTable {
  const { batchSize, depth } = experiment;
  const compared = ["dense", "switch", "latent", "round", "switch-momentum"];
  const microjoules = (pj: number): number => rounded(pj / 1e6 / batchSize, 4);
  const rows = compared.flatMap((method) => {
    const parts = partsOf(access, { network: `resnet${depth}`, method, arithmetic: "float32", batchSize });
    return stepParts.map((part) => {
      const { weightsPj, activationsPj, arithmeticPj, rebuildPj } = parts[part];
      return [
        method,
        partTitles[part],
        ...[weightsPj, activationsPj, arithmeticPj, rebuildPj, partPj(parts[part])].map(microjoules),
      ];
    });
  });
  return {
    title: `Training energy of an image by part, float32, ${batchSize} images a step`,
    columns: [
      "method",
      "part",
      "weights and state, µJ",
      "activations, µJ",
      "arithmetic, µJ",
      "rebuilding, µJ",
      "sum, µJ",
    ],
    rows,
    note: "Weights, state and activations: DRAM and buffer. Arithmetic: units and their registers.",
  };
}

const partTitles = {
  forward: "forward",
  error: "backward to activations",
  weightGradient: "gradient of weights",
  update: "update",
} as const;

function ratiosTable({ batchSize, depth }: Experiment, access: Access): CardTable {
  const rows = [`resnet${depth}`, wideNetworkName].flatMap((network) =>
    [1, batchSize].flatMap((batch) =>
      (["float32", "integer8"] as const).map((arithmetic) => [
        network,
        batch,
        arithmetic === "float32" ? "float32" : "8 bit",
        ...["switch", "latent", "round", "switch-momentum"].map((method) =>
          rounded(ratioOf(access, { network, method, arithmetic, against: arithmetic, batchSize: batch }), 4),
        ),
        rounded(ratioOf(access, { network, method: "switch", arithmetic, against: "float32", batchSize: batch }), 4),
      ]),
    ),
  );
  return {
    title: "Training energy: dense SGD over ours",
    columns: [
      "network",
      "images a step",
      "operands",
      "switch, ×",
      "latent, ×",
      "round, ×",
      "switch-momentum, ×",
      "switch against float32 dense, ×",
    ],
    rows,
    note: `${wideNetworkName}: shapes only, the same share of rows kept in every layer; it was not trained.`,
  };
}

function inferenceTable(access: Access): CardTable {
  const plain = inferencePj(access, "dense", false);
  const titles = { dense: "dense", ours: "coefficients and bases" } as const;
  return {
    title: "Inference of one image at 8 bits",
    columns: ["weights", "zeros of activations", "energy, µJ", "dense over this, ×"],
    rows: access.energy.inference.map(({ weights, usesZeros, energyPj }) => [
      titles[weights],
      usesZeros ? "a bit a word, skipped" : "as other words",
      rounded(energyPj / 1e6, 4),
      rounded(plain / energyPj, 4),
    ]),
    note: "Shares of zeros measured layer by layer on 200 training images, of the two networks trained with 8-bit operands.",
  };
}

function settingsTable({ figures }: Access): CardTable {
  return {
    title: "Fine-tuning and adaptation",
    columns: ["setting", "method", "test accuracy, %", "storage, all parameters, ×"],
    rows: settings.flatMap((setting) =>
      [
        ["before, dense", pieceName.before(setting)] as const,
        ...settingMethods.map((method) => [method, pieceName.after(setting, method)] as const),
      ].map(([name, piece]) => {
        const found = figures(piece);
        return [setting, name, percent(found.accuracyFraction), rounded(storageRatio(found), 4)];
      }),
    ),
    note: "Accuracy before adaptation is that on the first five classes.",
  };
}

const notRun: readonly NotRun[] = [
  {
    text: "Energy on real hardware: inference, at least",
    source: published,
    claimed: 2.44,
    unit: "×",
    reason: "no such hardware here; the modelled figure stands among the claims",
  },
  {
    text: "Training for 200 epochs of 50,000 images: storage at the accuracy of dense training",
    source: published,
    claimed: 10.56,
    unit: "×",
    reason: "days on two cores",
  },
];
