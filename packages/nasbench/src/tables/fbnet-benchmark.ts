import { inputError } from "@dovetail/core";
import { type FbnetDataset, fbnetDatasets, fbnetKeys, fbnetPositionCount } from "../spaces/fbnet.js";
import type { ColumnFile } from "./columns.js";
import { fbnetMetricNames } from "./metrics.js";

/** FBNet's operator tables. The cost of a network is the sum of its layers' entries. */
export interface FbnetBenchmark {
  readonly space: "fbnet";
  /** Entries by metric, ms or mJ, then by the authors' key. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** The same, laid out for sums. */
  readonly sums: Readonly<Record<FbnetDataset, ReadonlyMap<string, FbnetSum>>>;
  /** Networks with independently stored latencies; absent from an import. */
  readonly samples?: FbnetSamples | undefined;
}

/** The terms of a metric for one data set. */
export interface FbnetSum {
  readonly stem: number;
  /** [position × 9 + operator]. */
  readonly blocks: Float64Array;
  readonly header: number;
  readonly pool: number;
  readonly classifier: number;
}

/** Networks of CIFAR-100 that the repository HayeonLee/HELP lists with their latencies. */
export interface FbnetSamples {
  readonly count: number;
  /** [sample × 22 + position]. */
  readonly operators: Uint8Array;
  /** By metric, ms. */
  readonly latencies: ReadonlyMap<string, Float64Array>;
}

/** FBNet's tables from their file. Throws the input error `bad_table_file`. */
export function fbnetBenchmark({ facts, columns }: ColumnFile): FbnetBenchmark {
  const keys = facts.keys;
  if (facts.content !== "fbnet" || !Array.isArray(keys)) {
    throw inputError("bad_table_file", "this is no file of FBNet's tables", {
      expected: "content fbnet with keys",
      received: String(facts.content),
    });
  }
  const tables = new Map<string, Map<string, number>>();
  for (const metric of fbnetMetricNames) {
    const values = columns.get(metric);
    if (values) tables.set(metric, new Map(keys.map((key, index) => [String(key), values[index]!])));
  }
  return { ...fbnetBenchmarkOf(tables), samples: samplesOf(columns) };
}

/** A benchmark of operator tables by metric. Throws `missing_operator` when a table lacks a key. */
export function fbnetBenchmarkOf(tables: ReadonlyMap<string, ReadonlyMap<string, number>>): FbnetBenchmark {
  const sums = {} as Record<FbnetDataset, ReadonlyMap<string, FbnetSum>>;
  for (const dataset of Object.keys(fbnetDatasets) as FbnetDataset[]) {
    sums[dataset] = new Map([...tables].map(([metric, table]) => [metric, fbnetSumOf(dataset, table, metric)]));
  }
  return { space: "fbnet", tables, sums };
}

/** The terms of a table, by the authors' keys, for a data set. Throws `missing_operator` when it lacks one. */
export function fbnetSumOf(dataset: FbnetDataset, table: ReadonlyMap<string, number>, metric: string): FbnetSum {
  const keys = fbnetKeys(dataset);
  const entry = (key: string): number => {
    const value = table.get(key);
    if (value !== undefined) return value;
    throw inputError("missing_operator", `the table of ${metric}`, { expected: `an entry ${key}`, received: "none" });
  };
  return {
    stem: entry(keys.stem),
    blocks: Float64Array.from(keys.positions.flat(), entry),
    header: entry(keys.header),
    pool: entry(keys.pool),
    classifier: entry(keys.classifier),
  };
}

function samplesOf(columns: ColumnFile["columns"]): FbnetSamples | undefined {
  const operators = columns.get("samples");
  if (!(operators instanceof Uint8Array)) return undefined;
  const latencies = new Map<string, Float64Array>();
  for (const metric of fbnetMetricNames) {
    const values = columns.get(`samples/${metric}`);
    if (values instanceof Float64Array) latencies.set(metric, values);
  }
  return { count: operators.length / fbnetPositionCount, operators, latencies };
}

/** The authors' sum, in their order and in double precision: stem, blocks, header, pool, classifier. */
export function fbnetTotal(sum: FbnetSum, operators: ArrayLike<number>, offset = 0): number {
  const { blocks } = sum;
  let total = sum.stem;
  for (let position = 0; position < fbnetPositionCount; position++) {
    total += blocks[position * 9 + operators[offset + position]!]!;
  }
  return total + sum.header + sum.pool + sum.classifier;
}
