import { type Architecture, instanceCounts } from "../architecture/architecture.js";
import { operationPj } from "../cost/rates.js";
import type { Problem } from "../workload/problem.js";
import { ranged } from "./timeloop-export-parts.js";
import { sparseEnergies } from "./timeloop-export-sparse.js";

// The tables that Accelergy would make for Timeloop.

/** The ERT: energies by component and action, pJ; of the units for a layer of the problem's kind. */
export function energyTable(problem: Problem, architecture: Architecture): object {
  const counts = instanceCounts(architecture);
  const table = (name: string, count: number, energies: Readonly<Record<string, number | undefined>>): object => ({
    name: `${architecture.name}.${ranged(name, count)}`,
    actions: Object.entries(energies).flatMap(([action, energy]) =>
      energy === undefined ? [] : [{ name: action, arguments: {}, energy }],
    ),
  });
  const { compute, levels } = architecture;
  const memories = levels.flatMap(({ name, storage, sparse }, index) =>
    storage === undefined
      ? []
      : [
          table(name, counts[index]!, {
            read: storage.readPj,
            write: storage.writePj,
            update: storage.updatePj ?? storage.writePj,
            leak: storage.leakagePjPerCycle ?? 0,
            ...sparseEnergies(sparse),
          }),
        ],
  );
  const { gatedPj, skippedPj } = compute.sparse ?? {};
  const unit = { compute: operationPj(problem, architecture), compute_gated: gatedPj, compute_skipped: skippedPj };
  return { ERT: { version: "0.4", tables: [...memories, table(compute.name, counts[levels.length]!, unit)] } };
}

/** The ART: areas by component, µm². */
export function areaTable(architecture: Architecture): object {
  const counts = instanceCounts(architecture);
  const table = (name: string, count: number, area: number | undefined): object[] =>
    area === undefined ? [] : [{ name: `${architecture.name}.${ranged(name, count)}`, area }];
  const { compute, levels } = architecture;
  return {
    ART: {
      version: "0.4",
      tables: [
        ...levels.flatMap(({ name, storage }, index) => table(name, counts[index]!, storage?.areaUm2)),
        ...table(compute.name, counts[levels.length]!, compute.areaUm2),
      ],
    },
  };
}
