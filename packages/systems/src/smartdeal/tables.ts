// The tables of SmartDeal's card.

import type { CardTable } from "../reproduction/card.js";
import { mean, percent, rounded, standardDeviation } from "../reproduction/claims.js";
import { settings, settingsNote } from "../reproduction/data-splits.js";
import { type Experiment, integerMethods, seedsOf } from "./experiment.js";
import { type PieceFigures, pieceName } from "./figures.js";
import { coefficientState, methodSchema } from "./methods.js";
import { betweenStepsRatio, type Results, storageRatio } from "./results.js";

export function methodsTable(experiment: Experiment, results: Results): CardTable {
  const { seeds, methods, steps, integerSteps } = experiment;
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
      rounded(mean(all.map(betweenStepsRatio)), 4),
      Math.max(...all.map(({ betweenSteps }) => betweenSteps.floatWeights)),
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
      "read and written by an update, bits a coefficient",
      "momentum, bits",
      "weights and their state between steps, ×",
      "values of float32 weights between steps",
    ],
    rows: [
      ...methods.map(({ name, method }) =>
        row(
          name,
          method,
          seedsOf(experiment, name).map((seed) => results.scratch(name, seed)),
        ),
      ),
      ...integerMethods.map(([name, method]) =>
        row(
          name,
          method,
          seeds.map((seed) => results.scratch(name, seed)),
        ),
      ),
    ],
    note: `The last three with 8-bit operands, ${integerSteps} steps, not ${steps}. ×: float32, or dense SGD's weights with their momentum, over this. Storage is that of the finished network, bases at 8 bits; between steps bases and their momentum count as float32. Averages lie beside a training and are no state of its steps.`,
  };
}

/** Read from the last checkpoint of the first seed's training; in the trainings of the other seeds sizes differ little. */
export function betweenStepsTable({ seeds, methods }: Experiment, results: Results): CardTable {
  const rows = methods
    .filter(({ averageOf }) => averageOf === undefined)
    .flatMap(({ name }) => {
      const found = results.scratch(name, seeds[0]!);
      const all = Object.values(found.betweenSteps.layers).flat();
      const kinds = [...new Set(all.map(({ tensor }) => tensor))].sort();
      return [
        ...kinds.map((kind) => {
          const these = all.filter(({ tensor }) => tensor === kind);
          const elements = these.reduce((sum, tensor) => sum + tensor.elements, 0);
          return [name, kind, these[0]!.elementType, elements, kilobits(these), null];
        }),
        [name, "all", null, null, kilobits(all), rounded(betweenStepsRatio(found), 4)],
      ];
    });
  return {
    title: "What stands for the weights between steps",
    columns: ["method", "tensors", "held as", "values", "counted, kbit", "dense SGD's over this, ×"],
    rows,
    note: "Sums over all layers, from a checkpoint, which holds all that goes from step to step; beside these it has biases, normalizations and their momentum only. Counted: codes, counters and masks at their width in rows that are not zero for good, a bit a row.",
  };
}

function kilobits(tensors: readonly { readonly bits: number }[]): number {
  return rounded(tensors.reduce((sum, { bits }) => sum + bits, 0) / 1000, 4);
}

export function settingsTable({ seeds, settingMethods }: Experiment, { figures }: Results): CardTable {
  return {
    title: "Fine-tuning and adaptation",
    columns: ["setting", "method", "test accuracy, %", "storage, all parameters, ×"],
    rows: settings.flatMap((setting) =>
      [
        ["before, dense", (seed: number) => pieceName.before(setting, seed)] as const,
        ...settingMethods.map(
          ([method]) => [method, (seed: number) => pieceName.after(setting, method, seed)] as const,
        ),
      ].map(([name, pieceOf]) => {
        const all = seeds.map((seed) => figures(pieceOf(seed)));
        const accuracy = mean(all.map(({ accuracyFraction }) => accuracyFraction));
        return [setting, name, percent(accuracy), rounded(mean(all.map(storageRatio)), 4)];
      }),
    ),
    note: settingsNote(seeds),
  };
}
