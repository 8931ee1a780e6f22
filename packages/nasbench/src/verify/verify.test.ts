import { expect, it } from "vitest";
import { bundledBenchmark } from "../testing/bundled.js";
import { verifyBenchmark } from "./verify.js";

const bundled = await bundledBenchmark();

it("holds the bundled tables against the reference figures", () => {
  const checks = verifyBenchmark(bundled);
  const failed = checks.flatMap(({ figures }) => figures.filter(({ held }) => !held));
  expect(failed).toEqual([]);
  expect(checks.map(({ verdict }) => verdict)).toEqual([...new Array<string>(8).fill("held"), "not run"]);
  expect(checks.flatMap(({ figures }) => figures).length).toBeGreaterThan(80);
});

it("fails where one value of a table is another", () => {
  const latency = bundled.cells.costs.cifar10
    .get("fpga_latency")!
    .map((value, index) => (index === 77 ? value + 1e-9 : value));
  const costs = {
    ...bundled.cells.costs,
    cifar10: new Map([...bundled.cells.costs.cifar10, ["fpga_latency", latency]]),
  };
  const checks = verifyBenchmark({ ...bundled, cells: { ...bundled.cells, costs } });
  expect(checks[5]!.verdict).toBe("failed");
  expect(checks[6]!.verdict).toBe("held");
});
