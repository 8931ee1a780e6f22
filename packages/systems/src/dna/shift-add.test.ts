import { createRandomStream } from "@dovetail/core";
import { readModel, tensorNumbers } from "@dovetail/graph";
import { extractWorkloads } from "@dovetail/hardware";
import { withBitWidths } from "@dovetail/quant";
import { createRuntime } from "@dovetail/runtime";
import { networkOf, smallImageSpace } from "@dovetail/search";
import { expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { trainCandidate } from "./candidate.js";
import { pixelsOf } from "./cosearch.js";
import { operatorSets } from "./operators.js";
import { coSearchOptionsSchema } from "./options.js";
import { createMemoryStages } from "./stages.js";

const dataset = stripes({ train: 64, validation: 32, test: 32 });
const operators = operatorSets["convolution-shift-add"];
const space = smallImageSpace({
  pixels: pixelsOf(dataset),
  classCount: dataset.classNames.length,
  widths: [8, 16],
  depths: [2, 1],
  operators,
});
const chosen = ["shift_k3", "add_k3", "shift_add_k3"].map((name) => operators.findIndex((each) => each.name === name));
const network = networkOf(space, chosen, "hybrid");

const options = coSearchOptionsSchema.parse({
  target: { kind: "asic" },
  objective: "edp",
  effort: { trainingMacs: 1e9, batchSize: 16, searchSteps: 1 },
  search: { operators: "convolution-shift-add" },
});

const layersOf = (graph: ReturnType<typeof withBitWidths>) =>
  extractWorkloads(graph, { batchSize: 1 }).layers.map(({ name, problem, weights }) => ({
    name,
    problem,
    powerOfTwo: weights.annotation?.powerOfTwo ?? false,
  }));

it("a network of shift and add layers is trained and delivered as what its hardware was designed for", async () => {
  const runtime = await createRuntime({ threads: 1 });
  const random = createRandomStream(1);
  const context = { options, dataset, runtime, random, stages: createMemoryStages(), watch: {} };
  const candidate = await trainCandidate(context, { name: "hybrid", network, trainingMacs: 2e8 });
  await runtime.release();
  const { graph } = readModel(candidate.onnx);
  const designed = layersOf(withBitWidths(network, { weightBits: 8, activationBits: 8 }));
  expect(designed.map(({ problem }) => problem.operation ?? "multiply")).toEqual([
    "multiply",
    "shift",
    "add",
    "shift",
    "add",
    "multiply",
    "multiply",
  ]);
  expect(layersOf(graph)).toEqual(designed);
  expect(layersOf(candidate.graph)).toEqual(designed);
  const shifts = [...graph.annotations].filter(([name, { powerOfTwo }]) => powerOfTwo && graph.initializers.has(name));
  expect(shifts.length).toBe(2);
  for (const [name] of shifts) {
    for (const value of new Set(tensorNumbers(graph.initializers.get(name)!).map(Math.abs))) {
      expect(value === 0 || Number.isInteger(Math.log2(value)), `${name}: ${value}`).toBe(true);
    }
  }
  expect(candidate.trainingMacs).toBeLessThanOrEqual(2e8);
  expect(candidate.macs).toBe(designed.reduce((sum, { problem }) => sum + pointsOf(problem.dimensions), 0));
});

const pointsOf = (dimensions: Readonly<Record<string, number>>): number =>
  Object.values(dimensions).reduce((product, size) => product * size, 1);
