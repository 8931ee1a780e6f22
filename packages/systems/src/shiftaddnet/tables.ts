// The tables of ShiftAddNet's card.

import type { CardTable } from "../reproduction/card.js";
import { mean, percent, rounded, standardDeviation } from "../reproduction/claims.js";
import type { EnergyTable } from "./energy.js";
import { seedsOf } from "./experiment.js";
import type { EnergyPartFigures } from "./figures.js";
import type { PrecisionName } from "./precision.js";
import type { Results } from "./results.js";

const tableTitles = {
  operators45: "bare operators, 45 nm ASIC",
  interpolated45: "the same, 16 bit interpolated",
  operatorsZc706: "bare operators, ZC706 FPGA",
  synthesised45: "synthesised units with accumulator, 45 nm",
} as const satisfies Readonly<Record<EnergyTable, string>>;

const tables = Object.keys(tableTitles) as readonly EnergyTable[];

const precisionTitles: Readonly<Record<PrecisionName, string>> = {
  float32: "float32",
  fixed16: "add 8 bit, shift 16 bit",
  fixed8: "8 bit",
};

const spreadOf = (values: readonly number[]): number | null =>
  values.length > 1 ? rounded(standardDeviation(values), 2) : null;

export function accuracyTable({ experiment, trained, energy, optimizerOf }: Results): CardTable {
  const { networks } = experiment;
  return {
    title: "Accuracy",
    columns: [
      "network",
      "precision",
      "seeds",
      "test accuracy, %",
      "deviation",
      "optimizer",
      "multiplications, 10⁶",
      "shifts, 10⁶",
      "additions of add layers, 10⁶",
      "weights, kB",
      "zero shift weights, %",
    ],
    rows: networks.flatMap(({ name, precisions: own }) =>
      own.map((precision) => {
        const all = seedsOf(experiment, [name, precision]).map((seed) => trained(name, precision, seed));
        const accuracies = all.map(({ accuracyFraction }) => 100 * accuracyFraction);
        const { operations, rows } = energy(name);
        const millions = (count: number): number => rounded(count / 1e6, 4);
        const zeros = all[0]!.zeroFractions.shift?.before;
        return [
          name,
          precisionTitles[precision],
          all.length,
          rounded(mean(accuracies), 4),
          spreadOf(accuracies),
          optimizerOf(name),
          millions(operations.multiply),
          millions(operations.shift),
          millions(operations.add),
          rounded(rows.find((row) => row.precision === precision)!.weightBits / 8192, 4),
          zeros === undefined ? null : percent(zeros),
        ];
      }),
    ),
    note: "Operations are points of one image's inference; of add layers, each is two additions.",
  };
}

export type Phase = "inference" | "training";

const integersOf16 =
  "Integers of 16 bit take the figures of the next wider operators that the tables have, multiplications and shifts those of 32 bit; interpolated, a shift is in proportion to its bits between 8 and 32, a multiplication to their square. Synthesised units of 16 bit take those of 8.";

/** What the energies of training count that one might not expect. */
const trainingNote =
  " Weight gradients leave the array as sums of 32 bit in every fixed-point network: they grow over the batch, and add layers' are rounded to 8 bit only when their largest is known. Convolutions and shift layers do not round theirs; the errors that they are made of are at the layer's bits in all. The update is in float32, of SGD or RAdam as chosen.";

export function energyTable({ experiment, energy, meanAccuracy }: Results, phase: Phase): CardTable {
  const rows = experiment.networks.flatMap((network) =>
    network.precisions.map((precision) => {
      const figures = energy(network.name).rows.filter((row) => row.precision === precision);
      const operations = (table: EnergyTable): number | null => {
        const row = figures.find((candidate) => candidate.table === table);
        return row ? rounded(row[phase].operationsPj / 1e6, 4) : null;
      };
      const asic = figures.find(({ table }) => table === "operators45")!;
      return [
        network.name,
        precisionTitles[precision],
        percent(meanAccuracy(network.name, precision)),
        ...tables.map(operations),
        rounded(asic[phase].memoryPj / 1e6, 4),
        rounded((asic[phase].operationsPj + asic[phase].memoryPj) / 1e6, 4),
      ];
    }),
  );
  return {
    title: phase === "inference" ? "Energy of an image's inference" : "Energy of an image in training",
    columns: [
      "network",
      "precision",
      "test accuracy, %",
      ...tables.map((table) => `${tableTitles[table]}, µJ`),
      "memory, µJ",
      "ASIC operators and memory, µJ",
    ],
    rows,
    note: `Accuracy is the mean over the seeds. Memory is that of the array at 45 nm in every row. ${integersOf16}${phase === "training" ? trainingNote : ""}`,
  };
}

