// What the results of ShiftAddNet's reproduction say: claims, tables, what was not run.

import type { OperationTable } from "@dovetail/hardware";
import type { CardTable, Claim, Conclusion, NotRun } from "../reproduction/card.js";
import { claimOf, mean, percent, points, rounded, standardDeviation } from "../reproduction/claims.js";
import { type Experiment, type NetworkChoice, type PrecisionName, seededRuns } from "./experiment.js";
import {
  chosenOptimizer,
  type EnergyResult,
  energySchema,
  optimizerNames,
  type PruningFigures,
  pieceName,
  pruningSchema,
  type TrainingFigures,
  trainingSchema,
} from "./pieces.js";
import { optimizers } from "./training.js";

const source = "systems.md §3, shows that it works";
const paper = "ShiftAddNet, NeurIPS 2020";

/** What the results say, by network. */
interface Access {
  readonly experiment: Experiment;
  readonly trained: (network: string, precision: PrecisionName, seed?: number) => TrainingFigures;
  readonly optimizerOf: (network: string) => string;
  readonly tuned: (network: string, optimizer: (typeof optimizerNames)[number]) => TrainingFigures;
  readonly pruned: (network: string) => PruningFigures;
  readonly energy: (network: string) => EnergyResult;
}

export function concludeShiftAddNet(experiment: Experiment, results: ReadonlyMap<string, unknown>): Conclusion {
  const access = accessTo(experiment, results);
  return {
    setup: setupOf(access),
    claims: claimsOf(access),
    notRun: [...notRun],
    tables: [
      accuracyTable(access),
      energyTable(access, "inference"),
      energyTable(access, "training"),
      partsTable(access),
      ratioTable(access),
      pruningTable(access),
      tuningTable(access),
    ],
  };
}

function accessTo(experiment: Experiment, results: ReadonlyMap<string, unknown>): Access {
  const [firstSeed] = experiment.seeds as readonly [number];
  const result = (piece: string): unknown => results.get(piece);
  const optimizerOf = (name: string) => chosenOptimizer(networkOf(experiment, name).tunedAs, result);
  return {
    experiment,
    optimizerOf,
    trained: (name, precision, seed = firstSeed) => {
      const isTuning = networkOf(experiment, name).isTuned && precision === "float32" && seed === firstSeed;
      const piece = isTuning ? pieceName.tuning(name, optimizerOf(name)) : pieceName.training(name, precision, seed);
      return trainingSchema.parse(result(piece));
    },
    tuned: (name, optimizer) => trainingSchema.parse(result(pieceName.tuning(name, optimizer))),
    pruned: (name) => pruningSchema.parse(result(pieceName.pruning(name))),
    energy: (name) => energySchema.parse(result(pieceName.energy(name))),
  };
}

const networkOf = ({ networks }: Experiment, name: string): NetworkChoice =>
  networks.find((network) => network.name === name)!;

const tableTitles: Readonly<Record<OperationTable, string>> = {
  operators45: "bare operators, 45 nm ASIC",
  operatorsZc706: "bare operators, ZC706 FPGA",
  synthesised45: "synthesised units with accumulator, 45 nm",
};

const precisionTitles: Readonly<Record<PrecisionName, string>> = {
  float32: "float32",
  fixed16: "add 8 bit, shift 16 bit",
  fixed8: "8 bit",
};

