import { DovetailError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { authorsPickle } from "../../fixtures/authors-pickle.js";
import { queryNetwork } from "../query/query.js";
import { type BenchmarkColumns, benchmarkOfColumns } from "../tables/benchmark.js";
import { readColumns, writeColumns } from "../tables/columns.js";
import { bundledBytes } from "../testing/bundled.js";
import { importPickle } from "./import.js";
import type { PickleValue } from "./values.js";

const bytes = bundledBytes();
const bundled: BenchmarkColumns = { cells: await readColumns(bytes.cells), fbnet: await readColumns(bytes.fbnet) };
const benchmark = benchmarkOfColumns(bundled);
const imported = importPickle(authorsPickle(benchmark), bundled);

const changed = (change: (root: Map<string, PickleValue>) => void) => () =>
  importPickle(authorsPickle(benchmark, { change }), bundled);

const inner = (root: Map<string, PickleValue>, ...path: readonly string[]): Map<string, PickleValue> =>
  path.reduce<PickleValue>((map, key) => (map as Map<string, PickleValue>).get(key)!, root) as Map<string, PickleValue>;

describe("the authors' pickle", () => {
  it("is imported whole, and passes all nine checks and the comparison with what is bundled", () => {
    expect(imported.tables).toHaveLength(3 * 10 + 8);
    expect(imported.checks.map(({ verdict }) => verdict)).toEqual(new Array(10).fill("held"));
  });

  it("gives queries that have every metric and the authors' product", () => {
    const entry = queryNetwork(imported.benchmark, "nas-bench-201", 0, "ImageNet16-120");
    expect(entry.costs).toHaveLength(10);
    expect(entry.missing).toEqual([]);
    expect(entry.averageHwMetric).toBeGreaterThan(0);
  });

  it("comes back from the files that are written", async () => {
    for (const space of ["cells", "fbnet"] as const) {
      const { facts, columns } = imported.columns[space];
      const again = await readColumns(await writeColumns(facts, columns));
      expect(again.facts).toEqual(facts);
      for (const [name, values] of columns) expect(again.columns.get(name)).toEqual(values);
    }
  });

  it("with other latencies of the Edge GPU fails the ninth check, and no other", () => {
    const { checks } = importPickle(authorsPickle(benchmark, { scale: 1.01 }), bundled);
    const failed = checks.filter(({ verdict }) => verdict === "failed");
    expect(failed.map(({ number }) => number)).toEqual([9]);
    expect(failed[0]!.figures.filter(({ held }) => !held).map(({ name }) => name)).toContain("mean, ms");
  });

  it("with one other value of a bundled network fails the ninth and the tenth", () => {
    const index = benchmark.cells.costs.cifar10.get("edgegpu_latency")!.findIndex((value) => !Number.isNaN(value));
    const { checks } = changed((root) => {
      const array = inner(root, "nasbench201", "cifar10").get("edgegpu_latency") as { values: Float64Array };
      array.values[index]! += 1e-9;
    })();
    const failed = checks.filter(({ verdict }) => verdict === "failed");
    expect(failed.map(({ number }) => number)).toEqual([9, 10]);
    expect(failed[0]!.figures.find(({ held }) => !held)).toMatchObject({ expected: 1999, found: 1998 });
  });

  it.each([
    ["no dictionary", () => importPickle(Uint8Array.from(Buffer.from("N.")), bundled), "expected a dictionary"],
    ["no space", changed((root) => root.clear()), "the spaces nasbench201 and fbnet"],
    ["another data set", changed((root) => inner(root, "nasbench201").set("mnist", null)), "nasbench201.mnist"],
    [
      "too few numbers",
      changed((root) => inner(root, "nasbench201", "cifar100").set("raspi4_latency", [1, 2])),
      "nasbench201.cifar100.raspi4_latency",
    ],
    [
      "no numbers",
      changed((root) => inner(root, "nasbench201", "cifar10").set("fpga_energy", new Array(15_625).fill("a"))),
      "fpga_energy.0",
    ],
    [
      "other networks",
      changed((root) => void (inner(root, "nasbench201", "cifar10").get("config") as PickleValue[]).reverse()),
      "nasbench201.cifar10.config.0.arch_str",
    ],
    [
      "a missing operator",
      changed((root) => inner(root, "fbnet", "raspi4_latency").delete("FC_Cin1504_Cout100")),
      "FC_Cin1504_Cout100",
    ],
  ])("with %s is refused with its place", (_, attempt, message) => {
    expect(attempt).toThrow(DovetailError);
    expect(attempt).toThrow(message);
  });
});
