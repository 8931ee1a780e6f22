// What the results of ShiftAddNet's reproduction say: claims, tables, what was not run.

import type { OperationTable } from "@dovetail/hardware";
import type { Claim, Conclusion, NotRun } from "../reproduction/card.js";
import { claimOf, percent, points, rounded } from "../reproduction/claims.js";
import { type Experiment, networkNamed, type PrecisionName, seededRuns } from "./experiment.js";
import { type Results, resultsOf } from "./results.js";
import { accuracyTable, energyTable, partsTable, pruningTable, ratioTable, tuningTable } from "./tables.js";

const source = "systems.md §3, shows that it works";
const paper = "ShiftAddNet, NeurIPS 2020";

export function concludeShiftAddNet(experiment: Experiment, pieces: ReadonlyMap<string, unknown>): Conclusion {
  const results = resultsOf(experiment, pieces);
  return {
    setup: setupOf(results),
    claims: claimsOf(results),
    notRun: [...notRun],
    tables: [
      accuracyTable(results),
      energyTable(results, "inference"),
      energyTable(results, "training"),
      partsTable(results),
      ratioTable(results),
      pruningTable(results),
      tuningTable(results),
    ],
  };
}

function setupOf({ experiment }: Results): string[] {
  const { depth, widths, data, batchSize, steps, retrainingSteps } = experiment;
  const { trainImagesPerClass, validationImagesPerClass, testImagesPerClass } = data;
  return [
    `ResNet-${depth} with ${widths.join(", ")} channels on the bundled CIFAR-10 images: the first ${trainImagesPerClass} training images of each class, of which ${validationImagesPerClass} are held out for validation, and ${testImagesPerClass === undefined ? "all" : `${10 * testImagesPerClass}`} test images, read once at the end of each training. All networks: ${steps} steps of ${batchSize} images, flip and 4-pixel crop, a one-cycle learning rate, weight decay 1e-4 (none on exponents and signs), the same batches with one seed. Each but the frozen and the wide ones is trained in float32 by several optimizers, named by their highest learning rates: SGD with momentum 0.9, RAdam (DeepShift's authors need it), or SGD with RAdam for exponents and signs; the best one on the validation images serves for all of its runs. Which ones a network is offered was found on the validation images of a smaller one. The frozen one, of which only add layers learn, takes add's, the wide ones their narrow form's.`,
    "Networks: convolution; shift: all convolutions and the classifier by DeepShift-PS shifts of 5 bits (exponents −14…0), a normalization behind the classifier; add: AdderNet's layers in blocks and shortcuts, stem and classifier as they are (their multiplications are counted); shift-add: in blocks and shortcuts a shift convolution, then an add layer of the same kernel from as many channels as it gives, stem and classifier by shifts alone, as in the authors' code; fixed-shift-add: its shifts frozen as drawn, exponents −7…0. Add layers have AdderNet's adaptive rate. The wide networks have 1.47 and 1.38 times the channels, which is about shift-add's operator energy.",
    "Fixed point: weights, inputs, errors and weight gradients of add layers in 8 bits, clipped, with powers of two as scales, one for a layer's weights and inputs together (units that subtract them need no alignment); the published code does not bound weights and inputs to 8 bits and drops the scale of the weight gradient. Shift layers: inputs and errors in 16 bits as in the authors' code, or in 8. Convolutions and stem and classifier of the add network: SBM's affine quantizers at 8 bits, four operands. Normalizations are in float32.",
    "Energy: points of the products that the training graph has, times a table's figures, and all accesses to scratchpads, global buffer and LPDDR4 on an Eyeriss-like array of 12 × 14 elements, mapped for least energy (200 evaluations a product), one image at a time. A point of a convolution is a multiplication and an addition, of a shift layer a shift and an addition, of an add layer two additions. Backward, shift layers multiply for their weight gradients and add layers for both; learnt shifts also have two latent values a weight to update. Add layers move their operands like the others: the follow-up's script charges them nothing for DRAM, buffer and network. Integers of 16 bit take the next wider figures of the operator tables; synthesised shift units of 16 bit are charged as of 8, for want of a source.",
    `Pruning: the smallest weights of all shift layers together, and of all add layers, as a part of those that are not zero (about half of the shift weights are zero from the start); then ${retrainingSteps} steps with the zeros in place at a tenth of the learning rate. In the published script the largest powers of two go, or pruned weights become 1. A zero weight of a shift layer saves its shift and addition; of an add layer it saves storage alone, for |x − 0| is summed up all the same.`,
  ];
}