function setupOf({ experiment }: Access): string[] {
  const { depth, widths, data, batchSize, steps, retrainingSteps } = experiment;
  const { trainImagesPerClass, validationImagesPerClass, testImagesPerClass } = data;
  return [
    `ResNet-${depth} with ${widths.join(", ")} channels on the bundled CIFAR-10 images: the first ${trainImagesPerClass} training images of each class, of which ${validationImagesPerClass} are held out for validation, and ${testImagesPerClass === undefined ? "all" : `${10 * testImagesPerClass}`} test images, read once at the end of each training. All networks: ${steps} steps of ${batchSize} images, flip and 4-pixel crop, a one-cycle learning rate, weight decay 1e-4 (none on exponents and signs), the same batches with one seed. Each but the frozen and the wide ones is trained in float32 by SGD with momentum 0.9 up to ${optimizers.sgd.learningRate} and by RAdam up to ${optimizers.radam.learningRate} (DeepShift's authors need it); the better one on the validation images serves for all of its runs. The frozen one takes shift-add's, the wide ones their narrow form's.`,
    "Networks: convolution; shift: all convolutions and the classifier by DeepShift-PS shifts of 5 bits (exponents −14…0), a normalization behind the classifier; add: AdderNet's layers in blocks and shortcuts, stem and classifier as they are (their multiplications are counted); shift-add: in blocks and shortcuts a shift convolution, then an add layer of the same kernel from as many channels as it gives, stem and classifier by shifts alone, as in the authors' code; fixed-shift-add: its shifts frozen as drawn, exponents −7…0. Add layers have AdderNet's adaptive rate. The wide networks have 1.47 and 1.38 times the channels, which is about shift-add's operator energy.",
    "Fixed point: weights, inputs, errors and weight gradients of add layers in 8 bits, clipped, with powers of two as scales, one for a layer's weights and inputs together (units that subtract them need no alignment); the published code does not bound weights and inputs to 8 bits and drops the scale of the weight gradient. Shift layers: inputs and errors in 16 bits as in the authors' code, or in 8. Convolutions and stem and classifier of the add network: SBM's affine quantizers at 8 bits, four operands. Normalizations are in float32.",
    "Energy: points of the products that the training graph has, times a table's figures, and all accesses to scratchpads, global buffer and LPDDR4 on an Eyeriss-like array of 12 × 14 elements, mapped for least energy (200 evaluations a product), one image at a time. A point of a convolution is a multiplication and an addition, of a shift layer a shift and an addition, of an add layer two additions. Backward, shift layers multiply for their weight gradients and add layers for both; learnt shifts also have two latent values a weight to update. Add layers move their operands like the others: the follow-up's script charges them nothing for DRAM, buffer and network. Integers of 16 bit take the next wider figures of the operator tables; synthesised shift units of 16 bit are charged as of 8, for want of a source.",
    `Pruning: the smallest weights of all shift layers together, and of all add layers, as a part of those that are not zero (about half of the shift weights are zero from the start); then ${retrainingSteps} steps with the zeros in place at a tenth of the learning rate. In the published script the largest powers of two go, or pruned weights become 1. A zero weight of a shift layer saves its shift and addition; of an add layer it saves storage alone, for |x − 0| is summed up all the same.`,
  ];
}

