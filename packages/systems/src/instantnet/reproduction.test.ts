import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { conclusionSchema } from "../reproduction/card.js";
import { runPieces } from "../testing/run-pieces.js";
import { stripes } from "../testing/stripes.js";
import { concludeExperiment } from "./conclude.js";
import { type Experiment, experiments } from "./experiment.js";
import { piecesOf } from "./pieces.js";

const tiny: Experiment = {
  ...experiments.quick,
  bitWidths: [3, 8, 32],
  batchSize: 16,
  epochs: 1,
  mapperEvaluations: 30,
  search: {
    ...experiments.quick.search,
    space: { stemChannels: 4, counts: [1, 1], channels: [4, 6], strides: [1, 2], headerChannels: 8 },
    batchSize: 16,
  },
};

it("runs all of its pieces and says what they show", { timeout: 300_000 }, async () => {
  const runtime = await createRuntime({ threads: 1 });
  const dataset = stripes({ train: 32, validation: 32, test: 40 });
  const results = await runPieces(piecesOf(tiny), runtime, dataset);
  await runtime.release();
  const conclusion = conclusionSchema.parse(concludeExperiment(tiny, results));
  const claim = (part: string) => conclusion.claims.find(({ text }) => text.includes(part))!;
  // Exact, whatever the training: rounding errors, and mappings that are known at more bits.
  expect(claim("Growth of the rounding error").ours).toBeGreaterThan(3);
  expect(claim("Growth of the rounding error").ours).toBeLessThan(5);
  expect(claim("falls from each precision").ours).toBe(100);
  expect(claim("that of the mapping found at").ours).toBeLessThanOrEqual(1);
  expect(claim("row-stationary mapping by rule").ours).toBeGreaterThan(0);
  const accuracies = conclusion.tables.find(({ title }) => title.startsWith("Test accuracy"))!;
  expect(accuracies.rows.map(([name]) => name)).toEqual([
    "independent, one network a precision",
    "CDT",
    "SP",
    "joint",
    "CDT, β = 1 as published, seed 0",
    "SP, β = 1 as published, seed 0",
    "found by SP-NAS, CDT",
  ]);
  for (const row of accuracies.rows) expect(row.length).toBe(4);
});
