import { inputError } from "@dovetail/core";
import type { FigureSource } from "./source.js";
import { columnIndex } from "./source-lookup.js";
import { stillmakerArea, stillmakerEnergy } from "./tables/stillmaker.js";

/** A factor from one technology node to another. */
export interface ScalingFactor {
  readonly factor: number;
  readonly source: FigureSource;
}

/**
 * Factor by which energy or area of logic changes from one node to another (Stillmaker and Baas; cost-model.md section
 * 8.8). Energy: ratio of two polynomials in the supply voltage, the same voltage at both nodes (default 0.9 V). Area: the
 * published pairs of nodes only, in either direction. Throws `no_scaling_data` where a factor would have to be invented.
 */
export function scaleTechnology(options: {
  readonly quantity: "energy" | "area";
  readonly fromNm: number;
  readonly toNm: number;
  readonly supplyVolts?: number | undefined;
}): ScalingFactor {
  const { quantity, fromNm, toNm, supplyVolts = 0.9 } = options;
  if (fromNm === toNm) return { factor: 1, source: stillmakerEnergy.source };
  if (quantity === "area") return { factor: areaFactor(fromNm, toNm), source: stillmakerArea.source };
  const factor = gateEnergy(toNm, supplyVolts) / gateEnergy(fromNm, supplyVolts);
  return { factor, source: stillmakerEnergy.source };
}

function gateEnergy(nm: number, volts: number): number {
  const row = stillmakerEnergy.rows.find((candidate) => candidate[0] === nm);
  if (row === undefined) {
    throw inputError("no_scaling_data", "no energy polynomial for this technology node", {
      expected: `one of ${stillmakerEnergy.rows.map((candidate) => candidate[0]).join(", ")} nm`,
      received: `${nm} nm`,
    });
  }
  const coefficient = (name: "a" | "b" | "c"): number => row[columnIndex(stillmakerEnergy, name)]!;
  return coefficient("a") * volts ** 2 + coefficient("b") * volts + coefficient("c");
}

function areaFactor(fromNm: number, toNm: number): number {
  const forward = stillmakerArea.rows.find((row) => row[0] === fromNm && row[1] === toNm);
  if (forward !== undefined) return forward[2]!;
  const backward = stillmakerArea.rows.find((row) => row[0] === toNm && row[1] === fromNm);
  if (backward !== undefined) return 1 / backward[2]!;
  throw inputError("no_scaling_data", "no area factor for this pair of technology nodes", {
    expected: `one of ${stillmakerArea.rows.map((row) => `${row[0]} to ${row[1]}`).join(", ")} nm`,
    received: `${fromNm} to ${toNm} nm`,
  });
}
