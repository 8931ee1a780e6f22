import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { eyerissLike, writeArchitecture } from "@dovetail/hardware";
import { type BenchmarkCheck, benchmarkOfColumns, parseDeviceTable } from "@dovetail/nasbench";
import { describe, expect, it } from "vitest";
import { authorsPickle } from "../../../../nasbench/fixtures/authors-pickle.js";
import { runCommand } from "../../testing/run-command.js";
import { useTemporaryFolder } from "../../testing/temporary-folder.js";
import { bundledColumns } from "./tables.js";

useTemporaryFolder();

const json = async (...line: readonly string[]) => {
  const { exitCode, stdout, stderr } = await runCommand(["hwnas", ...line, "--json"]);
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
};

describe("dovetail hwnas query", () => {
  it("gives costs, accuracy, what is missing, and the faults of the data", async () => {
    const { stdout } = await runCommand(["hwnas", "query", "0"]);
    expect(stdout).toContain("raspi4_latency   10.4820  ms    measured");
    expect(stdout).toContain("test 85.86 %");
    expect(stdout).toContain("not in these tables: edgegpu_latency");
    expect(stdout).toContain("average pooling is charged like a dense 3×3 convolution");
    const [entry] = await json("query", "0", "--metric", "eyeriss_latency");
    expect(entry.costs).toEqual([
      { metric: "eyeriss_latency", value: 3.645620000000001, unit: "ms", provenance: "estimated" },
    ]);
  });

  it("gives FBNet's sums", async () => {
    const [entry] = await json("query", new Array(22).fill(0).join(","), "--space", "fbnet");
    expect(entry.costs[0]).toMatchObject({ value: 15.804523468017578, provenance: "sum of blocks" });
  });

  it("costs a network on an accelerator of one's own", async () => {
    writeFileSync("mine.yaml", writeArchitecture({ ...eyerissLike(), name: "mine" }));
    const arch = ["--arch", "mine.yaml", "--evaluations", "50"];
    const [small, large] = await json("query", "0", "1462", ...arch, "--quiet");
    const latency = (entry: { costs: { metric: string; value: number }[] }): number =>
      entry.costs.find(({ metric }) => metric === "mine_latency")!.value;
    expect(latency(small)).toBeGreaterThan(0);
    expect(latency(large)).toBeGreaterThan(latency(small));
  });

  it.each([
    [["query", "15625"], "expected 0 to 15624"],
    [["query", "0", "--dataset", "mnist"], "one of cifar10, cifar100, ImageNet16-120"],
    [["query", "0", "--metric", "raspi_latency"], "--metric"],
    [["query", "0", "--device", "absent.json"], "absent.json"],
    [["query", "0", "--tables", "."], "nas-bench-201.columns.gz"],
    [["front", "--metric", "edgegpu_energy"], "import the authors' pickle"],
    [["search", "--limit", "3"], "--limit needs --metric"],
    [["search", "--metric", "edgegpu_latency", "--limit", "3"], "1999 of 15625"],
    [["measure", "-o", "x.json", "--name", "raspi4"], "none of edgegpu"],
  ])("%j is refused", async (line, message) => {
    const { exitCode, stderr } = await runCommand(["hwnas", ...line]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});

it("dovetail hwnas front: the exact front, and a page of it", async () => {
  const result = await json("front", "--metric", "eyeriss_latency", "--accuracy", "93.5", "--plot", "front.html");
  expect(result.front).toHaveLength(19);
  expect(result.front.at(-1)).toMatchObject({ index: 6111 });
  expect(result.cheapest.cost).toBeCloseTo(3.64562, 5);
  expect(readFileSync("front.html", "utf8")).toContain("network 6111");
});

describe("dovetail hwnas search", () => {
  it("is the same for the same seed, and knows the optimum", async () => {
    const line = ["search", "--metric", "fpga_latency", "--limit", "3.5", "--queries", "60", "--quiet"];
    const first = await json(...line, "--plot", "search.html");
    expect(await json(...line)).toEqual(first);
    expect(first.optimum.cost).toBeLessThanOrEqual(3.5);
    expect(first.runs[0].scorePercent).toBeLessThanOrEqual(first.optimum.scorePercent);
    expect(readFileSync("search.html", "utf8")).toContain("Best so far");
  });

  it("looks at validation accuracy and reports test accuracy", async () => {
    const line = ["search", "--dataset", "cifar100", "--algorithm", "local", "--queries", "400", "--seeds", "2"];
    const { runs, optimum, expectedRandomTestPercent } = await json(...line, "--quiet");
    expect(optimum).toMatchObject({ index: 9930 });
    expect(runs).toHaveLength(2);
    expect(runs[0].testPercent).toBeGreaterThan(expectedRandomTestPercent);
  });

  it("finds fronts", async () => {
    const line = ["search", "--algorithm", "front", "--metric", "raspi4_latency", "--queries", "200", "--quiet"];
    const { frontShares } = await json(...line);
    expect(frontShares[0]).toBeGreaterThan(0.9);
    expect(frontShares[0]).toBeLessThanOrEqual(1);
  });
});

it("dovetail hwnas correlate: all pairs, and which operator a model fails by", async () => {
  const line = ["correlate", "--evaluations", "100", "--quiet", "--plot", "pairs.html"];
  const { names, table, blame } = await json(...line);
  const pair = (a: string, b: string) => table[names.indexOf(a)][names.indexOf(b)];
  expect(pair("raspi4_latency", "pixel3_latency").spearman).toBeCloseTo(0.96675, 5);
  expect(pair("edgegpu_latency", "macs").count).toBe(1999);
  const honest = blame.find(
    (one: { model: string; pooling: string }) => one.model === "eyeriss-like" && one.pooling === "free",
  );
  const worst = honest.operators.toSorted(
    (a: { kendallIfPublished: number }, b: { kendallIfPublished: number }) =>
      b.kendallIfPublished - a.kendallIfPublished,
  )[0];
  expect(worst.operator).toBe("avg_pool_3x3");
  expect(readFileSync("pairs.html", "utf8")).toContain("eyeriss-like latency");
});

describe("dovetail hwnas import and verify", () => {
  it("the bundled tables hold all checks that can be run", async () => {
    const { holds, checks } = await json("verify");
    expect(holds).toBe(true);
    expect(checks.map(({ verdict }: BenchmarkCheck) => verdict)).toEqual([...new Array(8).fill("held"), "not run"]);
    const { stdout } = await runCommand(["hwnas", "verify", "--figures"]);
    expect(stdout).toContain("cifar100 [1,1 last] average_hw_metric: expected 2130193321.381353");
  });

  it("an import that holds them is written, and is what the other commands read", async () => {
    writeFileSync("good.pickle", authorsPickle(benchmarkOfColumns(await bundledColumns())));
    const environment = { DOVETAIL_DATA: "data" };
    const imported = await runCommand(["hwnas", "import", "good.pickle"], { environment });
    expect(imported.stderr).toBe("");
    expect(imported.exitCode).toBe(0);
    expect(imported.stdout).toContain("holds  9  edgegpu latency");
    const verified = await runCommand(["hwnas", "verify"], { environment });
    expect(verified.exitCode).toBe(0);
    expect(verified.stdout).toContain("holds  9");
    const { stdout } = await runCommand(["hwnas", "query", "0", "--dataset", "cifar100"], { environment });
    expect(stdout).toContain("fpga_energy");
    expect(stdout).not.toContain("not in these tables");
    const [entry] = await json("query", "0", "--tables", "data/hw-nas-bench");
    expect(entry.averageHwMetric).toBeGreaterThan(0);
  });

  it("one with other values fails the ninth check, says so, and is not written", async () => {
    const benchmark = benchmarkOfColumns(await bundledColumns());
    writeFileSync("other.pickle", authorsPickle(benchmark, { scale: 1.01 }));
    const { exitCode, stdout, stderr } = await runCommand(["hwnas", "import", "other.pickle", "-o", "tables"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("FAILS  9");
    expect(stdout).toContain("NOT mean, ms: expected 5.0511");
    expect(stdout).toContain("nothing was written");
    expect(stderr).toContain("check 9 failed");
    expect(existsSync("tables")).toBe(false);
  });

  it("one that would run something is refused with the place", async () => {
    writeFileSync("evil.pickle", "cos\nsystem\n(S'touch pwned'\ntR.");
    const { exitCode, stderr } = await runCommand(["hwnas", "import", "evil.pickle", "-o", "tables"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("evil.pickle: this pickle is refused at byte 0, opcode GLOBAL");
    expect(stderr).toContain("os.system");
    expect(existsSync("pwned") || existsSync("tables")).toBe(false);
  });
});

describe("dovetail hwnas measure", () => {
  const quick = [
    "hwnas",
    "measure",
    "-o",
    "host.json",
    "--warm-up",
    "0",
    "--rounds",
    "2",
    "--repeats",
    "1",
    "--networks",
    "3",
    "--quiet",
  ];

  it("keeps what was measured when interrupted, goes on, and gives a device for queries", async () => {
    const interrupted = await runCommand(quick, { interruptWhen: () => existsSync("host.json.part") });
    expect(interrupted.exitCode).toBe(130);
    expect(interrupted.stderr).toContain("host.json.part");
    expect(existsSync("host.json")).toBe(false);
    const part = JSON.parse(readFileSync("host.json.part", "utf8"));
    const begun = Object.entries(part.operators);
    expect(begun.length).toBeGreaterThan(0);

    const other = await runCommand([...quick, "--seed", "7"]);
    expect(other.exitCode).toBe(2);
    expect(other.stderr).toContain("beginning of another measurement");

    const done = await runCommand([...quick, "--plot", "host.html"]);
    expect(done.stderr).toBe("");
    expect(done.exitCode).toBe(0);
    expect(done.stdout).toMatch(/median error .* %, Kendall τ-b/);
    expect(existsSync("host.json.part")).toBe(false);
    const table = parseDeviceTable(readFileSync("host.json", "utf8"));
    expect(begun.every(([key]) => table.operators[key]!.repeats === 2)).toBe(true);
    expect(table.networks).toHaveLength(3);
    expect(readFileSync("host.html", "utf8")).toContain("sums of operators");

    const [entry] = await json("query", table.networks[0]!.architecture, "--device", "host.json");
    expect(entry.costs.at(-1)).toMatchObject({
      metric: "host_latency",
      value: table.networks[0]!.predictedMs,
      provenance: "sum of blocks",
    });
    const { front } = await json("front", "--metric", "host_latency", "--device", "host.json");
    expect(front.length).toBeGreaterThan(0);
  });
});
