import { describe, expect, it } from "vitest";
import { formatCell } from "../spaces/cell.js";
import { readBenchmark } from "../tables/benchmark.js";
import { readColumns, writeColumns } from "../tables/columns.js";
import { bundledBenchmark, bundledBytes } from "../testing/bundled.js";
import { accuracyCostFront, cheapestAbove, expectedBestOfRandom, frontVolume } from "./front.js";
import { cellCost, cellCosts, cellIndexOf, fbnetCost, networkConfig, queryNetwork } from "./query.js";

const benchmark = await bundledBenchmark();
const { cells, fbnet } = benchmark;

describe("queries", () => {
  it("give the published costs of network 0 by index, string and list", () => {
    const byIndex = queryNetwork(benchmark, "nas-bench-201", 0, "cifar10");
    expect(byIndex.costs.map(({ metric, value }) => [metric, value])).toEqual([
      ["raspi4_latency", 10.481976820010459],
      ["pixel3_latency", 3.6058499999999998],
      ["eyeriss_latency", 3.645620000000001],
      ["fpga_latency", 2.57296],
    ]);
    expect(byIndex.accuracyPercent).toEqual({ test: 85.86333333333334, validation: undefined });
    expect(queryNetwork(benchmark, "nas-bench-201", byIndex.architecture, "cifar10")).toEqual(byIndex);
    expect(queryNetwork(benchmark, "nas-bench-201", "4,2,1,2,1,1", "cifar10")).toEqual(byIndex);
    expect(queryNetwork(benchmark, "nas-bench-201", "avg_pool_3x3,2,1,2,1,1", "cifar10")).toEqual(byIndex);
    expect(byIndex.missing).toContain("edgegpu_latency");
    expect(byIndex.faults.map(({ code }) => code)).toEqual(["eyeriss_pooling", "outliers"]);
  });

  it("give FBNet's published totals, their product, and the faults in them", () => {
    const entry = queryNetwork(benchmark, "fbnet", new Array(22).fill("k3_e1").join(","), "cifar100");
    expect(entry.costs[0]).toEqual({
      metric: "edgegpu_latency",
      value: 15.804523468017578,
      unit: "ms",
      provenance: "sum of blocks",
    });
    expect(entry.averageHwMetric).toBeGreaterThan(0);
    expect(entry.faults.map(({ code }) => code)).toContain("fpga_zero_layers");
  });

  it("know the 1,999 networks of Edge GPU and Edge TPU", () => {
    const edgegpu = cellCosts(cells, "cifar10", "edgegpu_latency");
    const edgetpu = cellCosts(cells, "cifar10", "edgetpu_latency");
    expect(edgegpu.filter((value) => !Number.isNaN(value)).length).toBe(1999);
    expect(edgetpu.filter((value) => !Number.isNaN(value)).length).toBe(1999 - 259);
  });

  it("say what exists", () => {
    expect(() => queryNetwork(benchmark, "nas-bench-201", 15_625, "cifar10")).toThrow("expected 0 to 15624");
    expect(() => queryNetwork(benchmark, "nas-bench-201", -1, "cifar10")).toThrow("received -1");
    expect(() => queryNetwork(benchmark, "nas-bench-201", 0, "cifar")).toThrow(
      "one of cifar10, cifar100, ImageNet16-120",
    );
    expect(() => queryNetwork(benchmark, "fbnet", "0", "cifar10")).toThrow(/expected (one of cifar100, ImageNet|22)/);
    expect(() => cellCosts(cells, "cifar10", "raspi_latency")).toThrow("one of edgegpu_latency, raspi4_latency");
    expect(() => cellCosts(cells, "cifar10", "edgegpu_energy")).toThrow("import the authors' pickle");
    expect(() => fbnetCost(fbnet, new Array(22).fill(0), "cifar100", "edgetpu_latency")).toThrow("unknown metric");
  });

  it("give the authors' configurations", () => {
    expect(networkConfig(benchmark, "nas-bench-201", 0, "cifar100")).toEqual({
      name: "infer.tiny",
      C: 16,
      N: 5,
      arch_str: formatCell(cells.codes[0]!),
      num_classes: 100,
    });
    expect(networkConfig(benchmark, "fbnet", new Array(22).fill(8).join(","), "ImageNet")).toMatchObject({
      dataset: "ImageNet",
      num_classes: 1000,
      op_idx_list: new Array(22).fill(8),
    });
  });

  it("load in 0.1 s and answer a million a second", async () => {
    const bytes = bundledBytes();
    const started = process.cpuUsage();
    await readBenchmark(bytes);
    const { user, system } = process.cpuUsage(started);
    // The promise is 100 ms; a busy test machine gets three times as long.
    expect((user + system) / 1000).toBeLessThan(300);
    const strings = Array.from({ length: 1000 }, (_, index) => formatCell(cells.codes[index * 15]!));
    const before = process.cpuUsage();
    let sum = 0;
    for (let query = 0; query < 1_000_000; query++) sum += cellCost(cells, query % 15_625, "cifar10", "raspi4_latency");
    const byIndex = process.cpuUsage(before);
    expect(sum).toBeGreaterThan(0);
    expect((byIndex.user + byIndex.system) / 1e6).toBeLessThan(1);
    for (const [index, text] of strings.entries()) expect(cellIndexOf(cells, text)).toBe(index * 15);
  });
});

