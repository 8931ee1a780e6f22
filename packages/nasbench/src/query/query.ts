import { inputError, nearestWord } from "@dovetail/core";
import { canonicalCell, cellCodeOf, cellCount, cellOperators, formatCell, parseCell } from "../spaces/cell.js";
import {
  type CellDataset,
  cellDatasets,
  cellMacs,
  cellParameters,
  cellsPerStage,
  stageChannels,
} from "../spaces/cell-network.js";
import {
  checkFbnet,
  type FbnetDataset,
  fbnetDatasets,
  fbnetOperators,
  formatFbnet,
  parseFbnet,
} from "../spaces/fbnet.js";
import { fbnetMacs, fbnetParameters } from "../spaces/fbnet-network.js";
import { type HardwareBenchmark, unknownName } from "../tables/benchmark.js";
import type { CellBenchmark } from "../tables/cell-benchmark.js";
import { type FbnetBenchmark, fbnetTotal } from "../tables/fbnet-benchmark.js";
import {
  type DeviceName,
  devices,
  metricNames,
  metricUnit,
  type PublishedFault,
  publishedFaults,
} from "../tables/metrics.js";

export const spaceNames = ["nas-bench-201", "fbnet"] as const;

export type SpaceName = (typeof spaceNames)[number];

/** One cost of one network. */
export interface NetworkCostEntry {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly provenance: "measured" | "estimated" | "sum of blocks";
}

/** What is known of a network. */
export interface NetworkEntry {
  readonly space: SpaceName;
  readonly dataset: string;
  /** HW-NAS-Bench's index; FBNet's networks have none. */
  readonly index?: number | undefined;
  readonly architecture: string;
  /** Equal for isomorphic cells. */
  readonly canonical?: string | undefined;
  readonly macs: number;
  readonly parameters: number;
  readonly costs: readonly NetworkCostEntry[];
  /** Metrics of HW-NAS-Bench that these tables have no value of for this network. */
  readonly missing: readonly string[];
  /** Product of the latencies and energies, as the authors' API gives it; absent unless all are there. */
  readonly averageHwMetric?: number | undefined;
  readonly accuracyPercent?: { readonly test: number; readonly validation?: number | undefined } | undefined;
  /** Known faults of the published data among these costs. */
  readonly faults: readonly PublishedFault[];
}

/** The data set of that name. Throws `unknown_data_set`, which says what exists. */
export function cellDatasetNamed(name: string): CellDataset {
  if (Object.hasOwn(cellDatasets, name)) return name as CellDataset;
  throw unknownName("data set", name, Object.keys(cellDatasets), "of the space nas-bench-201");
}

/** The data set of that name. Throws `unknown_data_set`, which says what exists. */
export function fbnetDatasetNamed(name: string): FbnetDataset {
  if (Object.hasOwn(fbnetDatasets, name)) return name as FbnetDataset;
  throw unknownName("data set", name, Object.keys(fbnetDatasets), "of the space fbnet");
}

/**
 * Index of a NAS-Bench-201 network: an index, an architecture string, or six operators (names or 0–4 in the order of
 * `cellOperators`) separated by commas. Throws `bad_architecture`, `unknown_network`.
 */
export function cellIndexOf(benchmark: CellBenchmark, architecture: number | string): number {
  if (typeof architecture === "number") return checkIndex(architecture);
  const text = architecture.trim();
  if (/^-?\d+$/.test(text)) return checkIndex(Number(text));
  const isList = !text.includes("|") && text.includes(",");
  return benchmark.indexOfCode[isList ? cellCodeOf(operatorList(text)) : parseCell(text)]!;
}

function operatorList(text: string): number[] {
  const words = text
    .replace(/^\s*\[|\]\s*$/g, "")
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  if (words.length !== 6) {
    throw inputError("bad_architecture", "a NAS-Bench-201 architecture as a list", {
      expected: "six operators, of the edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3",
      received: `${words.length}`,
    });
  }
  return words.map((word) => {
    const digit = /^[0-4]$/.test(word) ? Number(word) : cellOperators.indexOf(word as (typeof cellOperators)[number]);
    if (digit >= 0) return digit;
    const near = nearestWord(word, cellOperators);
    throw inputError("bad_architecture", "an operator of a NAS-Bench-201 architecture", {
      expected: `one of ${cellOperators.map((name, index) => `${index} ${name}`).join(", ")}`,
      received: `"${word}"`,
      hint: near === undefined ? undefined : `did you mean ${near}?`,
    });
  });
}

function checkIndex(index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < cellCount) return index;
  throw inputError("unknown_network", "no network of NAS-Bench-201 has this index", {
    expected: `0 to ${cellCount - 1}, an architecture string, or six operators`,
    received: `${index}`,
  });
}

/** One cost of a NAS-Bench-201 network; NaN where the tables have none. Throws `unknown_metric`. */
export function cellCost(benchmark: CellBenchmark, index: number, dataset: CellDataset, metric: string): number {
  return cellCosts(benchmark, dataset, metric)[index]!;
}

/** A metric of all 15,625 networks; NaN where the tables have none. Throws `unknown_metric`. */
export function cellCosts(benchmark: CellBenchmark, dataset: CellDataset, metric: string): Float64Array {
  const costs = benchmark.costs[dataset].get(metric);
  if (costs !== undefined) return costs;
  const isKnown = (metricNames as readonly string[]).includes(metric);
  throw unknownName(
    "metric",
    `${metric} on ${dataset}`,
    [...benchmark.costs[dataset].keys()],
    isKnown ? "it is not among the bundled tables: import the authors' pickle" : undefined,
  );
}

