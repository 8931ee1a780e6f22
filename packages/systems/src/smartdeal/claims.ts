// The claims of SmartDeal's card.

import type { Claim } from "../reproduction/card.js";
import { claimOf, percent, points } from "../reproduction/claims.js";
import { type Setting, settings } from "../reproduction/data-splits.js";
import { type Experiment, fewerRowsName, fewerRowsShare, seedsOf } from "./experiment.js";
import { type PieceFigures, pieceName } from "./figures.js";
import { inferencePj, type Results, ratioOf, storageRatio } from "./results.js";
import type { Arithmetic } from "./training-machine.js";
import {
  triedAccumulating,
  triedAveraging,
  triedEnergy,
  triedFewerRows,
  triedInference,
  triedIntegers,
  triedScratch,
  triedSetting,
} from "./tried.js";

const required = "systems.md §2, shows that it works";
const published = "SmartDeal (2021)";
const titles = {
  switch: "Bucket switching",
  accumulate: "Accumulated updates",
  latent: "Latent coefficients",
} as const;
const compared = ["switch", "accumulate", "latent"] as const;
/** Rules whose state is codes and counters. */
const counting = ["switch", "accumulate"] as const;
type Counting = (typeof counting)[number];

const required8 = { share: 8, source: required, what: ", biases and normalizations counted" };
const published10 = { share: 10.56, source: published, what: " (published)" };

export function claimsOf(experiment: Experiment, results: Results): Claim[] {
  return [
    ...scratchClaims(experiment, results),
    ...counting.map((method) => betweenStepsClaim(experiment, results, method)),
    ...storageClaims(experiment, results),
    fewerRowsClaim(experiment, results),
    ...(["float32", "integer8"] as const).map((arithmetic) => energyClaim(experiment, results, arithmetic)),
    ...counting.map((method) => integerClaim(experiment, results, method)),
    inferenceClaim(results),
    ...settings.flatMap((setting) => settingClaims(experiment, results, setting)),
    ...averagedClaims(experiment, results),
  ];
}

/** Points above, seed by seed. */
function accuracyClaim(
  { seeds }: Experiment,
  claim: {
    readonly text: string;
    readonly source: string;
    readonly claimed: number;
    readonly tried: readonly string[];
    readonly ours: (seed: number) => PieceFigures;
    readonly base: (seed: number) => PieceFigures;
  },
): Claim {
  const { ours, base, ...told } = claim;
  const perSeed = seeds.map((seed) => points(ours(seed).accuracyFraction, base(seed).accuracyFraction));
  return claimOf({ ...told, unit: "points", perSeed, direction: "atLeast" });
}

function scratchClaims(experiment: Experiment, { scratch }: Results): Claim[] {
  return compared.map((method) =>
    accuracyClaim(experiment, {
      text: `${titles[method]}: test accuracy above dense SGD's of the same effort, at least`,
      source: method === "latent" ? "systems.md §2, ablation; limit ours, that of bucket switching" : required,
      claimed: -1,
      tried: method === "accumulate" ? triedAccumulating : triedScratch,
      ours: (seed) => scratch(method, seed),
      base: (seed) => scratch("dense", seed),
    }),
  );
}

function betweenStepsClaim({ seeds }: Experiment, { scratch }: Results, method: Counting): Claim {
  return claimOf({
    text: `${titles[method]}: values of float32 weights, or of what else stands for weights but codes with their counters and bases with their momentum, in any checkpoint of a training, at most`,
    source: required,
    claimed: 0,
    unit: "values",
    perSeed: seeds.map((seed) => scratch(method, seed).betweenSteps.floatWeights),
    direction: "atMost",
  });
}

