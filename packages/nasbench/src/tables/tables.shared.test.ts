import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { canonicalCell, formatCell } from "../spaces/cell.js";
import { bundledBenchmark } from "../testing/bundled.js";

const shared = process.env.DOVETAIL_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));

function load(path: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(join(shared, "data", path))).toString());
}

const { cells, fbnet } = await bundledBenchmark();

it("holds the reference's architectures and canonical forms, all 15,625", () => {
  const strings = readFileSync(join(shared, "data/hw-nas-bench/nasbench201-architectures.txt"), "utf8")
    .trim()
    .split("\n");
  const unique = load("nas-bench-201/unique-strings.json.gz") as string[];
  expect(strings.length).toBe(15_625);
  for (const [index, code] of cells.codes.entries()) {
    expect(formatCell(code)).toBe(strings[index]);
    expect(canonicalCell(code)).toBe(unique[index]);
  }
});

it("holds the reference's latencies to the last bit, 15,625 × 4 devices", () => {
  const reference = load("hw-nas-bench/nasbench201-cifar10-latency-ms.json.gz") as Record<string, number[]>;
  expect(Object.keys(reference).length).toBe(4);
  for (const [device, values] of Object.entries(reference)) {
    expect([...cells.costs.cifar10.get(`${device}_latency`)!]).toEqual(values);
  }
});

it("holds the 1,999 latencies of Edge GPU and Edge TPU", () => {
  const subset = load("hw-nas-bench/nasbench201-cifar10-subset1999-latency-ms.json.gz") as {
    index: number[];
    latencyMs: Record<string, (number | null)[]>;
  };
  for (const device of ["edgegpu", "edgetpu"]) {
    const values = cells.costs.cifar10.get(`${device}_latency`)!;
    expect(subset.index.map((index) => values[index])).toEqual(
      subset.latencyMs[device]!.map((value) => value ?? Number.NaN),
    );
  }
});

it("holds the reference's accuracies and validation accuracies", () => {
  const test = load("nas-bench-201/test-accuracy-200-epochs.json.gz") as Record<string, number[]>;
  const full = load("nas-bench-201/full-test-accuracy-and-training-time.json.gz") as Record<
    string,
    Record<string, number[]>
  >;
  for (const dataset of ["cifar10", "cifar100", "ImageNet16-120"] as const) {
    const ours = cells.accuracies[dataset];
    expect([...ours.test]).toEqual(test[dataset]);
    expect([...ours.trainSecondsPerEpoch!]).toEqual(full[dataset]!.trainSecondsPerEpoch);
    if (dataset === "cifar10") continue;
    const validation = full[dataset]!.fullTestAccuracyPercent!.map(
      (value, index) => 2 * value - test[dataset]![index]!,
    );
    expect([...ours.validation!]).toEqual(validation);
  }
});

it("holds the reference's operator tables and sampled networks", () => {
  const { metrics } = load("hw-nas-bench/fbnet-operator-tables.json.gz") as {
    metrics: Record<string, Record<string, number>>;
  };
  expect(Object.fromEntries([...fbnet.tables].map(([metric, table]) => [metric, Object.fromEntries(table)]))).toEqual(
    metrics,
  );
  const samples = load("hw-nas-bench/fbnet-samples.json.gz") as {
    architectures: number[][];
    latencyMs: Record<string, number[]>;
  };
  expect([...fbnet.samples!.operators]).toEqual(samples.architectures.flat());
  for (const [metric, values] of fbnet.samples!.latencies) {
    expect([...values]).toEqual(samples.latencyMs[metric.replace("_latency", "")]);
  }
});
