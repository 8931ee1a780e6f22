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
  type IntegerFigures,
  integersSchema,
  type PruningFigures,
  pieceName,
  pruningSchema,
  type TrainingFigures,
  trainingSchema,
  tuningSchema,
} from "./figures.js";
import { piecesOf } from "./pieces.js";

const plain: TrainingFigures = {
  optimizer: "sgd",
  validationFraction: 0.5,
  accuracyFraction: 0.6,
  zeroFractions: { shift: { before: 0.5, after: 0.5 } },
};
const part = { operationsPj: 1e6, shiftPj: 5e5, memoryPj: 3e6 };
const energy: EnergyResult = {
  operations: { multiply: 0, shift: 2e6, add: 1e6 },
  rows: (["float32", "fixed16", "fixed8"] as const).flatMap((precision) =>
    (["operators45", "operatorsZc706", "synthesised45", "interpolated45"] as const)
      .filter((table) => precision !== "float32" || table !== "synthesised45")
      .filter((table) => precision === "fixed16" || table !== "interpolated45")
      .map((table) => {
        const parts = { forward: part, error: part, weightGradient: part, update: part };
        return { precision, table, weightBits: 8192, inference: part, training: part, parts };
      }),
  ),
};
const pruning: PruningFigures = [0, 0.3, 0.5, 0.7, 0.9].map((share) => ({
  share,
  zeroFractions: { shift: { before: 0.5, after: 0.5 + share / 2 }, add: { before: 0, after: share } },
  validationFraction: 0.3,
  retrainedFraction: share === 0 ? 0.61 : 0.59,
}));
const integers: IntegerFigures = { blocks: 9, images: 2, values: 1000, differing: 0 };

const kinds = { "modelled-energy-": energy, "pruned-": pruning, "integers-": integers } as const;

/** Results of all pieces of the experiment at full scale; those that are named get figures of their own. */
function resultsWith(own: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(
    piecesOf(experiments.full).map(({ name }) => {
      const kind = Object.entries(kinds).find(([start]) => name.startsWith(start))?.[1] ?? plain;
      return [name, own[name] ?? kind] as const;
    }),
  );
}

describe("what the results say", () => {
  const conclude = (own: Readonly<Record<string, unknown>>) =>
    conclusionSchema.parse(concludeShiftAddNet(experiments.full, resultsWith(own)));

  const { training, tuning, pruned, energy: energyOf } = pieceName;

  it("compares seed by seed, each network by the optimizer that its validation images chose", () => {
    const accuracy = (accuracyFraction: number): TrainingFigures => ({ ...plain, accuracyFraction });
    const { claims, tables } = conclude({
      [tuning("shift-add", "sgd-0.3")]: { ...plain, validationFraction: 0.55 },
      [training("shift-add", "float32", 0)]: accuracy(0.7),
      [training("shift-add", "float32", 1)]: accuracy(0.62),
      [training("shift-add", "float32", 2)]: accuracy(0.66),
      [tuning("add", "sgd-0.3")]: { ...plain, validationFraction: 0.4 },
      [training("shift-add", "fixed16", 0)]: accuracy(0.695),
      [training("shift-add", "fixed8", 0)]: accuracy(0.65),
      // The other seeds of shift at 8 bit have no partner.
      [training("shift", "fixed8", 1)]: accuracy(0.9),
      [pruned("shift")]: pruning.map((row) => ({ ...row, retrainedFraction: row.share === 0 ? 0.62 : 0.58 })),
    });
    const claim = (text: string) => claims.find((candidate) => candidate.text.includes(text))!;
    const claimWith = (...texts: string[]) => claims.find(({ text }) => texts.every((part) => text.includes(part)))!;
    expect(claim("above the shift network's, float32")).toMatchObject({ perSeed: [10, 2, 6], ours: 6, held: true });
    expect(claim("above the add network's, float32")).toMatchObject({ perSeed: [10, 2, 6], held: true });
    expect(claim("above the wide-shift network's")).toMatchObject({ perSeed: [10, 2, 6] });
    expect(claim("above the wide-add network's")).toMatchObject({ ours: 10, spread: null });
    expect(claim("above the shift network's, all at 8 bit")).toMatchObject({ ours: 5, spread: null });
    expect(claim("above the add network's, add layers at 8 bit").ours).toBeCloseTo(9.5, 6);
    expect(claimWith("lost by fixed point (add layers at 8 bit", "the shift").ours).toBeCloseTo(0.5, 6);
    expect(claimWith("lost by fixed point (all layers", "the add")).toMatchObject({ ours: 5, held: false });
    // Two points lost after the same further training, where shift loses four.
    expect(claimWith("pruning 50 %", "the shift").ours).toBeCloseTo(-2, 6);
    expect(claimWith("pruning 50 %", "the add").ours).toBeCloseTo(0, 6);
    expect(claim("half of the weights pruned").ours).toBeCloseTo(2, 6);
    expect(claim("values that differ")).toMatchObject({ ours: 0, held: true });
    const accuracies = tables.find(({ title }) => title === "Accuracy")!.rows;
    const optimizerOf = (network: string) => accuracies.find(([name]) => name === network)![5];
    expect(optimizerOf("shift-add")).toBe("sgd-0.3");
    expect(optimizerOf("add")).toBe("sgd-0.1");
    // Three precisions of shift-add and of shift, two of convolution and add, one of the others.
    expect(accuracies.length).toBe(13);
    expect(accuracies.map(([name, precision, seeds]) => [name, precision, seeds].join())).toContain("shift,8 bit,3");
    // Energy stands beside the mean accuracy.
    const inference = tables.find(({ title }) => title === "Energy of an image's inference")!.rows;
    expect(inference.find(([name]) => name === "shift-add")![2]).toBe(66);
  });

  it("does not take a tie for more", () => {
    const { claims } = conclude({});
    const above = claims.filter(({ text }) => text.includes("more than"));
    expect(above.length).toBe(8);
    expect(above.every(({ ours, held }) => ours === 0 && !held)).toBe(true);
  });

  it("says what did not hold, with what was tried", () => {
    const half = (of: typeof part) => ({ ...of, operationsPj: of.operationsPj / 2, shiftPj: of.shiftPj / 2 });
    const { claims } = conclude({
      [energyOf("shift-add")]: {
        ...energy,
        rows: energy.rows.map((row) => ({ ...row, inference: half(row.inference), training: half(row.training) })),
      },
      [training("wide-add", "float32", 0)]: { ...plain, accuracyFraction: 0.65 },
      [pieceName.integers("shift-add")]: { ...integers, differing: 3 },
    });
    const failed = claims.filter(({ held }) => !held);
    const at8 = (phase: string, units: string) =>
      failed.find(({ text }) => text.includes(`precision (8 bit), ${phase}, ASIC operators ${units}`))!;
    expect(at8("inference", "alone").ours).toBe(50);
    // Half of the shift weights are zero, and shifts are half of the operations.
    expect(at8("inference", "alone").tried[0]).toContain("(50 % after training): 62.5 %");
    expect(at8("inference", "alone").tried.join()).toContain("pruned by 90 %, zeros skipped: 73.8 %");
    expect(at8("inference", "and memory").ours).toBe(12.5);
    expect(at8("training", "alone").tried.join()).toContain("shifts frozen as drawn (60 % in fixed point): 0 %");
    const wide = failed.find(({ text }) => text.includes("wide-add"))!;
    expect(wide.ours).toBe(-5);
    expect(failed.find(({ text }) => text.includes("values that differ"))!.ours).toBe(3);
    const tried = failed.filter(({ text }) => !text.includes("values that differ"));
    expect(tried.every((claim) => claim.tried.length >= 3)).toBe(true);
  });
});

