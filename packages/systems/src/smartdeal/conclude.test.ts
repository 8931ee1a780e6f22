import { expect, it } from "vitest";
import { type CardTable, conclusionSchema } from "../reproduction/card.js";
import { concludeSmartDeal } from "./conclude.js";
import { experiments } from "./experiment.js";
import type { ModelledEnergy, PieceFigures } from "./figures.js";
import { piecesOf } from "./pieces.js";

const kept = { columns: 3, rows: 100, keptRows: 80, bases: 10 };
const float = { elementType: "float32", elements: 300, bits: 9600 };
const dense: PieceFigures = {
  accuracyFraction: 0.7,
  lastAccuracyFraction: 0.7,
  steps: 10,
  losses: [2, 1],
  storage: { denseWeightBits: 9600, weightBits: 9600, otherBits: 400, kept: {} },
  betweenSteps: {
    layers: {
      "a.weight": [
        { tensor: "weight", ...float },
        { tensor: "momentum", ...float },
      ],
    },
    floatWeights: 300,
  },
  inputZeros: { a: 0.5 },
};
const ours: PieceFigures = {
  ...dense,
  storage: { denseWeightBits: 9600, weightBits: 600, otherBits: 400, kept: { "a.weight": kept } },
  betweenSteps: {
    layers: { "a.weight": [{ tensor: "coefficients", elementType: "int8", elements: 300, bits: 2400 }] },
    floatWeights: 0,
  },
};
const [networks, methods] = [
  ["resnet20", "vgg11-bn"],
  ["dense", "switch", "accumulate", "accumulate-fewer-rows", "latent", "round", "switch-momentum"],
] as const;

/** Dense float32 500 pJ a step, ours half of it, 8 bits a fifth of each. */
const energy: ModelledEnergy = {
  steps: networks.flatMap((network) =>
    methods.flatMap((method) =>
      (["float32", "integer8"] as const).flatMap((arithmetic) =>
        [1, 128].map((batchSize) => {
          const pj = (method === "dense" ? 100 : 50) / (arithmetic === "float32" ? 1 : 5);
          const part = { weightsPj: pj, activationsPj: 0, arithmeticPj: pj / 4, rebuildPj: 0 };
          const parts = { forward: part, error: part, weightGradient: part, update: part };
          return { network, method, arithmetic, batchSize, parts };
        }),
      ),
    ),
  ),
  inference: [
    { weights: "dense", usesZeros: false, energyPj: 12 },
    { weights: "dense", usesZeros: true, energyPj: 9 },
    { weights: "ours", usesZeros: false, energyPj: 8 },
    { weights: "ours", usesZeros: true, energyPj: 6 },
  ],
  fewerRows: [0.65, 0.5, 0.35].map((keptRowShare) => ({
    keptRowShare,
    storage: 6 / keptRowShare,
    training: { float32: 1.2, integer8: 1.3 },
    inference: 2.2,
  })),
};

/** Results of all pieces of the full run, each with figures of its own. */
const results = new Map<string, unknown>(
  piecesOf(experiments.full).map(({ name }) => {
    if (name === "energy") return [name, energy];
    const accuracies: Readonly<Record<string, number>> = {
      "scratch-switch-seed0": 0.7,
      "scratch-switch-seed1": 0.69,
      "scratch-switch-seed2": 0.68,
      "scratch-accumulate-seed1": 0.73,
      "scratch-accumulate-fewer-rows-seed0": 0.68,
      "scratch-accumulate-8-seed0": 0.67,
      "scratch-switch-averaged-seed0": 0.71,
      "scratch-switch-averaged-seed1": 0.71,
      "scratch-switch-averaged-seed2": 0.71,
      "scratch-latent-averaged-seed1": 0.67,
      "scratch-switch-8-seed2": 0.64,
      "fine-tuning-switch-seed0": 0.76,
      "adaptation-latent-seed2": 0.58,
    };
    const isDense = name.includes("dense") || name.includes("before");
    const own = name in accuracies ? { accuracyFraction: accuracies[name]!, lastAccuracyFraction: 0.5 } : {};
    return [name, { ...(isDense ? dense : ours), ...own }];
  }),
);

const conclusion = conclusionSchema.parse(concludeSmartDeal("full", results));
const claim = (text: string) => conclusion.claims.find((candidate) => candidate.text.includes(text))!;
const cell = ({ columns, rows }: CardTable, row: number, column: string) => rows[row]![columns.indexOf(column)];