export function partsTable({ experiment, energy }: Results): CardTable {
  const parts = ["forward", "error", "weightGradient", "update"] as const;
  return {
    title: "Training by part, operators of the 45 nm ASIC and memory",
    columns: ["network", "precision", "forward, µJ", "errors, µJ", "weight gradients, µJ", "update, µJ"],
    rows: experiment.networks.flatMap((network) =>
      network.precisions.map((precision) => {
        const row = energy(network.name).rows.find(
          (candidate) => candidate.precision === precision && candidate.table === "operators45",
        )!;
        return [
          network.name,
          precisionTitles[precision],
          ...parts.map((part) => {
            const { operationsPj, memoryPj } = row.parts[part]!;
            return `${rounded(operationsPj / 1e6, 3)} + ${rounded(memoryPj / 1e6, 3)}`;
          }),
        ];
      }),
    ),
    note: "Arithmetic + memory.",
  };
}

export function ratioTable({ experiment, energy }: Results, phase: Phase): CardTable {
  const rowOf = (network: string, precision: PrecisionName, table: EnergyTable) =>
    energy(network).rows.find((row) => row.precision === precision && row.table === table);
  const all = ({ operationsPj, memoryPj }: EnergyPartFigures): number => operationsPj + memoryPj;
  const rows = experiment.networks
    .filter(({ name }) => name !== "convolution")
    .flatMap((network) =>
      network.precisions.map((precision) => {
        const reference: PrecisionName = precision === "float32" ? "float32" : "fixed8";
        const cells = tables.flatMap((table) => {
          // Convolutions have no operands of 16 bit.
          const plain = rowOf("convolution", reference, table === "interpolated45" ? "operators45" : table);
          const own = rowOf(network.name, precision, table);
          if (!own || !plain) return [null, null];
          return [
            percent(own[phase].operationsPj / plain[phase].operationsPj),
            percent(all(own[phase]) / all(plain[phase])),
          ];
        });
        return [network.name, precisionTitles[precision], ...cells];
      }),
    );
  return {
    title: `Energy of ${phase} as a part of the convolutional network's at the same precision, %`,
    columns: ["network", "precision", ...tables.flatMap((table) => [tableTitles[table], "with memory"])],
    rows,
    note: `${eightBitAlone({ energy })} ${integersOf16}`,
  };
}

/** What 8 bits save without any other network: arithmetic on the table of operators. */
export function eightBitAlone({ energy }: Pick<Results, "energy">): string {
  const of = (precision: PrecisionName): number =>
    energy("convolution").rows.find((row) => row.precision === precision && row.table === "operators45")!.inference
      .operationsPj;
  return `Against convolutions in float32 the published savings follow from 8 bit alone, which saves convolutions ${percent(1 - of("fixed8") / of("float32"))} % of their operators' energy (ASIC, inference).`;
}

export function pruningTable({ experiment, pruned, trained }: Results): CardTable {
  return {
    title: "Pruning, float32",
    columns: [
      "network",
      "pruned, % of what is not zero",
      "zero shift weights, %",
      "zero add weights, %",
      "validation accuracy before retraining, %",
      "test accuracy after retraining, %",
      "test accuracy before pruning, %",
    ],
    rows: experiment.networks
      .filter(({ isPruned }) => isPruned)
      .flatMap(({ name }) =>
        pruned(name).map(({ share, zeroFractions, validationFraction, retrainedFraction }) => {
          const zeros = (kind: string): number | null => {
            const found = zeroFractions[kind];
            return found ? percent(found.after) : null;
          };
          return [
            name,
            percent(share),
            zeros("shift"),
            zeros("add"),
            percent(validationFraction),
            percent(retrainedFraction),
            percent(trained(name, "float32").accuracyFraction),
          ];
        }),
      ),
    note: "0 %: trained as much further without pruning. Zero add weights save storage, no work.",
  };
}

export function tuningTable({ experiment, tuned, optimizerOf }: Results): CardTable {
  return {
    title: "Optimizers, float32",
    columns: ["network", "optimizer", "validation accuracy, %", "chosen"],
    rows: experiment.networks.flatMap(({ name, optimizers }) =>
      optimizers.map((optimizer) => [
        name,
        optimizer,
        percent(tuned(name, optimizer).validationFraction),
        optimizerOf(name) === optimizer ? "yes" : "no",
      ]),
    ),
    note: "Test images are read for the chosen ones alone.",
  };
}
