// The tables of InstantNet's card.
import type { CardTable } from "../reproduction/card.js";
import { mean, percent, rounded, standardDeviation } from "../reproduction/claims.js";
import type { DistillationRule } from "./passes.js";
import { distillingRules, rules, type TrainingFigures } from "./pieces.js";
import type { Results } from "./results.js";

export const ruleNames: Readonly<Record<DistillationRule, string>> = { cascade: "CDT", highest: "SP", joint: "joint" };

export function accuracyTable({ experiment, rule, alone, published, found }: Results): CardTable {
  const { seeds, bitWidths } = experiment;
  const cells = (of: (seed: number, bits: number) => number): (string | number)[] =>
    bitWidths.map((bits) => {
      const values = seeds.map((seed) => 100 * of(seed, bits));
      const spread = seeds.length > 1 ? ` ± ${rounded(standardDeviation(values), 2)}` : "";
      return `${rounded(mean(values), 4)}${spread}`;
    });
  return {
    title: "Test accuracy, %",
    columns: ["training", ...bitWidths.map((bits) => `${bits} bit`)],
    rows: [
      ["independent, one network a precision", ...cells((seed, bits) => alone(bits, seed).accuracies[`${bits}`]!)],
      ...rules.map((name) => [ruleNames[name], ...cells((seed, bits) => rule(name, seed).accuracies[`${bits}`]!)]),
      ...distillingRules.map((name) => [
        `${ruleNames[name]}, β = 1 as published, seed ${seeds[0]}`,
        ...bitWidths.map((bits) => percent(published(name).accuracies[`${bits}`]!)),
      ]),
      ["found by SP-NAS, CDT", ...bitWidths.map((bits) => percent(found.accuracies[`${bits}`]!))],
    ],
  };
}

export function mappingTable({ experiment, deployment }: Results): CardTable {
  return {
    title: "Mappings and files of the CDT network",
    columns: [
      "bits",
      "EDP searched, J·s",
      "random",
      "row-stationary by rule",
      `found at ${Math.max(...experiment.bitWidths)} bit`,
      "energy, µJ",
      "latency, ms",
      "file",
      "its accuracy, %",
      "ours, %",
    ],
    rows: experiment.bitWidths.map((bits) => {
      const { searched, random, rowStationary, unswitched, energyPj, latencyMs } = deployment.mappings[`${bits}`]!;
      const { form, accuracy, ours } = deployment.files[`${bits}`]!;
      const figures = [searched, random, rowStationary, unswitched, energyPj * 1e-6, latencyMs].map((value) =>
        rounded(value, 4),
      );
      return [bits, ...figures, form, percent(accuracy), percent(ours)];
    }),
    note: "EDP of an image: layers one after another, energy times latency.",
  };
}

export function systemTable({ experiment, rule, found, deployment, foundDeployment }: Results): CardTable {
  const { bitWidths, seeds } = experiment;
  const row = (name: string, figures: TrainingFigures, edp: (bits: string) => number): (string | number)[] => [
    name,
    ...bitWidths.flatMap((bits) => [percent(figures.accuracies[`${bits}`]!), rounded(edp(`${bits}`), 4)]),
  ];
  const sp = rule("highest", seeds[0]!);
  return {
    title: "Accuracy against energy-delay product",
    columns: ["system", ...bitWidths.flatMap((bits) => [`accuracy at ${bits} bit, %`, `EDP at ${bits} bit, J·s`])],
    rows: [
      row("ResNet, SP, row-stationary by rule", sp, (bits) => deployment.mappings[bits]!.rowStationary),
      row(
        `ResNet, SP, mappings found at ${Math.max(...bitWidths)} bit`,
        sp,
        (bits) => deployment.mappings[bits]!.unswitched,
      ),
      row("ResNet, CDT, searched mappings", rule("cascade", seeds[0]!), (bits) => deployment.mappings[bits]!.searched),
      row("SP-NAS, CDT, searched mappings", found, (bits) => foundDeployment.mappings[bits]!.searched),
    ],
    note: `Seed ${seeds[0]}.`,
  };
}
