// What the results of SmartDeal's reproduction say: setup, claims, tables, what was not run.

import type { Conclusion, NotRun, Scale } from "../reproduction/card.js";
import { percent } from "../reproduction/claims.js";
import { claimsOf } from "./claims.js";
import { inferenceTable, partsTable, ratiosTable } from "./energy-tables.js";
import { type Experiment, experiments, fewerRowsName, fewerRowsShare } from "./experiment.js";
import { energySchema, type PieceFigures, pieceFiguresSchema, pieceName } from "./figures.js";
import type { Results } from "./results.js";
import { betweenStepsTable, methodsTable, settingsTable } from "./tables.js";
import { tuning } from "./tried.js";

export function concludeSmartDeal(scale: Scale, pieces: ReadonlyMap<string, unknown>): Conclusion {
  return concludeExperiment(experiments[scale], pieces);
}

export function concludeExperiment(experiment: Experiment, pieces: ReadonlyMap<string, unknown>): Conclusion {
  const figures = (piece: string): PieceFigures => pieceFiguresSchema.parse(pieces.get(piece));
  const results: Results = {
    figures,
    scratch: (method, seed) => figures(pieceName.scratch(method, seed)),
    energy: energySchema.parse(pieces.get(pieceName.energy)),
  };
  return {
    setup: setupOf(experiment),
    claims: claimsOf(experiment, results),
    notRun: [...notRun],
    tables: [
      methodsTable(experiment, results),
      betweenStepsTable(experiment, results),
      partsTable(experiment, results),
      ratiosTable(experiment, results),
      inferenceTable(results),
      settingsTable(experiment, results),
    ],
  };
}

function setupOf(experiment: Experiment): string[] {
  const { depth, data, batchSize, steps, integerSteps, settingSteps, learningRate, keptRowShare } = experiment;
  const { trainImagesPerClass, testImagesPerClass } = data;
  return [
    `ResNet-${depth} (shortcuts by 1×1 convolutions) on the bundled CIFAR-10 images: the first ${trainImagesPerClass} training images of each class and ${testImagesPerClass === undefined ? "all" : `${10 * testImagesPerClass}`} test images, which are read at the end of each training only. All methods: ${steps} steps of ${batchSize} images (${integerSteps} with 8-bit operands), SGD with momentum 0.9, weight decay 1e-4, a one-cycle learning rate up to ${learningRate}, flip and 4-pixel crop, the same first dense weights and the same batches with one seed.`,
    `Ours starts from the decomposition of these first weights: in groups of 32 filters (10 in linear layers and 1×1 convolutions) the ${percent(1 - keptRowShare)} % of rows of smallest magnitude are given up, the rest becomes four-bit coefficients (zero and both signs of seven powers of two) times bases. Which coefficients may differ from zero is fixed from then on; the sixteenth code marks the others, so that the mask takes no bits of its own. Bases are float32 between steps and rounded to 8 bits, with a power of two each, wherever a weight is rebuilt; accuracy is measured with these rounded bases, and what is stored is exactly what was measured.`,
    `switch: bucket switching; the state of a coefficient is its code and a counter. The published code counts signs of updates with momentum, float32, of every coefficient: that is switch-momentum. Here the counters, an average of signs themselves, stand for it: by default there is none. An exponent below the smallest becomes zero, and a zero becomes the smallest magnitude of the sign asked for. accumulate: ours; the counter, 8 bits, counts updates instead of their signs, in parts of the way to where the next code is nearer, and the code moves when it is full; no momentum. round: SGD with momentum whose result is rounded to a code at once. latent: SGD with momentum on float32 coefficients, rounded in the forward pass. averaged: goes on from the checkpoint of the same training at four fifths of the epochs, with the rate of that moment; the coefficients' values and bases of the ends of the further epochs are averaged, rounded once, and the running statistics brought up to date by 60 batches. ${fewerRowsName}: accumulate with ${percent(fewerRowsShare)} % of the rows. It, round and switch-momentum have one seed: a training takes more than ten minutes, and two more seeds of each would bring the whole to more than five CPU-hours.`,
    tuning,
    "8-bit operands: activations, their gradients and weights, ours where they are rebuilt (with zero exact, so that rows that are zero stay so), the classifier in float32, which is also how energy is charged. Inference at 8 bits is of these trainings.",
    "Energy: a 45 nm machine of 16 × 16 units with registers, a buffer of 512 KB (CACTI) and LPDDR4, the same for all methods; float32 products by Horowitz's table, 8-bit ones by Bit Fusion's cell. Each of the three products of each layer runs under the mapping of least energy of 2,000 that the mapper tries for dense weights. Ours moves weights in their own bits between DRAM and buffer, bases as float32, rebuilds them on the way to the units and skips the rows that are zero for good, in the weights' gradient too. Gradients of a layer's weights that fit half of the buffer never leave the chip, for the dense network too. Dense SGD reads and writes weight and momentum in float32, also with 8-bit operands. Element-wise operations are not charged: they would be the same for all. Of a strided layer's error product the products that are not with inserted zeros are charged.",
    `Fine-tuning: ${settingSteps} dense float32 steps on every second training image, then ${settingSteps} steps by each method on the others. Adaptation: the same with the first and the last five classes, the classifier anew.`,
  ];
}

const published = "SmartDeal (2021)";

const notRun: readonly NotRun[] = [
  {
    text: "ResNet-38: test accuracy above dense SGD's of the same effort, at least",
    source: "systems.md §2, shows that it works",
    claimed: -1,
    unit: "points",
    reason:
      "twice the time of everything here; `dovetail train --network resnet38 --learning-rate 0.1 --weight-decay 1e-4` with and without `--method smartdeal` trains both",
  },
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
