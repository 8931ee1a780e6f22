import {
  type Architecture,
  type DataSpaceCost,
  evaluateCost,
  importTimeloopArchitecture,
  importTimeloopMapping,
  importTimeloopProblem,
  type LevelCost,
  type MappingCost,
  timeloopComponentSchema,
  timeloopEnergySchema,
  timeloopMappingSchema,
  timeloopProblemSchema,
} from "@dovetail/hardware";
import * as z from "zod";
import { type Comparison, type GoldenCase, type GoldenDifference, judge, skip, startComparison } from "./result.js";
import {
  compareLevelTotals,
  ENERGY_TOLERANCE_PJ,
  type Figures,
  figuresOf,
  type ReferenceCase,
  referenceCaseSchema,
} from "./timeloop-figures.js";
import { compareSparseCase } from "./timeloop-sparse.js";

// Reference outputs that Timeloop's exercises publish.

const setSchema = z.array(referenceCaseSchema);

/** The set `timeloop_reference`. Densities alone change nothing: Timeloop looks at them when something is optimized. */
export function compareTimeloopReference(data: unknown): GoldenCase[] {
  return setSchema.parse(data).map((entry) => {
    const compare = (): readonly GoldenDifference[] =>
      entry.sparse_optimizations === undefined ? compareCase(entry) : compareSparseCase(entry);
    return entry.judged ? judge(entry.id, compare) : skip(entry.id, entry.reason ?? "not judged", compare);
  });
}

function compareCase(entry: ReferenceCase): readonly GoldenDifference[] {
  const architecture = architectureOf(entry);
  const cost = evaluateCost(
    importTimeloopProblem(timeloopProblemSchema.parse(entry.problem)),
    architecture,
    importTimeloopMapping(timeloopMappingSchema.parse(entry.mapping_printed)),
    { model: "timeloop" },
  );
  const comparison = startComparison();
  if (!cost.ok) {
    comparison.expectText("mapping", "fits", `${cost.reason} ${cost.level ?? ""}`);
    return comparison.differences;
  }
  const figures = figuresOf(entry);
  for (const { name } of entry.expected.levels) {
    const level = cost.levels.find((candidate) => candidate.level === name);
    if (level) compareLevel(comparison, figures, level);
    else if (name === cost.compute.name) compareCompute(comparison, figures, cost);
  }
  comparison.expect("total cycles", figures(undefined, undefined, "Cycles"), cost.latencyCycles);
  comparison.expect("total computes", figures(undefined, undefined, "Computes"), cost.macs);
  // Printed in microjoules with two digits; the energy of wires, where a case has any, is not ours to tell.
  if (entry.expected.networks.length > 0) return comparison.differences;
  comparison.expect("total energy (uJ)", figures(undefined, undefined, "Energy"), cost.energyPj * 1e-6, 0.01);
  return comparison.differences;
}

function architectureOf(entry: ReferenceCase): Architecture {
  const components = z.array(timeloopComponentSchema).parse(entry.architecture);
  return importTimeloopArchitecture(entry.id, components, timeloopEnergySchema.parse(entry.energy_table_pJ));
}

function compareLevel(comparison: Comparison, figures: Figures, level: LevelCost): void {
  const name = level.level;
  compareLevelTotals(comparison, figures, level);
  for (const space of level.dataSpaces) {
    const figure = (stat: string): number | undefined => figures(name, space.dataSpace, stat);
    const expectCount = (stat: string, found: number): void =>
      comparison.expect(`${name} ${space.dataSpace} ${stat}`, figure(stat), found);
    const expectEnergy = (stat: string, found: number): void =>
      comparison.expect(`${name} ${space.dataSpace} ${stat}`, figure(stat), found, ENERGY_TOLERANCE_PJ);
    for (const [stat, found] of countsOf(level, space)) expectCount(stat, found);
    expectEnergy("Energy (per-instance)", space.energyPerInstancePj);
    expectEnergy("Energy (total)", space.energyPj);
  }
}

function countsOf(level: LevelCost, space: DataSpaceCost): [string, number][] {
  return [
    ["Utilized capacity", space.tileWords],
    ["Partition size", space.partitionWords],
    ["Utilized instances (max)", level.instances],
    ["Utilized clusters (max)", level.clusters],
    ["Scalar reads (per-instance)", space.reads],
    ["Scalar fills (per-instance)", space.fills],
    ["Scalar updates (per-instance)", space.updates],
    ["Temporal reductions (per-instance)", space.temporalReductions],
  ];
}

function compareCompute(comparison: Comparison, figures: Figures, { compute }: MappingCost): void {
  const figure = (stat: string): number | undefined => figures(compute.name, undefined, stat);
  comparison.expect(`${compute.name} instances`, figure("Utilized instances"), compute.units);
  comparison.expect(`${compute.name} computes`, figure("Computes (total)"), compute.macs);
  comparison.expect(`${compute.name} cycles`, figure("Cycles"), compute.cycles);
  comparison.expect(`${compute.name} energy`, figure("Energy (total)"), compute.energyPj, ENERGY_TOLERANCE_PJ);
}
