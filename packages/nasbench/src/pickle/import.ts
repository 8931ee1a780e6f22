import { inputError } from "@dovetail/core";
import { formatCell } from "../spaces/cell.js";
import { cellDatasets } from "../spaces/cell-network.js";
import { type BenchmarkColumns, benchmarkOfColumns, type HardwareBenchmark } from "../tables/benchmark.js";
import type { Column, ColumnFile } from "../tables/columns.js";
import { fbnetMetricNames, metricNames } from "../tables/metrics.js";
import type { BenchmarkCheck } from "../verify/check.js";
import { verifyBenchmark } from "../verify/verify.js";
import { readPickle } from "./read-pickle.js";
import { isNumpyArray, type PickleValue } from "./values.js";

// HW-NAS-Bench-v1_0.pickle: space → data set → metric → 15,625 numbers and config → the networks' configurations; for
// FBNet space → metric → operator key → number (README of ../shared/data/hw-nas-bench).

export interface ImportedBenchmark {
  readonly benchmark: HardwareBenchmark;
  /** The bundled tables with the imported ones in their place, to be written. */
  readonly columns: BenchmarkColumns;
  /** What was imported, such as `cifar10 edgegpu_latency`, `fbnet raspi4_latency`. */
  readonly tables: readonly string[];
  /** The nine checks, and that what is in both files is equal. */
  readonly checks: readonly BenchmarkCheck[];
}

/**
 * Reads the authors' pickle beside the bundled tables, which give accuracies and architectures. Throws the input errors of
 * `readPickle`, and `bad_benchmark_pickle` where the pickle has another form.
 */
export function importPickle(bytes: Uint8Array, bundled: BenchmarkColumns): ImportedBenchmark {
  const known = benchmarkOfColumns(bundled);
  const root = mapAt(readPickle(bytes), ["the pickle"]);
  const cells = cellTables(root.get("nasbench201"), known);
  const fbnet = fbnetTables(root.get("fbnet"), bundled.fbnet);
  if (cells.size + fbnet.size === 0) {
    throw refuse(["the pickle"], "the spaces nasbench201 and fbnet", [...root.keys()].join(", ") || "nothing");
  }
  const columns = { cells: replaced(bundled.cells, cells), fbnet: replaced(bundled.fbnet, fbnet) };
  const benchmark = benchmarkOfColumns(columns);
  const tables = [
    ...[...cells.keys()].map((name) => name.replace("/", " ")),
    ...[...fbnet.keys()].map((name) => `fbnet ${name}`),
  ];
  return { benchmark, columns, tables, checks: verifyBenchmark(benchmark, known) };
}

function replaced(file: ColumnFile, columns: ReadonlyMap<string, Column>): ColumnFile {
  const kept = [...file.columns].filter(([name]) => !columns.has(name.replace(/^subset\//, "")));
  return { facts: file.facts, columns: new Map([...kept, ...columns]) };
}

function cellTables(space: PickleValue | undefined, known: HardwareBenchmark): Map<string, Float64Array> {
  const columns = new Map<string, Float64Array>();
  if (space === undefined) return columns;
  const { codes } = known.cells;
  for (const [dataset, tables] of mapAt(space, ["nasbench201"])) {
    const path = ["nasbench201", String(dataset)];
    if (!Object.hasOwn(cellDatasets, String(dataset))) {
      throw refuse(path, `one of ${Object.keys(cellDatasets).join(", ")}`, String(dataset));
    }
    const metrics = mapAt(tables, path);
    const config = metrics.get("config");
    if (config !== undefined) checkArchitectures(config, codes, [...path, "config"]);
    for (const metric of metricNames) {
      const values = metrics.get(metric);
      if (values !== undefined) columns.set(`${dataset}/${metric}`, numbersAt(values, codes.length, [...path, metric]));
    }
  }
  return columns;
}

/** The networks must be those of the bundled tables in their order: everything is joined by index. */
function checkArchitectures(config: PickleValue, codes: Uint16Array, path: readonly string[]): void {
  if (!Array.isArray(config) || config.length !== codes.length) {
    throw refuse(path, `a list of ${codes.length} configurations`, kindOf(config));
  }
  for (const [index, code] of codes.entries()) {
    const place = [...path, String(index), "arch_str"];
    const text = mapAt(config[index]!, place.slice(0, -1)).get("arch_str");
    if (text !== formatCell(code))
      throw refuse(place, formatCell(code), typeof text === "string" ? text : kindOf(text));
  }
}

function fbnetTables(space: PickleValue | undefined, bundled: ColumnFile): Map<string, Float64Array> {
  const columns = new Map<string, Float64Array>();
  if (space === undefined) return columns;
  const keys = bundled.facts.keys as readonly string[];
  const metrics = mapAt(space, ["fbnet"]);
  for (const metric of fbnetMetricNames) {
    const values = metrics.get(metric);
    if (values === undefined) continue;
    const table = mapAt(values, ["fbnet", metric]);
    columns.set(
      metric,
      Float64Array.from(keys, (key) => {
        const value = table.get(key);
        if (typeof value === "number" && Number.isFinite(value)) return value;
        throw refuse(["fbnet", metric, key], "a number", kindOf(value));
      }),
    );
  }
  return columns;
}

function mapAt(value: PickleValue, path: readonly string[]): ReadonlyMap<unknown, PickleValue> {
  if (value instanceof Map) return value;
  throw refuse(path, "a dictionary", kindOf(value));
}

function numbersAt(value: PickleValue, length: number, path: readonly string[]): Float64Array {
  const list = isNumpyArray(value) ? value.values : value;
  const isList = list instanceof Float64Array || Array.isArray(list);
  if (!isList || list.length !== length) throw refuse(path, `${length} numbers`, kindOf(value));
  return Float64Array.from(list as ArrayLike<PickleValue>, (item, index) => {
    if (typeof item === "number" && Number.isFinite(item)) return item;
    throw refuse([...path, String(index)], "a finite number", typeof item === "number" ? `${item}` : kindOf(item));
  });
}

function kindOf(value: PickleValue | undefined): string {
  if (value === undefined || value === null) return "nothing";
  if (isNumpyArray(value)) return `an array of shape ${value.shape.join(" × ")}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dictionary of ${value.size}`;
  return value instanceof Uint8Array ? `${value.length} bytes` : `a ${typeof value}`;
}

function refuse(path: readonly string[], expected: string, received: string): Error {
  return inputError("bad_benchmark_pickle", "this is not the form of HW-NAS-Bench's pickle", {
    path,
    expected,
    received,
  });
}
