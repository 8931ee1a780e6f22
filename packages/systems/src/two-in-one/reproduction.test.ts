import { maskingCheckNames } from "@dovetail/attack";
import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { conclusionSchema } from "../reproduction/card.js";
import { runPieces } from "../testing/run-pieces.js";
import { stripes } from "../testing/stripes.js";
import { concludeAlgorithm } from "./conclude.js";
import { type Experiment, experiments } from "./experiment.js";
import { algorithmPieces, pieceName } from "./pieces.js";

const ruleNames = [
  "robustbench: non-zero gradients",
  "robustbench: deterministic forward pass",
  "robustbench: no optimization at inference",
  "robustbench: inference mode",
  "robustbench: AutoAttack's standard version",
  "robustbench: all test images",
  "robustbench: maximum norm 8/255",
  "robustbench: adaptive evaluation",
  "autoattack: randomized",
  "autoattack: softmax output",
  "autoattack: zero gradients",
  "autoattack: Square stronger",
  "autoattack: dynamic",
  "autoattack: classes",
];

const tiny: Experiment = {
  ...experiments.quick,
  precisions: [4, 8],
  batchSize: 16,
  epochs: 1,
  methods: [{ method: "pgd-7", withSeeds: true }],
  attackedImages: 8,
  pgdSteps: 2,
  attacks: ["pgd", "square"],
  steps: 2,
  queries: 4,
  checkedImages: 4,
};

it("runs all of its pieces, and its card has every line that it must have", { timeout: 600_000 }, async () => {
  const runtime = await createRuntime({ threads: 1 });
  const dataset = stripes({ train: 32, validation: 16, test: 16 });
  const results = await runPieces(algorithmPieces(tiny), runtime, dataset);
  await runtime.release();
  const conclusion = conclusionSchema.parse(concludeAlgorithm(tiny, results));
  const table = (title: string) => conclusion.tables.find((candidate) => candidate.title.startsWith(title))!;
  const firstCells = (title: string) => table(title).rows.map(([name]) => name);
  expect(firstCells("RobustBench's rules")).toEqual(ruleNames);
  expect(firstCells("Checklist")).toEqual([...maskingCheckNames]);
  for (const title of ["RobustBench's rules", "Checklist"]) {
    for (const row of table(title).rows) for (const cell of row) expect(cell).not.toBe("");
  }
  // The published figure stands beside the adaptive one, and one precision that draws nothing is its own worst case.
  expect(
    table("Trainings")
      .columns.slice(3)
      .map((name) => name.replace(/ PGD.*/, "")),
  ).toEqual(["clean", "published", "PGD-2 on the exact mean"]);
  expect(firstCells("PGD-7 training: adaptive")).toEqual([
    "none",
    "pgd",
    "square",
    "worst of all, image by image",
    "published protocol, exact mean",
    "the same, nothing frozen",
  ]);
  const other = table("Checklist").rows.find(([name]) => name === "other gradients not stronger")!;
  for (const cell of other.slice(1)) expect(cell).toContain("PGD with the other gradients");
  const rules = table("RobustBench's rules").rows.find(([name]) => name === "robustbench: deterministic forward pass")!;
  expect(rules.slice(1).map((cell) => `${cell}`.split(";")[0])).toEqual(["met", "raised", "raised"]);
  expect(table("The dial").rows.map(([set]) => set)).toEqual(["4, 8", "4", "8", "4"]);
  expect(results.has(pieceName.full("rpt", "rpi"))).toBe(true);
});
