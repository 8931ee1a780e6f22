import type { CardTable } from "../../reproduction/card.js";
import { percent, rounded } from "../../reproduction/claims.js";
import { type BaselineName, baselineNames, machineNames } from "./machines.js";
import { type Figure, geometricMean, type OwnResult, type Results, ratio } from "./result.js";
import { zeroRows } from "./statistics.js";
import { variants } from "./variants.js";

/** Of the first seed. */
export function studyTables(results: Results): readonly CardTable[] {
  const tables = [
    ratioTable(results, "energyPj", "Energy, a baseline's over SmartExchange's (published: up to 6.7)"),
    ratioTable(results, "latencyCycles", "Time, a baseline's over SmartExchange's (published: up to 19.2)"),
    absoluteTable(results, "µJ an image", ({ energyPj }) => energyPj * 1e-6),
    absoluteTable(results, "thousand cycles an image", ({ latencyCycles }) => latencyCycles * 1e-3),
    partsTable(results),
    waitingTable(results),
  ];
  return results.variants.length === 0 ? tables : [...tables, variantTable(results)];
}

/** Networks that were compressed here: nothing of them is assumed. */
export function ownTable(results: readonly OwnResult[]): CardTable {
  const over = (result: OwnResult, baseline: BaselineName, figure: Figure): number =>
    rounded(result.costs[baseline]![figure] / result.costs.SmartExchange![figure], 3);
  return {
    title: "Networks compressed here, on the accelerators: a baseline's cost over SmartExchange's",
    columns: ["network", "of", ...baselineNames],
    rows: results.flatMap((result) => [
      [result.network, "energy", ...baselineNames.map((name) => over(result, name, "energyPj"))],
      [result.network, "time", ...baselineNames.map((name) => over(result, name, "latencyCycles"))],
    ]),
    note: results
      .map(
        (each) =>
          `${each.network}: means of the layers, zero weights ${percent(each.weightZeroFraction)} %, zero rows of weights ${percent(each.zeroRowsOfWeights)} %, zero activations ${percent(each.activationZeroFraction)} %, zero rows of activations ${percent(each.zeroRowsOfActivations)} %; SmartExchange ${rounded(each.costs.SmartExchange!.energyPj * 1e-6, 4)} µJ and ${rounded(each.costs.SmartExchange!.latencyCycles * 1e-3, 4)} thousand cycles an image.`,
      )
      .join(" "),
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
    columns: ["network", "rows zeroed, %", ...baselineNames],
    rows: results.networks.map((network) => [
      network,
      percent(zeroRows[network]),
      ...baselineNames.map((baseline) => rounded(ratio(results, baseline, network, figure), 3)),
    ]),
    note:
      behind.length === 0
        ? "SmartExchange is first everywhere."
        : `SmartExchange is not first: behind ${behind.join(", ")}.`,
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
  const factor = (name: string, figure: Figure): number =>
    geometricMean(
      results.networks.map(
        (network) => results.variant(name, network)[figure] / results.at("SmartExchange", network, seed!)[figure],
      ),
    );
  return {
    title:
      "SmartExchange's machine with one thing changed: its cost over the whole machine's, geometric means of the networks",
    columns: ["changed", "kind", "energy", "time"],
    rows: results.variants.map((name) => {
      const { title, kind } = variants[name as keyof typeof variants];
      return [
        title,
        kind === "ablation" ? "switched off" : "other assumption",
        rounded(factor(name, "energyPj"), 3),
        rounded(factor(name, "latencyCycles"), 3),
      ];
    }),
  };
}