function claimsOf(access: Access): Claim[] {
  const { experiment, trained, energy, pruned } = access;
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
      tried: triedForAccuracy(access, other),
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

/** Every network got both optimizers, and the precisions are attempts too. */
function triedForAccuracy({ experiment, tuned, trained }: Access, other: string): string[] {
  const compared = ["shift-add", other].filter((name) => networkOf(experiment, name).isTuned);
  const byOptimizer = compared.map((name) => {
    const figures = optimizerNames.map(
      (optimizer) => `${optimizer} ${percent(tuned(name, optimizer).accuracyFraction)} %`,
    );
    return `${name} by both optimizers: ${figures.join(", ")}`;
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

const spreadOf = (values: readonly number[]): number | null =>
  values.length > 1 ? rounded(standardDeviation(values), 2) : null;

function accuracyTable({ experiment, trained, energy, optimizerOf }: Access): CardTable {
  const { networks, seeds } = experiment;
  return {
    title: "Accuracy",
    columns: [
      "network",
      "precision",
      "seeds",
      "test accuracy, %",
      "deviation",
      "optimizer",
      "multiplications, 10⁶",
      "shifts, 10⁶",
      "additions of add layers, 10⁶",
      "weights, kB",
      "zero shift weights, %",
    ],
    rows: networks.flatMap(({ name, precisions: own }) =>
      own.map((precision) => {
        const isRepeated = seededRuns.some(([network, at]) => network === name && at === precision);
        const all = (isRepeated ? seeds : seeds.slice(0, 1)).map((seed) => trained(name, precision, seed));
        const accuracies = all.map(({ accuracyFraction }) => 100 * accuracyFraction);
        const { operations, rows } = energy(name);
        const millions = (count: number): number => rounded(count / 1e6, 4);
        const zeros = all[0]!.zeroFractions.shift?.before;
        return [
          name,
          precisionTitles[precision],
          all.length,
          rounded(mean(accuracies), 4),
          spreadOf(accuracies),
          optimizerOf(name),
          millions(operations.multiply),
          millions(operations.shift),
          millions(operations.add),
          rounded(rows.find((row) => row.precision === precision)!.weightBits / 8192, 4),
          zeros === undefined ? null : percent(zeros),
        ];
      }),
    ),
    note: "Operations are points of one image's inference; of add layers, each is two additions.",
  };
}

function energyTable({ experiment, energy, trained }: Access, phase: "inference" | "training"): CardTable {
  const rows = experiment.networks.flatMap((network) =>
    network.precisions.map((precision) => {
      const figures = energy(network.name).rows.filter((row) => row.precision === precision);
      const operations = (table: OperationTable): number | null => {
        const row = figures.find((candidate) => candidate.table === table);
        return row ? rounded(row[phase].operationsPj / 1e6, 4) : null;
      };
      const asic = figures.find(({ table }) => table === "operators45")!;
      return [
        network.name,
        precisionTitles[precision],
        percent(trained(network.name, precision).accuracyFraction),
        operations("operators45"),
        operations("operatorsZc706"),
        ...(phase === "inference" ? [operations("synthesised45")] : []),
        rounded(asic[phase].memoryPj / 1e6, 4),
        rounded((asic[phase].operationsPj + asic[phase].memoryPj) / 1e6, 4),
      ];
    }),
  );
  return {
    title: phase === "inference" ? "Energy of an image's inference" : "Energy of an image in training",
    columns: [
      "network",
      "precision",
      "test accuracy, %",
      `${tableTitles.operators45}, µJ`,
      `${tableTitles.operatorsZc706}, µJ`,
      ...(phase === "inference" ? [`${tableTitles.synthesised45}, µJ`] : []),
      "memory, µJ",
      "ASIC operators and memory, µJ",
    ],
    rows,
    note: `Accuracy of seed ${experiment.seeds[0]}. Memory is that of the array at 45 nm in every row.`,
  };
}

function partsTable({ experiment, energy }: Access): CardTable {
  const parts = ["forward", "error", "weightGradient", "update"] as const;
  return {
    title: "Training by part, operators of the 45 nm ASIC and memory",
    columns: ["network", "precision", "forward, µJ", "errors, µJ", "weight gradients, µJ", "update, µJ"],
    rows: experiment.networks.flatMap((network) =>
      network.precisions.map((precision) => {
        const row = energy(network.name).rows.find(
          (candidate) => candidate.precision === precision && candidate.table === "operators45",
        )!;
        return [
          network.name,
          precisionTitles[precision],
          ...parts.map((part) => {
            const { operationsPj, memoryPj } = row.parts[part]!;
            return `${rounded(operationsPj / 1e6, 3)} + ${rounded(memoryPj / 1e6, 3)}`;
          }),
        ];
      }),
    ),
    note: "Arithmetic + memory.",
  };
}

function ratioTable({ experiment, energy }: Access): CardTable {
  const tables = Object.keys(tableTitles) as readonly OperationTable[];
  const rowOf = (network: string, precision: PrecisionName, table: OperationTable) =>
    energy(network).rows.find((row) => row.precision === precision && row.table === table);
  return {
    title: "Energy as a part of the convolutional network's at the same precision, %",
    columns: ["network", "precision", ...tables.flatMap((table) => [tableTitles[table], "with memory"])],
    rows: experiment.networks
      .filter(({ name }) => name !== "convolution")
      .flatMap((network) =>
        network.precisions.map((precision) => {
          const reference: PrecisionName = precision === "float32" ? "float32" : "fixed8";
          const cells = tables.flatMap((table) => {
            const [own, plain] = [rowOf(network.name, precision, table), rowOf("convolution", reference, table)];
            if (!own || !plain) return [null, null];
            const all = ({ operationsPj, memoryPj }: { operationsPj: number; memoryPj: number }) =>
              operationsPj + memoryPj;
            return [
              percent(own.inference.operationsPj / plain.inference.operationsPj),
              percent(all(own.inference) / all(plain.inference)),
            ];
          });
          return [network.name, precisionTitles[precision], ...cells];
        }),
      ),
    note: "Inference. Against convolutions in float32 the published savings follow from 8 bit alone.",
  };
}

function pruningTable({ experiment, pruned, trained }: Access): CardTable {
  return {
    title: "Pruning",
    columns: [
      "network",
      "pruned, % of what is not zero",
      "zero shift weights, %",
      "zero add weights, %",
      "test accuracy, %",
      "after retraining, %",
      "without pruning, %",
    ],
    rows: experiment.networks
      .filter(({ isPruned }) => isPruned)
      .flatMap(({ name }) =>
        pruned(name).map(({ share, zeroFractions, accuracyFraction, retrainedFraction }) => {
          const zeros = (kind: string): number | null => {
            const found = zeroFractions[kind];
            return found ? percent(found.after) : null;
          };
          return [
            name,
            percent(share),
            zeros("shift"),
            zeros("add"),
            percent(accuracyFraction),
            percent(retrainedFraction),
            percent(trained(name, "float32").accuracyFraction),
          ];
        }),
      ),
    note: "Zero add weights save storage, no work.",
  };
}

function tuningTable({ experiment, tuned, optimizerOf }: Access): CardTable {
  return {
    title: "Optimizers, float32",
    columns: ["network", "optimizer", "validation accuracy, %", "test accuracy, %", "chosen"],
    rows: experiment.networks
      .filter(({ isTuned }) => isTuned)
      .flatMap(({ name }) =>
        optimizerNames.map((optimizer) => {
          const { validationFraction, accuracyFraction } = tuned(name, optimizer);
          const isChosen = optimizerOf(name) === optimizer;
          return [name, optimizer, percent(validationFraction), percent(accuracyFraction), isChosen ? "yes" : "no"];
        }),
      ),
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
];