it("runs its pieces: tuning, trainings in fixed point, pruning with retraining, integers, energy", {
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
    prunedShares: [0, 0.5],
  };
  const runtime = await createRuntime({ threads: 1 });
  const dataset = stripes({ train: 16, validation: 8, test: 8 });
  const results = await runPieces(piecesOf(tiny), runtime, dataset);
  await runtime.release();
  expect([...results.keys()]).toEqual([
    "tuning-shift-radam-0.5",
    "tuning-shift-sgd-0.1-radam-1",
    "shift-float32-seed0",
    "tuning-shift-add-sgd-1",
    "tuning-shift-add-sgd-0.1-radam-0.1",
    "shift-add-float32-seed0",
    "shift-add-fixed16-seed0",
    "wide-shift-float32-seed0",
    "pruned-shift-add",
    "integers-shift-add",
    "modelled-energy-shift",
    "modelled-energy-shift-add",
    "modelled-energy-wide-shift",
  ]);
  const chosen = trainingSchema.parse(results.get("shift-float32-seed0"));
  const tunings = ["tuning-shift-radam-0.5", "tuning-shift-sgd-0.1-radam-1"].map((name) => results.get(name));
  // Test images are read for the chosen one alone.
  expect(tunings.every((figures) => !("accuracyFraction" in (figures as object)))).toBe(true);
  const fractions = tunings.map((figures) => tuningSchema.parse(figures).validationFraction);
  expect(chosen.validationFraction).toBe(Math.max(...fractions));
  const fixed = trainingSchema.parse(results.get("shift-add-fixed16-seed0"));
  expect(fixed.zeroFractions.shift!.before).toBeGreaterThan(0.3);
  const [control, pruned] = pruningSchema.parse(results.get("pruned-shift-add"));
  expect(control!.zeroFractions.add!.after).toBe(0);
  expect(pruned!.zeroFractions.add!.after).toBeCloseTo(0.5, 1);
  const inIntegers = integersSchema.parse(results.get("integers-shift-add"));
  expect(inIntegers).toMatchObject({ blocks: 3, images: 1, differing: 0 });
  expect(inIntegers.values).toBe(4 * (64 + 16 + 4));
  expect(energySchema.parse(results.get("modelled-energy-shift-add")).rows.length).toBe(9);
});
