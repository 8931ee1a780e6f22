// The tables of SmartDeal's card.

import type { CardTable } from "../reproduction/card.js";
import { mean, percent, rounded, standardDeviation } from "../reproduction/claims.js";
import { settings, settingsNote } from "../reproduction/data-splits.js";
import { type Experiment, integerMethods } from "./experiment.js";
import { coefficientState, methodSchema } from "./methods.js";
import { type PieceFigures, pieceName, settingMethods, wideNetworkName } from "./pieces.js";
import { inferencePj, partsOf, type Results, ratioOf, storageRatio } from "./results.js";
import { partPj, stepParts } from "./training-energy.js";

export function methodsTable({ seeds, methods, steps, integerSteps }: Experiment, results: Results): CardTable {
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
          over.map((seed) => results.scratch(name, seed)),
        );
      }),
      ...integerMethods.map(([name, method]) => row(name, method, [results.figures(pieceName.integer(name))])),
    ],
    note: `The last two with 8-bit activations and gradients, ${integerSteps} steps, not ${steps}. Storage is that of the finished network, bases at 8 bits.`,
  };
}

export function partsTable(experiment: Experiment, results: Results): CardTable {
  const { batchSize, depth } = experiment;
  const compared = ["dense", "switch", "latent", "round", "switch-momentum"];
  const microjoules = (pj: number): number => rounded(pj / 1e6 / batchSize, 4);
  const rows = compared.flatMap((method) => {
    const parts = partsOf(results, { network: `resnet${depth}`, method, arithmetic: "float32", batchSize });
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

export function ratiosTable({ batchSize, depth }: Experiment, results: Results): CardTable {
  const rows = [`resnet${depth}`, wideNetworkName].flatMap((network) =>
    [1, batchSize].flatMap((batch) =>
      (["float32", "integer8"] as const).map((arithmetic) => [
        network,
        batch,
        arithmetic === "float32" ? "float32" : "8 bit",
        ...["switch", "latent", "round", "switch-momentum"].map((method) =>
          rounded(ratioOf(results, { network, method, arithmetic, against: arithmetic, batchSize: batch }), 4),
        ),
        rounded(ratioOf(results, { network, method: "switch", arithmetic, against: "float32", batchSize: batch }), 4),
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

export function inferenceTable(results: Results): CardTable {
  const plain = inferencePj(results, "dense", false);
  const titles = { dense: "dense", ours: "coefficients and bases" } as const;
  return {
    title: "Inference of one image at 8 bits",
    columns: ["weights", "zeros of activations", "energy, µJ", "dense over this, ×"],
    rows: results.energy.inference.map(({ weights, usesZeros, energyPj }) => [
      titles[weights],
      usesZeros ? "a bit a word, skipped" : "as other words",
      rounded(energyPj / 1e6, 4),
      rounded(plain / energyPj, 4),
    ]),
    note: "Shares of zeros measured layer by layer on 200 training images, of the two networks trained with 8-bit operands.",
  };
}

export function settingsTable({ seeds }: Experiment, { figures }: Results): CardTable {
  return {
    title: "Fine-tuning and adaptation",
    columns: ["setting", "method", "test accuracy, %", "storage, all parameters, ×"],
    rows: settings.flatMap((setting) =>
      [
        ["before, dense", (seed: number) => pieceName.before(setting, seed)] as const,
        ...settingMethods.map((method) => [method, (seed: number) => pieceName.after(setting, method, seed)] as const),
      ].map(([name, pieceOf]) => {
        const all = seeds.map((seed) => figures(pieceOf(seed)));
        const accuracy = mean(all.map(({ accuracyFraction }) => accuracyFraction));
        return [setting, name, percent(accuracy), rounded(mean(all.map(storageRatio)), 4)];
      }),
    ),
    note: settingsNote(seeds),
  };
}
