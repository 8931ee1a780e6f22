import { createRandomStream } from "@dovetail/core";
import type { Architecture } from "@dovetail/hardware";
import {
  cellDatasetNamed,
  cellOperators,
  fbnetDatasetNamed,
  fbnetTotal,
  type LayerPrice,
  mappedModel,
  modelledCellPrices,
  modelledFbnetSum,
  operatorCounts,
  type PoolingCharge,
  type PricedMetric,
  parseCell,
  parseFbnet,
  poolingCharges,
  type SpaceName,
} from "@dovetail/nasbench";
import { type Command, Option } from "commander";
import { wholeNumber } from "../define.js";

export interface ModelOptions {
  readonly pooling: PoolingCharge;
  readonly evaluations: number;
  readonly seed: number;
}

/** Adds the options of costs by our models. */
export function withModelOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--pooling <charge>", "what our models charge a pooling as")
        .choices([...poolingCharges])
        .default("moved"),
    )
    .option("--evaluations <n>", "mappings evaluated for each distinct layer", wholeNumber(1), 1000);
}

/** The cost of a network on an accelerator, every layer mapped by itself; layers are mapped once. */
export function costOnArchitecture(
  architecture: Architecture,
  { pooling, evaluations, seed }: ModelOptions,
  signal: AbortSignal,
): (space: SpaceName, text: string, dataset: string) => LayerPrice {
  const model = mappedModel(architecture, { random: createRandomStream(seed), evaluations, signal });
  const cellTotal = (text: string, dataset: string, metric: PricedMetric): number => {
    const { fixed, operators } = modelledCellPrices(model, cellDatasetNamed(dataset), { pooling }, metric);
    const counts = operatorCounts(parseCell(text));
    return counts.reduce((sum, count, digit) => sum + count * operators[cellOperators[digit]!], fixed);
  };
  const fbnetCost = (text: string, dataset: string, metric: PricedMetric): number =>
    fbnetTotal(modelledFbnetSum(model, fbnetDatasetNamed(dataset), { pooling }, metric), parseFbnet(text));
  return (space, text, dataset) => {
    const total = space === "fbnet" ? fbnetCost : cellTotal;
    return { latencyMs: total(text, dataset, "latencyMs"), energyMj: total(text, dataset, "energyMj") };
  };
}
