import { inputError } from "@dovetail/core";
import { cellDigits, cellEdges, cellOperators, liveEdges } from "../spaces/cell.js";
import { type CellDataset, cellDatasets, stageChannels } from "../spaces/cell-network.js";
import { type FbnetDataset, fbnetDatasets, fbnetKeys } from "../spaces/fbnet.js";
import type { HardwareBenchmark } from "../tables/benchmark.js";
import { type CellBenchmark, withCosts } from "../tables/cell-benchmark.js";
import { fbnetSumOf } from "../tables/fbnet-benchmark.js";
import { devices } from "../tables/metrics.js";

/** Latency of an operator on a device. */
export interface OperatorTime {
  readonly medianMs: number;
  /** Quartiles of the repeats. */
  readonly quartilesMs: readonly [number, number];
  readonly repeats: number;
}

/** A whole network that was measured beside the sum of its operators. */
export interface MeasuredNetwork {
  readonly architecture: string;
  readonly measuredMs: number;
  readonly predictedMs: number;
}

/** A device by its operators: what `dovetail hwnas measure` writes. */
export interface DeviceTable {
  readonly format: "dovetail-device-table";
  readonly version: 1;
  /** Lower-case letters, digits and hyphens; no name of HW-NAS-Bench's devices. */
  readonly device: string;
  readonly space: "nas-bench-201" | "fbnet";
  readonly dataset: string;
  /** Under which conditions, for people. */
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly operators: Readonly<Record<string, OperatorTime>>;
  readonly networks: readonly MeasuredNetwork[];
}

/** The operators that a table of NAS-Bench-201 has an entry for in each stage; the identity costs nothing. */
export const measuredCellOperators = ["nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "add", "relu"] as const;

/** Keys of a table. */
export function deviceKeys(space: DeviceTable["space"], dataset: string): string[] {
  if (space === "nas-bench-201") {
    const stages = stageChannels.flatMap((_, stage) =>
      measuredCellOperators.map((operator) => `stage${stage}.${operator}`),
    );
    return ["stem", ...stages, "reduction1", "reduction2", "head"];
  }
  const { stem, positions, header, pool, classifier } = fbnetKeys(dataset as FbnetDataset);
  return [...new Set([stem, ...positions.flat(), header, pool, classifier])];
}

/** What a device's metric is called. */
export function deviceMetric({ device }: Pick<DeviceTable, "device">): string {
  return `${device}_latency`;
}

/**
 * The benchmark with a device's latencies among its costs: sums over the operators. Of NAS-Bench-201 only edges whose
 * result reaches the output are counted, an addition for every further edge into a node, and the ReLUs in front of
 * convolutions that a runtime cannot fuse into the convolution before.
 */
export function withDevice(benchmark: HardwareBenchmark, table: DeviceTable): HardwareBenchmark {
  const metric = deviceMetric(table);
  if (table.space === "nas-bench-201") {
    const costs = new Map([[metric, cellLatencies(benchmark.cells, table)]]);
    return { ...benchmark, cells: withCosts(benchmark.cells, { [table.dataset]: costs }) };
  }
  const { fbnet } = benchmark;
  const dataset = table.dataset as FbnetDataset;
  const times = new Map(Object.entries(table.operators).map(([key, { medianMs }]) => [key, medianMs]));
  const sums = new Map([...fbnet.sums[dataset], [metric, fbnetSumOf(dataset, times, metric)]]);
  return { ...benchmark, fbnet: { ...fbnet, sums: { ...fbnet.sums, [dataset]: sums } } };
}

function cellLatencies({ codes }: CellBenchmark, { operators }: DeviceTable): Float64Array {
  const of = (key: string): number => operators[key]!.medianMs;
  const fixed = of("stem") + of("reduction1") + of("reduction2") + of("head");
  // Five equal cells in each of the stages.
  const perCell = (operator: string): number =>
    5 * stageChannels.reduce((sum, _, stage) => sum + of(`stage${stage}.${operator}`), 0);
  const prices = cellOperators.map((name) => (name === "none" || name === "skip_connect" ? 0 : perCell(name)));
  const [addition, activation] = [perCell("add"), perCell("relu")];
  return Float64Array.from(codes, (code) => {
    const digits = cellDigits(code);
    const live = liveEdges(code);
    const nodes = new Set(live.map((edge) => cellEdges[edge]![1]));
    const extra = addition * (live.length - nodes.size) + activation * separateActivations(digits, live);
    return live.reduce((sum, edge) => sum + prices[digits[edge]!]!, fixed + extra);
  });
}

/**
 * ReLUs of a cell that stand by themselves. A value has one ReLU for all convolutions that read it; it is part of the
 * convolution before where that alone makes the value, and nothing else reads it. A cell's input is made as its output is.
 */
function separateActivations(digits: readonly number[], live: readonly number[]): number {
  const isConvolution = (edge: number): boolean => cellOperators[digits[edge]!]!.startsWith("nor_conv");
  return [0, 1, 2].filter((node) => {
    const readers = live.filter((edge) => cellEdges[edge]![0] === node);
    const makers = live.filter((edge) => cellEdges[edge]![1] === (node === 0 ? 3 : node));
    const isFused = readers.length === 1 && makers.length === 1 && isConvolution(makers[0]!);
    return readers.some(isConvolution) && !isFused;
  }).length;
}

/** A table from its text. Throws the input error `bad_device_table`, which names the field. */
export function parseDeviceTable(text: string): DeviceTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse([], "JSON", (error as Error).message);
  }
  const table = recordAt(value, []);
  if (table.format !== "dovetail-device-table" || table.version !== 1) {
    const { format, version } = table;
    const received = format === undefined ? "no format" : `${String(format)}, version ${String(version)}`;
    throw refuse(["format"], "dovetail-device-table, version 1", received);
  }
  const device = checkDeviceName(table.device, ["device"]);
  const { space } = table;
  if (space !== "nas-bench-201" && space !== "fbnet") throw refuse(["space"], "nas-bench-201 or fbnet", String(space));
  const datasets: Readonly<Record<string, unknown>> = space === "fbnet" ? fbnetDatasets : cellDatasets;
  const dataset = String(table.dataset);
  if (!Object.hasOwn(datasets, dataset)) throw refuse(["dataset"], Object.keys(datasets).join(", "), dataset);
  const times = recordAt(table.operators, ["operators"]);
  const keys = deviceKeys(space, dataset as CellDataset);
  const operators = Object.fromEntries(keys.map((key) => [key, operatorTime(times[key], ["operators", key])]));
  const networks = listAt(table.networks, ["networks"]).map(networkOf);
  const conditions = recordAt(table.conditions, ["conditions"]) as Record<string, string | number>;
  return { format: "dovetail-device-table", version: 1, device, space, dataset, conditions, operators, networks };
}

