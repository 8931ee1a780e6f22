import { elementCount } from "@dovetail/graph";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { conclusionSchema } from "../reproduction/card.js";
import { runPieces } from "../testing/run-pieces.js";
import { stripes } from "../testing/stripes.js";
import { concludeExperiment } from "./conclude.js";
import { type Experiment, experiments, networkFor } from "./experiment.js";
import { piecesOf } from "./pieces.js";

const tiny: Experiment = {
  ...experiments.quick,
  batchSize: 8,
  steps: 15,
  integerSteps: 4,
  settingSteps: 2,
};

it("runs all of its pieces, and its card has every line that it must have", { timeout: 600_000 }, async () => {
  const runtime = await createRuntime({ threads: 1 });
  const dataset = stripes({ train: 32, validation: 4, test: 16 });
  const results = await runPieces(piecesOf(tiny), runtime, dataset);
  await runtime.release();
  const conclusion = conclusionSchema.parse(concludeExperiment(tiny, results));
  const table = (title: string) => conclusion.tables.find((candidate) => candidate.title.startsWith(title))!;
  expect(table("Methods").rows.map(([name]) => name)).toEqual([
    ...tiny.methods.map(({ name }) => name),
    "dense-8",
    "switch-8",
    "accumulate-8",
  ]);
  const cell = (name: string, column: string) => {
    const { columns, rows } = table("Methods");
    return rows.find(([method]) => method === name)![columns.indexOf(column)] as number;
  };
  // Four bits of a code and five or eight of a counter; a code's and a float32 master's.
  const update = "read and written by an update, bits a coefficient";
  expect(["dense", "switch", "accumulate", "latent"].map((name) => cell(name, update))).toEqual([32, 9, 12, 36]);
  expect(["dense", "switch", "latent"].map((name) => cell(name, "momentum, bits"))).toEqual([32, 0, 32]);
  const floats = "values of float32 weights between steps";
  const names = ["switch", "accumulate", "accumulate-8", "round", "switch-momentum", "switch-averaged", "switch-8"];
  expect(names.map((name) => cell(name, floats))).toEqual(names.map(() => 0));
  const network = networkFor(tiny, dataset);
  const sizes = network.parameters.filter(({ role }) => role === "weight").map(({ shape }) => elementCount(shape));
  const weightCount = sizes.reduce((sum, size) => sum + size, 0);
  expect(["dense", "dense-8"].map((name) => cell(name, floats))).toEqual([weightCount, weightCount]);
  expect(cell("latent", floats)).toBeGreaterThanOrEqual(weightCount);
  const between = "weights and their state between steps, ×";
  expect(cell("dense", between)).toBe(1);
  expect(cell("switch", between)).toBeGreaterThan(5);
  expect(cell("switch-momentum", between)).toBeLessThan(2);
  const parts = table("Training energy of an image by part").rows;
  expect(parts.filter(([method]) => method === "switch").map(([, part]) => part)).toEqual([
    "forward",
    "backward to activations",
    "gradient of weights",
    "update",
  ]);
  for (const row of parts) {
    const [all, ...each] = (row.slice(2) as number[]).toReversed();
    expect(each.reduce((sum, value) => sum + value, 0) / all!).toBeCloseTo(1, 2);
  }
  const ratios = table("Training energy: dense").rows;
  expect(ratios.length).toBe(8);
  // With one image a step the weights' traffic counts most, with 8-bit operands more than with float32.
  const ratio = (network: string, batch: number, operands: string) =>
    ratios.find((row) => row[0] === network && row[1] === batch && row[2] === operands)![3] as number;
  expect(ratio("vgg11-bn", 1, "float32")).toBeGreaterThan(ratio("vgg11-bn", 8, "float32"));
  expect(ratio("resnet8", 1, "8 bit")).toBeGreaterThan(ratio("resnet8", 1, "float32"));
  const claim = (text: string) => conclusion.claims.find((candidate) => candidate.text.includes(text))!;
  expect(claim("storage of all parameters, float32 over ours, biases").ours).toBeGreaterThan(6);
});
