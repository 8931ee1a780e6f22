// The tables of FracTrain's card.
import type { CardTable } from "../reproduction/card.js";
import { mean, percent, rounded, standardDeviation } from "../reproduction/claims.js";
import { settings, settingsNote } from "../reproduction/data-splits.js";
import { type Choice, defaultChoices, isSkip } from "./cost.js";
import { gateSettings } from "./experiment.js";
import { type PieceFigures, pieceName } from "./pieces.js";
import { arrays, type Results } from "./results.js";

export function methodsTable({ experiment: { seeds, methods }, scratch, bestEqual }: Results): CardTable {
  const row = (name: string, of: (seed: number) => PieceFigures, over: readonly number[]) => {
    const all = over.map(of);
    const cost = mean(all.map(({ bitMacs, float32Macs }) => bitMacs / float32Macs));
    const accuracies = all.map(({ accuracyFraction }) => 100 * accuracyFraction);
    const isFloat = cost === 1;
    return [
      name,
      over.length,
      rounded(mean(accuracies), 4),
      over.length > 1 ? rounded(standardDeviation(accuracies), 2) : null,
      percent(cost),
      ...arrays.flatMap(({ key }) => [
        isFloat ? null : rounded(mean(all.map((piece) => piece[key].latencyCycles)) / 1e9, 4),
        isFloat ? null : rounded(mean(all.map((piece) => piece[key].energyPj)) / 1e12, 4),
      ]),
      all.every(({ turningPoints }) => turningPoints.length === 0)
        ? null
        : all.map(({ turningPoints }) => turningPoints.join(" ")).join(" / "),
    ];
  };
  const ofSeed = (seed: number): string => {
    const { bits } = bestEqual(seed);
    return `${bits!.activationBits}/${bits!.gradientBits}`;
  };
  return {
    title: "Methods at equal iterations",
    columns: [
      "method",
      "seeds",
      "test accuracy, %",
      "deviation",
      "bit-operations, % of float32",
      ...arrays.flatMap(({ name }) => [`latency on ${name} array, 10⁹ cycles`, "energy, J"]),
      "turning points, after step",
    ],
    rows: [
      ...methods.map(({ name, isCompared }) =>
        row(name, (seed) => scratch(name, seed), isCompared ? seeds : seeds.slice(0, 1)),
      ),
      row(
        `best static of equal cost (weights 4, activations/gradients ${seeds.map(ofSeed).join(", ")})`,
        bestEqual,
        seeds,
      ),
    ],
    note: "The arrays have no float32: its latency and energy would be another machine's.",
  };
}

export function choicesTable({ experiment: { seeds }, scratch }: Results): CardTable {
  const columnOf = ({ activationBits, gradientBits }: Choice): string => `${activationBits}/${gradientBits}`;
  const published = defaultChoices.map((choice) => (isSkip(choice) ? "skip" : columnOf(choice)));
  const own = gateSettings.choices.map(columnOf);
  const names = [...new Set([...published, ...own])];
  const shares = (rows: readonly (readonly number[])[], choices: readonly string[]): (number | null)[] =>
    names.map((name) => {
      const choice = choices.indexOf(name);
      return choice < 0 ? null : percent(mean(rows.map((row) => row[choice]!)));
    });
  const gated = [
    ["dfq", own],
    ["fractrain", own],
    ["fractrain-published", published],
  ] as const;
  const rows = gated.flatMap(([method, choices]) => {
    const { trainingChoices, testChoices } = scratch(method, seeds[0]!);
    return [
      [method, "training", ...shares(trainingChoices!, choices)],
      [method, "test images", ...shares(testChoices!, choices)],
    ];
  });
  return {
    title: "What the gates chose",
    columns: ["method", "on", ...names.map((name) => `${name}, %`)],
    rows,
    note: `Bits of activations/gradients; mean over the blocks, seed ${seeds[0]}.`,
  };
}

export function settingsTable({ experiment: { seeds }, figures }: Results): CardTable {
  return {
    title: "Fine-tuning and adaptation",
    columns: ["setting", "method", "test accuracy, %", "bit-operations, % of float32"],
    rows: settings.flatMap((setting) => {
      const pieces = [
        ["before, float32", (seed: number) => pieceName.before(setting, seed)],
        ["SBM 8/8", (seed: number) => pieceName.after(setting, "sbm-8-8", seed)],
        ["FracTrain", (seed: number) => pieceName.after(setting, "fractrain", seed)],
      ] as const;
      return pieces.map(([name, pieceOf]) => {
        const all = seeds.map((seed) => figures(pieceOf(seed)));
        const cost = mean(all.map(({ bitMacs, float32Macs }) => bitMacs / float32Macs));
        return [setting, name, percent(mean(all.map(({ accuracyFraction }) => accuracyFraction))), percent(cost)];
      });
    }),
    note: settingsNote(seeds),
  };
}
