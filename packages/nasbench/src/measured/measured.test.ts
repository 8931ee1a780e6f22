import { countMacs } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { cellCost, cellDatasetNamed, cellIndexOf, fbnetCost, fbnetDatasetNamed, queryNetwork } from "../query/query.js";
import { cellMacs } from "../spaces/cell-network.js";
import { fbnetMacs } from "../spaces/fbnet-network.js";
import { bundledBenchmark } from "../testing/bundled.js";
import { type DeviceTable, deviceKeys, parseDeviceTable, withDevice } from "./device-table.js";
import { operatorGraphs } from "./operator-graphs.js";

const benchmark = await bundledBenchmark();
const spaces = [
  ["nas-bench-201", "cifar10"],
  ["nas-bench-201", "ImageNet16-120"],
  ["fbnet", "cifar100"],
  ["fbnet", "ImageNet"],
] as const;

/** A table whose operators cost what `of` gives. */
function tableOf(space: DeviceTable["space"], dataset: string, of: (key: string) => number): DeviceTable {
  const times = deviceKeys(space, dataset).map((key) => {
    const medianMs = of(key);
    return [key, { medianMs, quartilesMs: [medianMs, medianMs], repeats: 1 }] as const;
  });
  const operators = Object.fromEntries(times);
  const conditions = { threads: 1 };
  return {
    format: "dovetail-device-table",
    version: 1,
    device: "host",
    space,
    dataset,
    conditions,
    operators,
    networks: [],
  };
}

describe("operators to be timed", () => {
  it.each(spaces)("%s on %s: have the keys of the table, and the shapes that follow from them", (space, dataset) => {
    const graphs = operatorGraphs(space, dataset);
    expect(graphs.map(({ key }) => key).sort()).toEqual(deviceKeys(space, dataset).sort());
    for (const { model, inputShape, keepsShape, isIdentity } of graphs) {
      if (isIdentity) continue;
      const { graph } = model(1);
      expect(graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(({ name }) => name)).toEqual([
        "image",
      ]);
      const shape = graph.outputs[0]!.type.shape;
      if (keepsShape) expect(shape).toEqual(inputShape);
      else expect(shape).not.toEqual(inputShape);
    }
  });

  // Sums of the operators' multiply-accumulates are those of whole networks: nothing is left out or counted twice.
  it.each(spaces)("%s on %s: add up to networks", (space, dataset) => {
    const macs = new Map(
      operatorGraphs(space, dataset).map(({ key, model, isIdentity }) => [
        key,
        isIdentity ? 0 : countMacs(model(1).graph) - countMacs(model(0).graph),
      ]),
    );
    const { cells, fbnet } = withDevice(
      benchmark,
      tableOf(space, dataset, (key) => macs.get(key)!),
    );
    if (space === "nas-bench-201") {
      // Every edge of this network reaches the output.
      expect(cellCost(cells, 1462, cellDatasetNamed(dataset), "host_latency")).toBe(
        cellMacs(cells.codes[1462]!, cellDatasetNamed(dataset)),
      );
    } else {
      const operators = Array.from({ length: 22 }, (_, position) => position % 9);
      expect(fbnetCost(fbnet, operators, fbnetDatasetNamed(dataset), "host_latency")).toBe(
        fbnetMacs(operators, fbnetDatasetNamed(dataset)),
      );
    }
  });
});

describe("a device's table", () => {
  it("adds a metric to queries, of edges that reach the output and their additions", () => {
    const table = tableOf("nas-bench-201", "cifar10", (key) =>
      key.endsWith(".add") ? 1 : key.endsWith(".relu") ? 10 : key.includes(".") ? 100 : 0,
    );
    const { cells } = withDevice(benchmark, table);
    // In each of the 15 cells four operators, two additions into the output, one ReLU on the input.
    const architecture = "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|nor_conv_3x3~0|skip_connect~1|avg_pool_3x3~2|";
    const entry = queryNetwork({ ...benchmark, cells }, "nas-bench-201", architecture, "cifar10");
    expect(entry.costs.at(-1)).toEqual({
      metric: "host_latency",
      value: 15 * (4 * 100 + 2 + 10),
      unit: "ms",
      provenance: "sum of blocks",
    });
  });

  it("counts the ReLUs that no convolution takes over", () => {
    const table = tableOf("nas-bench-201", "cifar10", (key) => (key.endsWith(".relu") ? 1 : 0));
    const { cells } = withDevice(benchmark, table);
    const count = (architecture: string): number =>
      cellCost(cells, cellIndexOf(cells, architecture), "cifar10", "host_latency") / 15;
    // A chain of convolutions: each ReLU is part of the convolution before, also from cell to cell.
    expect(count("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|")).toBe(0);
    // The sum at the end makes the next cell's input; node 1 has two readers.
    expect(count("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|skip_connect~1|nor_conv_3x3~2|")).toBe(2);
    // Nothing to activate.
    expect(count("|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|")).toBe(0);
  });

  it("comes back from its text", () => {
    const table = tableOf("fbnet", "cifar100", () => 0.25);
    expect(parseDeviceTable(JSON.stringify(table))).toEqual(table);
  });

  const table = tableOf("nas-bench-201", "cifar10", () => 1);
  it.each([
    ["{", "JSON"],
    ["[]", "an object"],
    [{ ...table, version: 2 }, "format"],
    [{ ...table, device: "raspi4" }, "device"],
    [{ ...table, device: "My Host" }, "device"],
    [{ ...table, space: "darts" }, "space"],
    [{ ...table, dataset: "constructor" }, "dataset"],
    [{ ...table, operators: {} }, "operators.stem"],
    [
      { ...table, operators: { ...table.operators, stem: { medianMs: -1, quartilesMs: [0, 0], repeats: 1 } } },
      "medianMs",
    ],
    [
      { ...table, operators: { ...table.operators, head: { medianMs: 1, quartilesMs: [0], repeats: 1 } } },
      "quartilesMs.1",
    ],
    [{ ...table, networks: [{ architecture: 3 }] }, "networks.0.architecture"],
    [{ ...table, conditions: null }, "conditions"],
  ])("%# is refused with its field", (value, message) => {
    expect(() => parseDeviceTable(typeof value === "string" ? value : JSON.stringify(value))).toThrow(message);
  });
});
