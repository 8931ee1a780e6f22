import { createRuntime } from "@dovetail/runtime";
import { describe, expect, it } from "vitest";
import { conclusionSchema } from "../reproduction/card.js";
import { runPieces } from "../testing/run-pieces.js";
import { stripes } from "../testing/stripes.js";
import { concludeShiftAddNet } from "./conclude.js";
import { type Experiment, experiments } from "./experiment.js";
import {
  type EnergyResult,
  energySchema,
  type PruningFigures,
  pieceName,
  piecesOf,
  pruningSchema,
  type TrainingFigures,
  trainingSchema,
} from "./pieces.js";

const plain: TrainingFigures = {
  optimizer: "sgd",
  validationFraction: 0.5,
  accuracyFraction: 0.6,
  zeroFractions: { shift: { before: 0.5, after: 0.5 } },
};
const energy: EnergyResult = {
  operations: { multiply: 0, shift: 2e6, add: 1e6 },
  rows: (["float32", "fixed16", "fixed8"] as const).flatMap((precision) =>
    (["operators45", "operatorsZc706", "synthesised45"] as const)
      .filter((table) => precision !== "float32" || table !== "synthesised45")
      .map((table) => {
        const part = { operationsPj: 1e6, memoryPj: 3e6 };
        const parts = { forward: part, error: part, weightGradient: part, update: part };
        return { precision, table, weightBits: 8192, inference: part, training: part, parts };
      }),
  ),
};
const pruning: PruningFigures = [0.3, 0.5, 0.7, 0.9].map((share) => ({
  share,
  zeroFractions: { shift: { before: 0.5, after: 0.5 + share / 2 }, add: { before: 0, after: share } },
  accuracyFraction: 0.3,
  retrainedFraction: 0.59,
}));

/** Results of all pieces of the experiment at full scale; those that are named get figures of their own. */
function resultsWith(own: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(
    piecesOf(experiments.full).map(({ name }) => {
      const kind = name.startsWith("energy-") ? energy : name.startsWith("pruning-") ? pruning : plain;
      return [name, own[name] ?? kind] as const;
    }),
  );
}

describe("what the results say", () => {
  const conclude = (own: Readonly<Record<string, unknown>>) =>
    conclusionSchema.parse(concludeShiftAddNet(experiments.full, resultsWith(own)));

  it("compares seed by seed, each network by the optimizer that its validation images chose", () => {
    const { claims, tables } = conclude({
      [pieceName.tuning("shift-add", "sgd-0.3")]: { ...plain, validationFraction: 0.55, accuracyFraction: 0.7 },
      [pieceName.training("shift-add", "float32", 1)]: { ...plain, accuracyFraction: 0.62 },
      [pieceName.training("shift-add", "float32", 2)]: { ...plain, accuracyFraction: 0.66 },
      [pieceName.tuning("add", "sgd-0.3")]: { ...plain, validationFraction: 0.4, accuracyFraction: 0.9 },
      [pieceName.training("shift-add", "fixed16", 0)]: { ...plain, accuracyFraction: 0.695 },
    });
    const claim = (text: string) => claims.find((candidate) => candidate.text.includes(text))!;
    expect(claim("above the shift network's")).toMatchObject({ perSeed: [10, 2, 6], ours: 6, held: true });
    expect(claim("above the add network's")).toMatchObject({ perSeed: [10, 2, 6], held: true });
    expect(claim("above the wide-shift network's").ours).toBe(10);
    expect(claim("shift layers at 16")).toMatchObject({ ours: 0.5, held: true });
    expect(claim("half of the weights pruned").ours).toBeCloseTo(11, 6);
    const optimizerOf = (network: string) =>
      tables.find(({ title }) => title === "Accuracy")!.rows.find(([name]) => name === network)![5];
    expect(optimizerOf("shift-add")).toBe("sgd-0.3");
    expect(optimizerOf("add")).toBe("sgd-0.1");
    // Three precisions of shift-add and of shift, two of convolution and add, one of the others.
    expect(tables.find(({ title }) => title === "Accuracy")!.rows.length).toBe(13);
  });

  it("says what did not hold, with what was tried", () => {
    const half = (part: { operationsPj: number; memoryPj: number }) => ({
      ...part,
      operationsPj: part.operationsPj / 2,
    });
    const { claims } = conclude({
      [pieceName.energy("shift-add")]: {
        ...energy,
        rows: energy.rows.map((row) => ({ ...row, inference: half(row.inference) })),
      },
      [pieceName.training("wide-add", "float32", 0)]: { ...plain, accuracyFraction: 0.65 },
    });
    const failed = claims.filter(({ held }) => !held);
    const operators = failed.find(({ text }) => text.includes("less operator energy than"))!;
    expect(operators.ours).toBe(50);
    expect(operators.tried.join()).toContain("8 bit on the FPGA's operators: 50 %");
    expect(failed.find(({ text }) => text.includes("memory counted"))!.ours).toBe(12.5);
    const wide = failed.find(({ text }) => text.includes("wide-add"))!;
    expect(wide.ours).toBe(-5);
    expect(wide.tried.length).toBeGreaterThanOrEqual(3);
    const ours = failed.filter(({ text }) => text.startsWith("Shift-add"));
    expect(ours.every(({ tried }) => tried.length >= 3)).toBe(true);
  });
});

it("runs its pieces: tuning, trainings in fixed point, pruning with retraining, energy", {
  timeout: 300_000,
}, async () => {
  const networks = experiments.quick.networks
    .filter(({ name }) => name === "shift-add" || name === "wide-shift" || name === "shift")
    .map((network) => ({
      ...network,
      precisions: network.name === "shift" ? (["float32"] as const) : network.precisions.slice(0, 2),
      optimizers: network.optimizers.slice(-2),
      isPruned: network.name === "shift-add",
    }));
  const tiny: Experiment = {
    ...experiments.quick,
    widths: [4, 4, 4],
    batchSize: 8,
    steps: 2,
    networks,
    retrainingSteps: 1,
    prunedShares: [0.5],
  };
  const runtime = await createRuntime({ threads: 1 });
  const dataset = stripes({ train: 16, validation: 8, test: 8 });
  const results = await runPieces(piecesOf(tiny), runtime, dataset);
  await runtime.release();
  expect([...results.keys()]).toEqual([
    "energy-shift",
    "energy-shift-add",
    "energy-wide-shift",
    "tuning-shift-radam-0.5",
    "tuning-shift-sgd-0.1-radam-1",
    "tuning-shift-add-sgd-0.3",
    "tuning-shift-add-sgd-0.1-radam-0.2",
    "shift-add-fixed16-seed0",
    "wide-shift-float32-seed0",
    "pruning-shift-add",
  ]);
  const fixed = trainingSchema.parse(results.get("shift-add-fixed16-seed0"));
  expect(fixed.zeroFractions.shift!.before).toBeGreaterThan(0.3);
  const [pruned] = pruningSchema.parse(results.get("pruning-shift-add"));
  expect(pruned!.zeroFractions.add!.after).toBeCloseTo(0.5, 1);
  expect(energySchema.parse(results.get("energy-shift-add")).rows.length).toBe(8);
});
