import type { CardTable } from "../../reproduction/card.js";
import { percent, rounded } from "../../reproduction/claims.js";
import { baselineNames, machineNames, unstructuredNames } from "./machines.js";
import { type Figure, geometricMean, type OwnResult, type Results, ratio } from "./result.js";
import { zeroRows } from "./statistics.js";
import { type VariantName, variants } from "./variants.js";

/** Of the first seed, which each of them says where there are more. */
export function studyTables(results: Results): readonly CardTable[] {
  const tables: CardTable[] = [
    ratioTable(results, "energyPj", "Energy, a baseline's over SmartExchange's (published: up to 6.7)"),
    ratioTable(results, "latencyCycles", "Time, a baseline's over SmartExchange's (published: up to 19.2)"),
    absoluteTable(results, "µJ an image", ({ energyPj }) => energyPj * 1e-6),
    absoluteTable(results, "thousand cycles an image", ({ latencyCycles }) => latencyCycles * 1e-3),
    partsTable(results),
    waitingTable(results),
  ];
  if (results.variants.length > 0) tables.push(variantTable(results));
  if (results.seeds.length === 1) return tables;
  const ofWhich = "Of the first seed.";
  return tables.map((table) => ({ ...table, note: table.note === undefined ? ofWhich : `${table.note} ${ofWhich}` }));
}

/** Networks that were compressed here: nothing of their values is assumed. */
export function ownTables(results: readonly OwnResult[]): CardTable[] {
  return [ownRatioTable(results), ownZerosTable(results)];
}

function ownRatioTable(results: readonly OwnResult[]): CardTable {
  const figures = [
    ["energy", "energyPj"],
    ["time", "latencyCycles"],
  ] as const;
  return {
    title: "Networks compressed here, on the accelerators: a baseline's cost over SmartExchange's",
    columns: ["network", "the baselines run", "of", ...baselineNames],
    rows: results.flatMap(({ network, costs, pruned }) => {
      const over = (cost: { readonly [name in Figure]: number } | undefined, figure: Figure) =>
        cost === undefined ? null : rounded(cost[figure] / costs.SmartExchange[figure], 3);
      return [
        ...figures.map(([title, figure]) => [
          network,
          "SmartExchange's network",
          title,
          ...baselineNames.map((name) => over(costs[name], figure)),
        ]),
        ...(pruned === undefined
          ? []
          : figures.map(([title, figure]) => [
              network,
              "it pruned by magnitude",
              title,
              ...baselineNames.map((name) => over(pruned.costs[name as keyof typeof pruned.costs], figure)),
            ])),
      ];
    }),
    note: `SmartExchange runs its own network everywhere; in “…-shared” the filters in step share a pattern of zero rows. ${unstructuredNames.join(" and ")} are made for zeros anywhere: for them the rows “pruned by magnitude” count, the network at the same storage in 8 bit.`,
  };
}

function ownZerosTable(results: readonly OwnResult[]): CardTable {
  return {
    title: "Networks compressed here: what is zero, % (means of the layers)",
    columns: [
      "network",
      "weights",
      "rows of a filter",
      "rows in all filters in step",
      "activations",
      "rows of activations",
      "weights, pruned by magnitude",
      "SmartExchange, µJ",
      "thousand cycles",
    ],
    rows: results.map((each) => [
      each.network,
      percent(each.weightZeroFraction),
      percent(each.zeroRowsOfWeights),
      percent(each.zeroRowsInStep),
      percent(each.activationZeroFraction),
      percent(each.zeroRowsOfActivations),
      each.pruned === undefined ? null : percent(each.pruned.weightZeroFraction),
      rounded(each.costs.SmartExchange.energyPj * 1e-6, 4),
      rounded(each.costs.SmartExchange.latencyCycles * 1e-3, 4),
    ]),
    note: "64 slices, a filter each, work in step: a row saves their time, and its read from the input buffer, only where it is zero in all of them; where it is zero in one filter that slice's units and engines do not switch. Rows are pruned filter by filter here, which keeps more accuracy and hardly leaves a row that all slices can skip.",
  };
}

function ratioTable(results: Results, figure: Figure, title: string): CardTable {
  const behind = results.networks.flatMap((network) =>
    baselineNames.flatMap((baseline) => {
      const value = ratio(results, baseline, network, figure);
      return value < 1 ? [`${baseline} on ${network} (${rounded(value, 3)})`] : [];
    }),
  );
  return {
    title,
    columns: ["network", "rows zeroed (recalled), %", ...baselineNames],
    rows: results.networks.map((network) => [
      network,
      percent(zeroRows[network]),
      ...baselineNames.map((baseline) => rounded(ratio(results, baseline, network, figure), 3)),
    ]),
    note: `${
      behind.length === 0
        ? "SmartExchange is first everywhere."
        : `SmartExchange is not first: behind ${behind.join(", ")}.`
    } Shares of zero rows are recalled from the paper's tables, checked against nothing, and the same in all layers of a network.`,
  };
}

function absoluteTable(
  results: Results,
  title: string,
  figure: (of: { energyPj: number; latencyCycles: number }) => number,
): CardTable {
  const [seed] = results.seeds;
  return {
    title: `Whole networks: ${title}`,
    columns: ["network", "million products", ...machineNames],
    rows: results.networks.map((network) => [
      network,
      rounded(results.at("SmartExchange", network, seed!).macs * 1e-6, 4),
      ...machineNames.map((machine) => rounded(figure(results.at(machine, network, seed!)), 4)),
    ]),
  };
}

function partsTable(results: Results): CardTable {
  const [seed] = results.seeds;
  const all = results.networks.map((network) => results.at("SmartExchange", network, seed!));
  const names = [...new Set(all.flatMap(({ partsPj }) => Object.keys(partsPj)))];
  return {
    title: "SmartExchange's energy by part, %",
    columns: ["network", ...names],
    rows: all.map(({ network, partsPj, energyPj }) => [
      network,
      ...names.map((name) => rounded((100 * (partsPj[name] ?? 0)) / energyPj, 3)),
    ]),
    note: "Units: terms and index pairs. The weight buffer's part includes rebuilding.",
  };
}

function waitingTable(results: Results): CardTable {
  const [seed] = results.seeds;
  return {
    title: "Part of the time in layers that wait for a memory's port, %",
    columns: ["network", ...machineNames],
    rows: results.networks.map((network) => [
      network,
      ...machineNames.map((machine) => {
        const { waitingCycles, latencyCycles } = results.at(machine, network, seed!);
        const waiting = Object.values(waitingCycles).reduce((sum, cycles) => sum + cycles, 0);
        return rounded((100 * waiting) / latencyCycles, 3);
      }),
    ]),
    note: "SmartExchange's weight buffer is also its rebuild engines: what they cannot keep up with counts there.",
  };
}

function variantTable(results: Results): CardTable {
  const [seed] = results.seeds;
  const factor = (name: VariantName, figure: Figure): number =>
    geometricMean(
      results.networks.map(
        (network) => results.variant(name, network)[figure] / results.at(variants[name].of, network, seed!)[figure],
      ),
    );
  return {
    title: "Machines with one thing changed: the cost over the unchanged machine's, geometric means of the networks",
    columns: ["machine", "changed", "kind", "energy", "time"],
    rows: results.variants.map((name) => {
      const { of, title, kind } = variants[name];
      return [
        of,
        title,
        kind === "ablation" ? "switched off" : "other assumption",
        rounded(factor(name, "energyPj"), 3),
        rounded(factor(name, "latencyCycles"), 3),
      ];
    }),
  };
}