function claimsOf(results: Results): Claim[] {
  const { experiment, trained, energy, pruned } = results;
  const { seeds } = experiment;
  const inference = (network: string, precision: PrecisionName, table: OperationTable) =>
    energy(network).rows.find((row) => row.precision === precision && row.table === table)!.inference;
  const ratio = (precision: PrecisionName, table: OperationTable, withMemory: boolean): number => {
    const of = (network: string, at: PrecisionName): number => {
      const { operationsPj, memoryPj } = inference(network, at, table);
      return operationsPj + (withMemory ? memoryPj : 0);
    };
    // Convolutions have one form in fixed point.
    return 100 * (1 - of("shift-add", precision) / of("convolution", precision === "float32" ? "float32" : "fixed8"));
  };
  const above = (other: string): Claim =>
    claimOf({
      text: `Shift-add: test accuracy above the ${other} network's, float32, at least`,
      source: `${source}; ${paper}`,
      claimed: 0,
      unit: "points",
      perSeed: (isSeeded(other) ? seeds : seeds.slice(0, 1)).map((seed) =>
        points(
          trained("shift-add", "float32", seed).accuracyFraction,
          trained(other, "float32", seed).accuracyFraction,
        ),
      ),
      direction: "atLeast",
      tried: triedForAccuracy(results, other),
    });
  const dropOf = (network: string, precision: PrecisionName): number =>
    points(trained(network, "float32").accuracyFraction, trained(network, precision).accuracyFraction);
  const drop = (precision: PrecisionName): number => dropOf("shift-add", precision);
  const saving = (text: string, precision: PrecisionName, table: OperationTable, withMemory: boolean): Claim =>
    claimOf({
      text: `Shift-add: ${text}, inference, at least`,
      source: `${paper}: over 80 % against convolutions`,
      claimed: 80,
      unit: "%",
      perSeed: [ratio(precision, table, withMemory)],
      direction: "atLeast",
      tried: triedForEnergy(ratio),
    });
  return [
    above("shift"),
    above("add"),
    above("wide-shift"),
    above("wide-add"),
    saving(
      "less operator energy than convolutions at the same precision (8 bit, ASIC)",
      "fixed8",
      "operators45",
      false,
    ),
    saving(
      "less energy than convolutions at the same precision, memory counted (8 bit, ASIC)",
      "fixed8",
      "operators45",
      true,
    ),
    saving(
      "less energy of synthesised units than convolutions at the same precision (8 bit)",
      "fixed8",
      "synthesised45",
      false,
    ),
    claimOf({
      text: "Convolutions: what 8 bit alone saves of the operator energy of float32 (ASIC), at least",
      source,
      claimed: 80,
      unit: "%",
      perSeed: [
        100 *
          (1 -
            inference("convolution", "fixed8", "operators45").operationsPj /
              inference("convolution", "float32", "operators45").operationsPj),
      ],
      direction: "atLeast",
    }),
    claimOf({
      text: "Shift-add: test accuracy lost with add layers at 8 bit and shift layers at 16, at most",
      source: `${source}, quantization; limit ours, set before the runs`,
      claimed: 1,
      unit: "points",
      perSeed: [drop("fixed16")],
      direction: "atMost",
      tried: [
        `all at 8 bit: ${rounded(drop("fixed8"), 3)} points lost`,
        `shift alone at 16 bit: ${rounded(dropOf("shift", "fixed16"), 3)} points lost`,
        `add layers alone at 8 bit: ${rounded(dropOf("add", "fixed8"), 3)} points lost`,
      ],
    }),
    claimOf({
      text: "Shift-add: test accuracy lost with half of the weights pruned, after retraining, at most",
      source: `${source}, pruning; limit ours, set before the runs`,
      claimed: 2,
      unit: "points",
      perSeed: [
        points(
          trained("shift-add", "float32").accuracyFraction,
          pruned("shift-add").find(({ share }) => share === 0.5)!.retrainedFraction,
        ),
      ],
      direction: "atMost",
      tried: pruned("shift-add").map(
        ({ share, accuracyFraction, retrainedFraction }) =>
          `${percent(share)} %: ${percent(accuracyFraction)} %, ${percent(retrainedFraction)} % after retraining`,
      ),
    }),
  ];
}

const isSeeded = (network: string): boolean => seededRuns.some(([name]) => name === network);

/** Every network was trained by several optimizers, and the precisions are attempts too. */
function triedForAccuracy({ experiment, tuned, trained }: Results, other: string): string[] {
  const compared = ["shift-add", other].map((name) => networkNamed(experiment, name));
  const byOptimizer = compared.flatMap(({ name, optimizers }) => {
    const figures = optimizers.map((optimizer) => `${optimizer} ${percent(tuned(name, optimizer).accuracyFraction)} %`);
    return figures.length > 0 ? [`${name} by its optimizers: ${figures.join(", ")}`] : [];
  });
  return [
    ...byOptimizer,
    `shift-add with frozen shifts, fixed point: ${percent(trained("fixed-shift-add", "fixed16").accuracyFraction)} %`,
    `shift-add with add layers at 8 bit: ${percent(trained("shift-add", "fixed16").accuracyFraction)} %`,
  ];
}

function triedForEnergy(ratio: (precision: PrecisionName, table: OperationTable, withMemory: boolean) => number) {
  const figure = (...of: Parameters<typeof ratio>): string => `${rounded(ratio(...of), 3)} %`;
  return [
    `float32, operators: ASIC ${figure("float32", "operators45", false)}, FPGA ${figure("float32", "operatorsZc706", false)}`,
    `8 bit on the FPGA's operators: ${figure("fixed8", "operatorsZc706", false)}`,
    `shift layers at 16 bit as in the authors' code: ASIC ${figure("fixed16", "operators45", false)}`,
    `with memory: float32 ${figure("float32", "operators45", true)}, 8 bit ${figure("fixed8", "operators45", true)}`,
  ];
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
];