/** The name if a device may have it. Throws `bad_device_table`. */
export function checkDeviceName(name: unknown, path: readonly string[]): string {
  if (typeof name !== "string" || !/^[a-z][a-z0-9-]{0,63}$/.test(name) || Object.hasOwn(devices, name)) {
    const others = Object.keys(devices).join(", ");
    throw refuse(path, `lower-case letters, digits and hyphens, none of ${others}`, String(name));
  }
  return name;
}

function operatorTime(value: unknown, path: readonly string[]): OperatorTime {
  const { medianMs, quartilesMs, repeats } = recordAt(value, path);
  const quartiles = listAt(quartilesMs, [...path, "quartilesMs"]);
  return {
    medianMs: timeAt(medianMs, [...path, "medianMs"]),
    quartilesMs: [
      timeAt(quartiles[0], [...path, "quartilesMs", "0"]),
      timeAt(quartiles[1], [...path, "quartilesMs", "1"]),
    ],
    repeats: timeAt(repeats, [...path, "repeats"]),
  };
}

function networkOf(value: unknown, index: number): MeasuredNetwork {
  const path = ["networks", String(index)];
  const { architecture, measuredMs, predictedMs } = recordAt(value, path);
  if (typeof architecture !== "string") throw refuse([...path, "architecture"], "a text", typeof architecture);
  return {
    architecture,
    measuredMs: timeAt(measuredMs, [...path, "measuredMs"]),
    predictedMs: timeAt(predictedMs, [...path, "predictedMs"]),
  };
}

function recordAt(value: unknown, path: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refuse(path, "an object", value === undefined ? "nothing" : JSON.stringify(value).slice(0, 40));
}

function listAt(value: unknown, path: readonly string[]): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw refuse(path, "a list", value === undefined ? "nothing" : JSON.stringify(value).slice(0, 40));
}

function timeAt(value: unknown, path: readonly string[]): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw refuse(path, "a number of at least 0", value === undefined ? "nothing" : JSON.stringify(value).slice(0, 40));
}

function refuse(path: readonly string[], expected: string, received: string): Error {
  return inputError("bad_device_table", "this is no table of a device's operators", { path, expected, received });
}
