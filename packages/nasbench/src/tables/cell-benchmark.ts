import { inputError } from "@dovetail/core";
import { cellCount } from "../spaces/cell.js";
import { type CellDataset, cellDatasets } from "../spaces/cell-network.js";
import type { ColumnFile } from "./columns.js";
import { type MetricName, metricNames } from "./metrics.js";

/** NAS-Bench-201 by HW-NAS-Bench's index: architectures, costs, accuracies. Values that are not there are NaN. */
export interface CellBenchmark {
  readonly space: "nas-bench-201";
  /** Code of the network at each index. */
  readonly codes: Uint16Array;
  /** Index of the network with each code. */
  readonly indexOfCode: Uint16Array;
  /** Costs by data set and metric, ms or mJ. */
  readonly costs: Readonly<Record<CellDataset, ReadonlyMap<string, Float64Array>>>;
  /** Trained accuracies by data set, percent, mean over the trained seeds of 200 epochs. */
  readonly accuracies: Readonly<Record<CellDataset, CellAccuracies>>;
}

export interface CellAccuracies {
  readonly test: Float64Array;
  /** What a search may look at. CIFAR-10's training on half of the data is not in the bundled tables. */
  readonly validation?: Float64Array | undefined;
  readonly trainSecondsPerEpoch?: Float64Array | undefined;
}

/** NAS-Bench-201's tables from their file. Throws the input error `bad_table_file`. */
export function cellBenchmark({ facts, columns }: ColumnFile): CellBenchmark {
  const column = <T>(name: string, kind: new (length: number) => T): T | undefined => {
    const values = columns.get(name);
    if (values === undefined) return undefined;
    if (!(values instanceof kind)) throw refuse(`another type of column ${name}`, values.constructor.name);
    return values;
  };
  if (facts.content !== "nas-bench-201") throw refuse("tables of nas-bench-201", String(facts.content));
  const codes = column("architecture", Uint16Array);
  if (codes === undefined) throw refuse("a column architecture", "none");
  const indexOfCode = inverse(codes);
  const subset = column("subset", Uint16Array);
  const costs = {} as Record<CellDataset, Map<string, Float64Array>>;
  const accuracies = {} as Record<CellDataset, CellAccuracies>;
  for (const dataset of Object.keys(cellDatasets) as CellDataset[]) {
    costs[dataset] = new Map();
    for (const metric of metricNames) {
      const whole = column(`${dataset}/${metric}`, Float64Array);
      const part = column(`subset/${dataset}/${metric}`, Float64Array);
      if (whole !== undefined) costs[dataset].set(metric, requireLength(whole, cellCount, metric));
      else if (part !== undefined && subset !== undefined) costs[dataset].set(metric, spread(part, subset, metric));
    }
    const test = column(`${dataset}/test_accuracy`, Float64Array);
    const full = column(`${dataset}/full_test_accuracy`, Float64Array);
    // CIFAR-100's epoch takes CIFAR-10's seconds in the source.
    const seconds = column(`${dataset === "cifar100" ? "cifar10" : dataset}/train_seconds_per_epoch`, Float64Array);
    accuracies[dataset] = {
      test: test ?? new Float64Array(cellCount).fill(Number.NaN),
      // The benchmark cuts the test set in two halves, one for validation.
      validation: test && full?.map((value, index) => 2 * value - test[index]!),
      trainSecondsPerEpoch: seconds,
    };
  }
  return { space: "nas-bench-201", codes, indexOfCode, costs, accuracies };
}

/** The same benchmark with other costs: those of an import. Metrics that are not given stay as they are. */
export function withCosts(
  benchmark: CellBenchmark,
  costs: Readonly<Partial<Record<CellDataset, ReadonlyMap<string, Float64Array>>>>,
): CellBenchmark {
  const merged = {} as Record<CellDataset, ReadonlyMap<string, Float64Array>>;
  for (const dataset of Object.keys(cellDatasets) as CellDataset[]) {
    merged[dataset] = new Map([...benchmark.costs[dataset], ...(costs[dataset] ?? [])]);
  }
  return { ...benchmark, costs: merged };
}

function inverse(codes: Uint16Array): Uint16Array {
  const indexOfCode = new Uint16Array(cellCount).fill(cellCount);
  for (const [index, code] of codes.entries()) {
    if (code >= cellCount || indexOfCode[code] !== cellCount) throw refuse("every architecture once", `code ${code}`);
    indexOfCode[code] = index;
  }
  requireLength(codes, cellCount, "architecture");
  return indexOfCode;
}

function requireLength<T extends { readonly length: number }>(values: T, length: number, name: string): T {
  if (values.length !== length) throw refuse(`${length} values of ${name}`, `${values.length}`);
  return values;
}

function spread(values: Float64Array, indices: Uint16Array, metric: MetricName): Float64Array {
  requireLength(values, indices.length, metric);
  const whole = new Float64Array(cellCount).fill(Number.NaN);
  for (const [row, index] of indices.entries()) whole[index] = values[row]!;
  return whole;
}

function refuse(expected: string, received: string): Error {
  return inputError("bad_table_file", "this is no file of NAS-Bench-201's tables", { expected, received });
}