/** One cost of an FBNet network: the sum of its blocks. Throws `unknown_metric`, `bad_architecture`. */
export function fbnetCost(
  benchmark: FbnetBenchmark,
  operators: readonly number[],
  dataset: FbnetDataset,
  metric: string,
): number {
  const sum = benchmark.sums[dataset].get(metric);
  if (sum === undefined) throw unknownName("metric", metric, benchmark.sums[dataset].keys(), "of the space fbnet");
  return fbnetTotal(sum, checkFbnet(operators));
}

/** All that is known of a network. Throws `bad_architecture`, `unknown_network`, `unknown_data_set`. */
export function queryNetwork(
  benchmark: HardwareBenchmark,
  space: SpaceName,
  architecture: number | string,
  dataset: string,
): NetworkEntry {
  return space === "fbnet"
    ? queryFbnet(benchmark.fbnet, parseFbnet(`${architecture}`), fbnetDatasetNamed(dataset))
    : queryCell(benchmark.cells, cellIndexOf(benchmark.cells, architecture), cellDatasetNamed(dataset));
}

function queryCell(benchmark: CellBenchmark, index: number, dataset: CellDataset): NetworkEntry {
  const code = benchmark.codes[index]!;
  const { test, validation } = benchmark.accuracies[dataset];
  const costs: NetworkCostEntry[] = [];
  const missing: string[] = [];
  for (const metric of [...metricNames, ...otherMetrics(benchmark.costs[dataset].keys())]) {
    const value = benchmark.costs[dataset].get(metric)?.[index] ?? Number.NaN;
    if (Number.isNaN(value)) missing.push(metric);
    else costs.push({ metric, value, unit: metricUnit(metric), provenance: provenanceOf(metric) });
  }
  return {
    space: "nas-bench-201",
    dataset,
    index,
    architecture: formatCell(code),
    canonical: canonicalCell(code),
    macs: cellMacs(code, dataset),
    parameters: cellParameters(code, dataset),
    costs,
    missing,
    averageHwMetric: missing.length === 0 ? averageHwMetric(costs) : undefined,
    accuracyPercent: Number.isNaN(test[index]!) ? undefined : { test: test[index]!, validation: validation?.[index] },
    faults: faultsOf("nas-bench-201", costs),
  };
}

function queryFbnet(benchmark: FbnetBenchmark, operators: readonly number[], dataset: FbnetDataset): NetworkEntry {
  const costs = [...benchmark.sums[dataset]].map(
    ([metric, sum]): NetworkCostEntry => ({
      metric,
      value: fbnetTotal(sum, operators),
      unit: metricUnit(metric),
      provenance: "sum of blocks",
    }),
  );
  return {
    space: "fbnet",
    dataset,
    architecture: formatFbnet(operators),
    macs: fbnetMacs(operators, dataset),
    parameters: fbnetParameters(operators, dataset),
    costs,
    missing: [],
    averageHwMetric: averageHwMetric(costs),
    faults: faultsOf("fbnet", costs),
  };
}

/** Metrics that an import or a measurement adds. */
function otherMetrics(names: Iterable<string>): string[] {
  return [...names].filter((name) => !(metricNames as readonly string[]).includes(name));
}

function provenanceOf(metric: string): NetworkCostEntry["provenance"] {
  const device = metric.split("_")[0]!;
  return Object.hasOwn(devices, device) ? devices[device as DeviceName].provenance : "sum of blocks";
}

/** The authors' `average_hw_metric`: a product of figures in different units, kept for compatibility alone. */
function averageHwMetric(costs: readonly NetworkCostEntry[]): number {
  return costs
    .filter(({ metric }) => (metricNames as readonly string[]).includes(metric) && !metric.endsWith("_intensity"))
    .reduce((product, { value }) => product * value, 1);
}

/** Known faults among the given metrics of a space. */
export function faultsOf(space: SpaceName, costs: readonly { readonly metric: string }[]): PublishedFault[] {
  const named = new Set(costs.map(({ metric }) => metric));
  return publishedFaults.filter((fault) => fault.space === space && fault.metrics.some((metric) => named.has(metric)));
}

/** A network's configuration as the authors' `get_net_config` gives it. */
export function networkConfig(
  benchmark: HardwareBenchmark,
  space: SpaceName,
  architecture: number | string,
  dataset: string,
): Readonly<Record<string, unknown>> {
  if (space === "fbnet") {
    const operators = parseFbnet(`${architecture}`);
    const { classCount } = fbnetDatasets[fbnetDatasetNamed(dataset)];
    const names = operators.map((operator) => fbnetOperators[operator]!.name);
    return { dataset, num_classes: classCount, op_idx_list: operators, arch_str: names };
  }
  const index = cellIndexOf(benchmark.cells, architecture);
  const { classCount } = cellDatasets[cellDatasetNamed(dataset)];
  return {
    name: "infer.tiny",
    C: stageChannels[0],
    N: cellsPerStage,
    arch_str: formatCell(benchmark.cells.codes[index]!),
    num_classes: classCount,
  };
}
