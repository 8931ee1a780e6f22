import { createRuntime } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { conclusionSchema } from "../reproduction/card.js";
import { runPieces } from "../testing/run-pieces.js";
import { stripes } from "../testing/stripes.js";
import { machineNames } from "./accelerator/machines.js";
import { ownResultSchema } from "./accelerator/result.js";
import { acceleratorPieces } from "./accelerator/study.js";
import { concludeExperiment } from "./conclude.js";
import { type Experiment, experiments } from "./experiment.js";
import { piecesOf } from "./pieces.js";
import { compressedNetworks } from "./reproduction.js";

const tiny: Experiment = {
  ...experiments.quick,
  batchSize: 16,
  networks: [{ ...experiments.quick.networks[0]!, epochs: 2, retrainingEpochs: 1 }],
};

it("runs all of its pieces and says what they show", { timeout: 300_000 }, async () => {
  const runtime = await createRuntime({ threads: 1 });
  const dataset = stripes({ train: 64, validation: 0, test: 40 });
  const [onAccelerators, sharedOnAccelerators] = acceleratorPieces("quick", compressedNetworks(tiny));
  const results = await runPieces([...piecesOf(tiny), onAccelerators!, sharedOnAccelerators!], runtime, dataset);
  await runtime.release();
  const conclusion = conclusionSchema.parse(concludeExperiment(tiny, results));
  // Exact, whatever the training.
  const held = (part: string) => conclusion.claims.find(({ text }) => text.includes(part))!.held;
  expect(held("properties of the form broken")).toBe(true);
  expect(held("error rises")).toBe(true);
  expect(held("compression rate")).toBe(true);
  expect(held("differ from the integer reference")).toBe(true);
  const [accuracies, structure] = conclusion.tables as [(typeof conclusion.tables)[0], (typeof conclusion.tables)[0]];
  expect(accuracies.rows.map(([name]) => name)).toEqual([
    "float32",
    "SmartExchange",
    "SmartExchange, projected after every epoch",
    "SmartExchange, zero rows shared by 64 filters",
    "4-bit quantization",
    "magnitude pruning, 8 bit",
    "low rank (spatial), 8 bit",
  ]);
  // Retrained with the same batches, and not compressed.
  expect(accuracies.rows[0]![1]).toBe(1);
  const sizes = accuracies.rows.slice(1).map(([, , kilobytes]) => kilobytes as number);
  const quantization = sizes[3]!;
  for (const size of sizes) {
    expect(size).toBeLessThanOrEqual(quantization * 1.001);
    expect(size).toBeGreaterThan(quantization * 0.93);
  }
  expect(structure.rows[0]![2]).toBeGreaterThan(6);
  // What was measured of the compressed network, on five machines.
  const own = ownResultSchema.parse(results.get(onAccelerators!.name));
  expect(Object.keys(own.costs).sort()).toEqual([...machineNames].sort());
  expect(own.zeroRowsOfWeights).toBeGreaterThan(0);
  expect(own.weightZeroFraction).toBeGreaterThan(0);
  // Rows are pruned filter by filter; zeros of magnitude pruning are as many as the storage asks for.
  expect(own.zeroRowsInStep).toBeLessThan(own.zeroRowsOfWeights);
  expect(own.pruned!.weightZeroFraction).toBeGreaterThan(0.3);
  // Rows that all filters in step share are skipped.
  const shared = ownResultSchema.parse(results.get(sharedOnAccelerators!.name));
  expect(shared.zeroRowsOfWeights).toBeGreaterThan(0);
  expect(shared.zeroRowsInStep).toBeCloseTo(shared.zeroRowsOfWeights, 6);
  expect(shared.pruned).toBeUndefined();
  const { DianNao, SmartExchange } = own.costs;
  expect(SmartExchange!.macs).toBe(DianNao!.macs);
  expect(SmartExchange!.energyPj).toBeLessThan(DianNao!.energyPj);
});
