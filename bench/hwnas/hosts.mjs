// This machine as a device: sums of measured operators beside whole networks.
import { readFileSync } from "node:fs";
import path from "node:path";
import { kendallTau, parseDeviceTable, pearsonR } from "@dovetail/nasbench";
import { claim } from "./claim.mjs";

export function hostClaims(folder) {
  const tables = ["cells", "fbnet"].map((name) =>
    parseDeviceTable(readFileSync(path.join(folder, `${name}.json`), "utf8")),
  );
  const hosts = tables.map((table) => {
    const measured = table.networks.map(({ measuredMs }) => measuredMs);
    const predicted = table.networks.map(({ predictedMs }) => predictedMs);
    const errors = measured.map((ms, index) => Math.abs(predicted[index] / ms - 1)).sort((a, b) => a - b);
    const middle = errors.length / 2;
    const medianError = (errors[Math.floor(middle)] + errors[Math.ceil(middle) - 1]) / 2;
    return { table, medianError, kendall: kendallTau(measured, predicted), pearson: pearsonR(measured, predicted) };
  });
  const claims = hosts.map(({ table, medianError }) =>
    claim({
      text: `median error of sums of measured operators on ${table.networks.length} whole networks, ${table.space} (at most 10 %)`,
      source: "systems.md, section 10",
      claimed: 10,
      ours: 100 * medianError,
      unit: "%",
      held: medianError <= 0.1,
    }),
  );
  return { claims, hosts };
}