function storageClaims(experiment: Experiment, results: Results): Claim[] {
  const claim = (title: string, method: string, { share, source, what }: typeof required8): Claim =>
    claimOf({
      text: `${title}: storage of all parameters, float32 over ours${what}, at least`,
      source,
      claimed: share,
      unit: "×",
      perSeed: seedsOf(experiment, method).map((seed) => storageRatio(results.scratch(method, seed))),
      direction: "atLeast",
      tried: triedFewerRows(results),
    });
  return [
    claim(titles.switch, "switch", required8),
    claim(titles.switch, "switch", published10),
    claim(titles.accumulate, "accumulate", required8),
    claim(fewerRowsTitle, fewerRowsName, published10),
  ];
}

const fewerRowsTitle = `${titles.accumulate} with ${percent(fewerRowsShare)} % of the rows`;

/** One seed: a training of more than ten minutes. */
function fewerRowsClaim(experiment: Experiment, { scratch }: Results): Claim {
  return accuracyClaim(
    { ...experiment, seeds: seedsOf(experiment, fewerRowsName) },
    {
      text: `${fewerRowsTitle}: test accuracy above dense SGD's of the same effort, at least`,
      source: required,
      claimed: -1,
      tried: triedAccumulating,
      ours: (seed) => scratch(fewerRowsName, seed),
      base: (seed) => scratch("dense", seed),
    },
  );
}

/** At equal operands: 8 bits alone give dense training more than what is published. */
function energyClaim(experiment: Experiment, results: Results, arithmetic: Arithmetic): Claim {
  const { batchSize, depth } = experiment;
  const operands = arithmetic === "float32" ? "float32" : "8-bit operands";
  const options = { network: `resnet${depth}`, method: "switch", arithmetic, against: arithmetic, batchSize };
  return claimOf({
    text: `Bucket switching: training energy, dense SGD over ours, ${operands} for both, ${batchSize} images a step (published), at least`,
    source: published,
    claimed: 4.48,
    unit: "×",
    perSeed: [ratioOf(results, options)],
    direction: "atLeast",
    tried: triedEnergy(experiment, results),
  });
}

function integerClaim(experiment: Experiment, { scratch }: Results, method: Counting): Claim {
  return accuracyClaim(experiment, {
    text: `${titles[method]} with 8-bit operands: test accuracy above dense training's with 8-bit operands, at least`,
    source: "limit ours, that of float32",
    claimed: -1,
    tried: method === "accumulate" ? triedAccumulating : triedIntegers,
    ours: (seed) => scratch(`${method}-8`, seed),
    base: (seed) => scratch("dense-8", seed),
  });
}

function inferenceClaim(results: Results): Claim {
  return claimOf({
    text: "Inference of one image at 8 bits: energy, dense without use of its activations' zeros over ours with use of them (published, on real hardware), at least",
    source: published,
    claimed: 2.44,
    unit: "×",
    perSeed: [inferencePj(results, "dense", false) / inferencePj(results, "ours", true)],
    direction: "atLeast",
    tried: triedInference(results),
  });
}

function settingClaims(experiment: Experiment, { figures }: Results, setting: Setting): Claim[] {
  return compared.map((method) =>
    accuracyClaim(experiment, {
      text: `${titles[method]}, ${setting}: test accuracy above dense SGD's, at least`,
      source: "systems.md §2, tasks; limit ours, that of training from scratch",
      claimed: -1,
      tried: method === "accumulate" ? triedAccumulating : triedSetting,
      ours: (seed) => figures(pieceName.after(setting, method, seed)),
      base: (seed) => figures(pieceName.after(setting, "dense", seed)),
    }),
  );
}

function averagedClaims(experiment: Experiment, { scratch }: Results): Claim[] {
  return experiment.methods.flatMap(({ name, averageOf }) =>
    averageOf === undefined
      ? []
      : accuracyClaim(experiment, {
          text: `${titles[averageOf]}, averaged: test accuracy above that of the same method whose rate falls to the end, at least`,
          source: "SmartDeal's variant with stochastic weight averaging; limit ours",
          claimed: 0,
          tried: triedAveraging,
          ours: (seed) => scratch(name, seed),
          base: (seed) => scratch(averageOf, seed),
        }),
  );
}