describe("fronts", () => {
  const accuracy = [90, 91, 91, 92, Number.NaN, 93];
  const cost = [1, 2, 2, 1, 0, Number.NaN];
  it("keep what no other beats", () => {
    expect(accuracyCostFront(accuracy, cost)).toEqual([{ index: 3, accuracyPercent: 92, cost: 1 }]);
    expect(accuracyCostFront([90, 91, 91, 89], [1, 2, 2, 3]).map(({ index }) => index)).toEqual([0, 1]);
    expect(accuracyCostFront([90, 91], [1, 2], { maximumCost: 1.5 }).map(({ index }) => index)).toEqual([0]);
    expect(cheapestAbove([90, 91, 92], [1, 2, 2], 90.5)).toEqual({ index: 2, accuracyPercent: 92, cost: 2 });
    expect(cheapestAbove([90], [1], 95)).toBeUndefined();
  });

  it("have the area that they cover", () => {
    const front = accuracyCostFront([90, 92, 91], [1, 3, 2]);
    expect(frontVolume(front, { cost: 4, accuracyPercent: 89 })).toBe(1 * 3 + 1 * 2 + 1 * 1);
    expect(frontVolume(front, { cost: 3, accuracyPercent: 90 })).toBe(1);
    expect(frontVolume([], { cost: 4, accuracyPercent: 89 })).toBe(0);
  });

  it("expect of random search what all draws give on average", () => {
    const validation = [1, 3, 3, 2];
    const test = [10, 20, 40, 30];
    // All six pairs: the winner's test accuracy, ties shared.
    const pairs = [20, 40, 30, 30, 20, 40];
    expect(expectedBestOfRandom(validation, test, 2)).toBeCloseTo(pairs.reduce((a, b) => a + b) / 6, 12);
    expect(expectedBestOfRandom(validation, test, 4)).toBeCloseTo(30, 12);
    expect(expectedBestOfRandom(validation, test, 1)).toBeCloseTo(25, 12);
  });
});

describe("column files", () => {
  it("come back as they were written", async () => {
    const columns = new Map<string, Float64Array | Uint16Array | Uint8Array>([
      ["a", Float64Array.of(1.1, Number.NaN, -0)],
      ["b", Uint16Array.of(1, 65535)],
      ["c", Uint8Array.of(7)],
    ]);
    const read = await readColumns(await writeColumns({ content: "x" }, columns));
    expect(read.facts).toEqual({ content: "x" });
    for (const [name, values] of columns) expect(read.columns.get(name)).toEqual(values);
  });

  it("are refused when damaged, never with another error", async () => {
    const { fbnet: bytes } = bundledBytes();
    await expect(readColumns(new Uint8Array(0))).rejects.toThrow("this is no file of benchmark tables");
    await expect(readColumns(bytes.subarray(0, 1000))).rejects.toThrow("this is no file of benchmark tables");
    await expect(readColumns(await writeColumns({ format: "else" }, new Map()))).rejects.toThrow("version 1");
    await expect(readBenchmark({ cells: bytes, fbnet: bytes })).rejects.toThrow("tables of nas-bench-201");
  });
});
