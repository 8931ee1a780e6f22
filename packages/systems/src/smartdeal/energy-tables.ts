// The tables of SmartDeal's card that come from the model of energy.

import type { CardTable } from "../reproduction/card.js";
import { rounded } from "../reproduction/claims.js";
import { type Experiment, fewerRowsName } from "./experiment.js";
import { wideNetworkName } from "./figures.js";
import { inferencePj, partsOf, type Results, ratioOf } from "./results.js";
import { partPj, stepParts } from "./training-energy.js";

export function partsTable(experiment: Experiment, results: Results): CardTable {
  const { batchSize, depth } = experiment;
  const compared = ["dense", "switch", "accumulate", fewerRowsName, "latent", "round", "switch-momentum"];
  const microjoules = (pj: number): number => rounded(pj / 1e6 / batchSize, 4);
  const rows = compared.flatMap((method) => {
    const parts = partsOf(results, { network: `resnet${depth}`, method, arithmetic: "float32", batchSize });
    return stepParts.map((part) => {
      const { weightsPj, activationsPj, arithmeticPj, rebuildPj } = parts[part];
      return [
        method,
        partTitles[part],
        ...[weightsPj, activationsPj, arithmeticPj, rebuildPj, partPj(parts[part])].map(microjoules),
      ];
    });
  });
  return {
    title: `Training energy of an image by part, float32, ${batchSize} images a step`,
    columns: [
      "method",
      "part",
      "weights and state, µJ",
      "activations, µJ",
      "arithmetic, µJ",
      "rebuilding, µJ",
      "sum, µJ",
    ],
    rows,
    note: "Weights, state and activations: DRAM and buffer, the update's DRAM alone. Arithmetic: units and their registers.",
  };
}

const partTitles = {
  forward: "forward",
  error: "backward to activations",
  weightGradient: "gradient of weights",
  update: "update",
} as const;

export function ratiosTable({ batchSize, depth }: Experiment, results: Results): CardTable {
  const rows = [`resnet${depth}`, wideNetworkName].flatMap((network) =>
    [1, batchSize].flatMap((batch) =>
      (["float32", "integer8"] as const).map((arithmetic) => [
        network,
        batch,
        arithmetic === "float32" ? "float32" : "8 bit",
        ...["switch", "accumulate", fewerRowsName, "latent", "round", "switch-momentum"].map((method) =>
          rounded(ratioOf(results, { network, method, arithmetic, against: arithmetic, batchSize: batch }), 4),
        ),
        ...["dense", "switch"].map((method) =>
          rounded(ratioOf(results, { network, method, arithmetic, against: "float32", batchSize: batch }), 4),
        ),
      ]),
    ),
  );
  return {
    title: "Training energy: dense SGD over ours",
    columns: [
      "network",
      "images a step",
      "operands",
      "switch, ×",
      "accumulate, ×",
      `${fewerRowsName}, ×`,
      "latent, ×",
      "round, ×",
      "switch-momentum, ×",
      "float32 dense over dense, ×",
      "float32 dense over switch, ×",
    ],
    rows,
    note: `${wideNetworkName}: shapes only, the method's share of rows kept in every layer; it was not trained. The first six columns compare equal operands; the last two the operands with float32, dense SGD's alone and with ours.`,
  };
}

export function inferenceTable(results: Results): CardTable {
  const plain = inferencePj(results, "dense", false);
  const titles = { dense: "dense", ours: "coefficients and bases" } as const;
  return {
    title: "Inference of one image at 8 bits",
    columns: ["weights", "zeros of activations", "energy, µJ", "dense over this, ×"],
    rows: results.energy.inference.map(({ weights, usesZeros, energyPj }) => [
      titles[weights],
      usesZeros ? "a bit a word, skipped" : "as other words",
      rounded(energyPj / 1e6, 4),
      rounded(plain / energyPj, 4),
    ]),
    note: "Shares of zeros measured layer by layer on 200 training images, of the two networks trained with 8-bit operands.",
  };
}