it("compares seed by seed what was trained on the same batches", () => {
  expect(claim("Bucket switching: test accuracy")).toMatchObject({ ours: -1, perSeed: [0, -1, -2], held: true });
  expect(claim("Accumulated updates: test accuracy")).toMatchObject({ ours: 1, perSeed: [0, 3, 0], held: true });
  expect(claim("55 % of the rows: test accuracy")).toMatchObject({ ours: -2, held: false });
  expect(claim("updates with 8-bit operands: test")).toMatchObject({ ours: -1, perSeed: [-3, 0, 0], held: true });
  expect(claim("switching with 8-bit operands: test")).toMatchObject({ ours: -2, perSeed: [0, 0, -6], held: false });
  expect(claim("switching, fine-tuning")).toMatchObject({ ours: 2, perSeed: [6, 0, 0], held: true });
  expect(claim("coefficients, adaptation")).toMatchObject({ ours: -4, perSeed: [0, 0, -12], held: false });
  // Against the same method whose rate falls to the end, not against the averaged training's own last step.
  expect(claim("Bucket switching, averaged")).toMatchObject({ ours: 2, perSeed: [1, 2, 3], held: true });
  expect(claim("Latent coefficients, averaged")).toMatchObject({ ours: -1, perSeed: [0, -3, 0], held: false });
});

it("holds the published energies against equal operands", () => {
  const energies = conclusion.claims.filter(({ text }) => text.includes("training energy"));
  expect(energies.map(({ ours, held }) => [ours, held])).toEqual([
    [2, false],
    [2, false],
  ]);
  // The mixed ratio, and what 8 bits give dense SGD alone, are told where the claim fails.
  expect(energies[0]!.tried[0]).toMatch(/10 ×.*alone gives 5 ×/);
  const ratios = conclusion.tables.find(({ title }) => title.startsWith("Training energy: dense"))!;
  expect(ratios.rows.map((_, row) => cell(ratios, row, "float32 dense over dense, ×"))).toEqual(
    ratios.rows.map(([, , operands]) => (operands === "float32" ? 1 : 5)),
  );
  expect(claim("Inference of one image")).toMatchObject({ ours: 2, held: false });
  expect(claim("Inference of one image").text).toContain("dense without use of its activations' zeros");
});

it("counts what stands for the weights between steps, and what is stored", () => {
  expect(claim("values of float32 weights")).toMatchObject({ claimed: 0, ours: 0, held: true });
  const spoilt = new Map(results).set("scratch-switch-seed1", {
    ...ours,
    betweenSteps: { ...ours.betweenSteps, floatWeights: 3 },
  });
  const spoiltClaims = concludeSmartDeal("full", spoilt).claims;
  expect(spoiltClaims.find(({ text }) => text.includes("values of float32 weights"))!.held).toBe(false);
  expect(claim("biases and normalizations counted")).toMatchObject({ ours: 10, held: true });
  expect(claim("(published), at least")).toMatchObject({ ours: 10, held: false });
  const [table] = conclusion.tables;
  // Weight and momentum, 19,200 bits, over 2,400.
  expect(
    table!.rows.map(([name], row) => [name, cell(table!, row, "weights and their state between steps, ×")]),
  ).toEqual(
    [...experiments.full.methods.map(({ name }) => name), "dense-8", "switch-8", "accumulate-8"].map((name) => [
      name,
      name.startsWith("dense") ? 1 : 8,
    ]),
  );
  expect(table!.rows.map(([name, seeds]) => [name, seeds])).toEqual([
    ["dense", 3],
    ["switch", 3],
    ["accumulate", 3],
    ["accumulate-fewer-rows", 1],
    ["latent", 3],
    ["round", 1],
    ["switch-momentum", 1],
    ["switch-averaged", 3],
    ["latent-averaged", 3],
    ["dense-8", 3],
    ["switch-8", 3],
    ["accumulate-8", 3],
  ]);
});

it("says at least three things that were tried wherever a claim fails", () => {
  const failed = conclusion.claims.filter(({ held }) => !held);
  expect(failed.length).toBeGreaterThan(5);
  for (const { text, tried } of failed) expect([text, tried.length >= 3]).toEqual([text, true]);
});

it("runs less than five hours of steps of 0.4 s, as measured in float32 on one of two busy cores", () => {
  const work = piecesOf(experiments.full).reduce((sum, piece) => sum + piece.work, 0);
  expect(work * 0.4).toBeLessThan(5 * 3600);
});
