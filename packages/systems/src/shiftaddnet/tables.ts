// The tables of ShiftAddNet's card.

import type { OperationTable } from "@dovetail/hardware";
import type { CardTable } from "../reproduction/card.js";
import { mean, percent, rounded, standardDeviation } from "../reproduction/claims.js";
import { type PrecisionName, seededRuns } from "./experiment.js";
import type { Results } from "./results.js";

const tableTitles: Readonly<Record<OperationTable, string>> = {
  operators45: "bare operators, 45 nm ASIC",
  operatorsZc706: "bare operators, ZC706 FPGA",
  synthesised45: "synthesised units with accumulator, 45 nm",
};

const precisionTitles: Readonly<Record<PrecisionName, string>> = {
  float32: "float32",
  fixed16: "add 8 bit, shift 16 bit",
  fixed8: "8 bit",
};

const spreadOf = (values: readonly number[]): number | null =>
  values.length > 1 ? rounded(standardDeviation(values), 2) : null;

export function accuracyTable({ experiment, trained, energy, optimizerOf }: Results): CardTable {
  const { networks, seeds } = experiment;
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
        const isRepeated = seededRuns.some(([network, at]) => network === name && at === precision);
        const all = (isRepeated ? seeds : seeds.slice(0, 1)).map((seed) => trained(name, precision, seed));
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

export function energyTable({ experiment, energy, trained }: Results, phase: "inference" | "training"): CardTable {
  const rows = experiment.networks.flatMap((network) =>
    network.precisions.map((precision) => {
      const figures = energy(network.name).rows.filter((row) => row.precision === precision);
      const operations = (table: OperationTable): number | null => {
        const row = figures.find((candidate) => candidate.table === table);
        return row ? rounded(row[phase].operationsPj / 1e6, 4) : null;
      };
      const asic = figures.find(({ table }) => table === "operators45")!;
      return [
        network.name,
        precisionTitles[precision],
        percent(trained(network.name, precision).accuracyFraction),
        operations("operators45"),
        operations("operatorsZc706"),
        ...(phase === "inference" ? [operations("synthesised45")] : []),
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
      `${tableTitles.operators45}, µJ`,
      `${tableTitles.operatorsZc706}, µJ`,
      ...(phase === "inference" ? [`${tableTitles.synthesised45}, µJ`] : []),
      "memory, µJ",
      "ASIC operators and memory, µJ",
    ],
    rows,
    note: `Accuracy of seed ${experiment.seeds[0]}. Memory is that of the array at 45 nm in every row.`,
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

export function ratioTable({ experiment, energy }: Results): CardTable {
  const tables = Object.keys(tableTitles) as readonly OperationTable[];
  const rowOf = (network: string, precision: PrecisionName, table: OperationTable) =>
    energy(network).rows.find((row) => row.precision === precision && row.table === table);
  return {
    title: "Energy as a part of the convolutional network's at the same precision, %",
    columns: ["network", "precision", ...tables.flatMap((table) => [tableTitles[table], "with memory"])],
    rows: experiment.networks
      .filter(({ name }) => name !== "convolution")
      .flatMap((network) =>
        network.precisions.map((precision) => {
          const reference: PrecisionName = precision === "float32" ? "float32" : "fixed8";
          const cells = tables.flatMap((table) => {
            const [own, plain] = [rowOf(network.name, precision, table), rowOf("convolution", reference, table)];
            if (!own || !plain) return [null, null];
            const all = ({ operationsPj, memoryPj }: { operationsPj: number; memoryPj: number }) =>
              operationsPj + memoryPj;
            return [
              percent(own.inference.operationsPj / plain.inference.operationsPj),
              percent(all(own.inference) / all(plain.inference)),
            ];
          });
          return [network.name, precisionTitles[precision], ...cells];
        }),
      ),
    note: "Inference. Against convolutions in float32 the published savings follow from 8 bit alone.",
  };
}

export function pruningTable({ experiment, pruned, trained }: Results): CardTable {
  return {
    title: "Pruning",
    columns: [
      "network",
      "pruned, % of what is not zero",
      "zero shift weights, %",
      "zero add weights, %",
      "test accuracy, %",
      "after retraining, %",
      "without pruning, %",
    ],
    rows: experiment.networks
      .filter(({ isPruned }) => isPruned)
      .flatMap(({ name }) =>
        pruned(name).map(({ share, zeroFractions, accuracyFraction, retrainedFraction }) => {
          const zeros = (kind: string): number | null => {
            const found = zeroFractions[kind];
            return found ? percent(found.after) : null;
          };
          return [
            name,
            percent(share),
            zeros("shift"),
            zeros("add"),
            percent(accuracyFraction),
            percent(retrainedFraction),
            percent(trained(name, "float32").accuracyFraction),
          ];
        }),
      ),
    note: "Zero add weights save storage, no work.",
  };
}

export function tuningTable({ experiment, tuned, optimizerOf }: Results): CardTable {
  return {
    title: "Optimizers, float32",
    columns: ["network", "optimizer", "validation accuracy, %", "test accuracy, %", "chosen"],
    rows: experiment.networks.flatMap(({ name, optimizers }) =>
      optimizers.map((optimizer) => {
        const { validationFraction, accuracyFraction } = tuned(name, optimizer);
        const isChosen = optimizerOf(name) === optimizer;
        return [name, optimizer, percent(validationFraction), percent(accuracyFraction), isChosen ? "yes" : "no"];
      }),
    ),
  };
}
