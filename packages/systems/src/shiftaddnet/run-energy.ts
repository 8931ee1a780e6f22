// The energies of ShiftAddNet's reproduction.

import { operationTables } from "@dovetail/hardware";
import type { PieceContext } from "../reproduction/reproduction.js";
import { type EnergyTable, networkEnergy, weightBits } from "./energy.js";
import { type Experiment, type NetworkChoice, networkFor, tunedAs } from "./experiment.js";
import type { EnergyResult } from "./figures.js";
import { countOperations } from "./networks.js";
import { type PrecisionName, precisions } from "./precision.js";
import { chosenOptimizer } from "./run-training.js";
import { updateRule } from "./training.js";

/** Tables that say something of a precision: synthesised are integer units alone, interpolated integers of 16 bit. */
const tablesOf: Readonly<Record<PrecisionName, readonly EnergyTable[]>> = {
  float32: operationTables.filter((table) => table !== "synthesised45"),
  fixed16: [...operationTables, "interpolated45"],
  fixed8: operationTables,
};

/** Energy of a network at all precisions, updated by the optimizer that was chosen. */
export async function runEnergy(
  experiment: Experiment,
  choice: NetworkChoice,
  { dataset: load, result }: PieceContext,
): Promise<EnergyResult> {
  const network = networkFor(experiment, choice, await load(experiment.data));
  const optimizer = chosenOptimizer(tunedAs(experiment, choice), result);
  const names = Object.keys(precisions) as readonly PrecisionName[];
  const rows = names.flatMap((name) =>
    tablesOf[name].map((table) => {
      const precision = precisions[name];
      const { inference, training } = networkEnergy({
        network,
        precision,
        table,
        batchSize: experiment.batchSize,
        updateRuleOf: (role) => updateRule(optimizer, role),
      });
      const { byPart, ...whole } = training;
      const bits = weightBits(network, precision);
      return { precision: name, table, weightBits: bits, inference, training: whole, parts: { ...byPart } };
    }),
  );
  return { operations: { ...countOperations(network) }, rows };
}
