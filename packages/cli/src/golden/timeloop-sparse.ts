import {
  evaluateSparseCost,
  importTimeloopArchitecture,
  importTimeloopMapping,
  importTimeloopProblem,
  type SparseCost,
  type SparseLevelCost,
  type SparseSpaceCost,
  timeloopComponentSchema,
  timeloopEnergySchema,
  timeloopMappingSchema,
  timeloopProblemSchema,
  timeloopSparseSchema,
} from "@dovetail/hardware";
import * as z from "zod";
import { type Comparison, type GoldenDifference, startComparison } from "./result.js";
import { ENERGY_TOLERANCE_PJ, type Figures, figuresOf, type ReferenceCase } from "./timeloop-figures.js";

// The sparse ones among Timeloop's reference outputs. The file leaves out three attributes of a component: width and
// depth of its metadata memory, which the printed specifications have, and the width of one item of metadata, which
// they have not. A row of the memory is taken to hold one item. Only the sharing of bandwidth depends on it where a
// row holds several, and energies of metadata where a memory has them.

/** The differences of one sparse case. */
export function compareSparseCase(entry: ReferenceCase): readonly GoldenDifference[] {
  const components = z
    .array(timeloopComponentSchema)
    .parse(entry.architecture)
    .map((component) => ({ ...component, ...metadataOf(entry, component.name) }));
  const cost = evaluateSparseCost(
    importTimeloopProblem(timeloopProblemSchema.parse(entry.problem)),
    importTimeloopArchitecture(
      entry.id,
      components,
      timeloopEnergySchema.parse(entry.energy_table_pJ),
      timeloopSparseSchema.parse(entry.sparse_optimizations ?? {}),
    ),
    importTimeloopMapping(timeloopMappingSchema.parse(entry.mapping_printed)),
  );
  const comparison = startComparison();
  if (!cost.ok) {
    comparison.expectText("mapping", "fits", JSON.stringify(cost));
    return comparison.differences;
  }
  compareCost(comparison, figuresOf(entry), entry, cost);
  return comparison.differences;
}

function metadataOf(entry: ReferenceCase, name: string) {
  const specs = entry.expected.levels.find((level) => level.name === name)?.specs ?? {};
  const width = specs["Metadata storage width(bits)"];
  const depth = specs["Metadata storage depth"];
  if (typeof width !== "number") return {};
  const format = formatTargets(entry.sparse_optimizations).includes(name);
  // Compression to and from a level without metadata is allowed wherever the tool has printed a result.
  return {
    metadata_storage_width: width,
    metadata_datawidth: width,
    ...(typeof depth === "number" && { metadata_storage_depth: depth }),
    ...(!format && { decompression_supported: true, compression_supported: true }),
  };
}

function formatTargets(sparse: unknown): string[] {
  const { targets } = timeloopSparseSchema.parse(sparse ?? {});
  return targets.flatMap(({ name, representation_format: format }) => (format === undefined ? [] : [name]));
}

function compareCost(comparison: Comparison, figures: Figures, entry: ReferenceCase, cost: SparseCost): void {
  for (const { name } of entry.expected.levels) {
    const level = cost.levels.find((candidate) => candidate.level === name);
    if (level) compareLevel(comparison, figures, level);
    else if (name === cost.compute.name) compareCompute(comparison, figures, cost);
  }
  comparison.expect("total cycles", figures(undefined, undefined, "Cycles"), cost.latencyCycles);
  comparison.expect("utilization", figures(undefined, undefined, "Utilization"), 100 * cost.utilization, 0.01);
  if (entry.expected.networks.length > 0) return;
  comparison.expect("total energy (uJ)", figures(undefined, undefined, "Energy"), cost.energyPj * 1e-6, 0.01);
}

function compareCompute(comparison: Comparison, figures: Figures, { compute, macs }: SparseCost): void {
  const expect = (stat: string, found: number, tolerance = 0): void =>
    comparison.expect(`${compute.name} ${stat}`, figures(compute.name, undefined, stat), found, tolerance);
  expect("Utilized instances (max)", compute.units);
  expect("Cycles", compute.cycles);
  expect("Algorithmic Computes (total)", macs);
  expect("Actual Computes (total)", compute.macs);
  expect("Gated Computes (total)", compute.gated);
  expect("Skipped Computes (total)", compute.skipped);
  expect("Energy (total)", compute.energyPj, ENERGY_TOLERANCE_PJ);
}

function compareLevel(comparison: Comparison, figures: Figures, level: SparseLevelCost): void {
  const name = level.level;
  comparison.expect(`${name} cycles`, figures(name, undefined, "Cycles"), level.cycles);
  if (figures(name, undefined, "Instances sharing power gating") === 1) {
    const leakage = figures(name, undefined, "Leakage energy (total)");
    comparison.expect(`${name} leakage`, leakage, level.leakagePj, ENERGY_TOLERANCE_PJ);
  }
  for (const space of level.dataSpaces) {
    const expect = (stat: string, found: number, tolerance = 0): void =>
      comparison.expect(`${name} ${space.dataSpace} ${stat}`, figures(name, space.dataSpace, stat), found, tolerance);
    for (const [stat, found] of countsOf(level, space)) expect(stat, found);
    expect("Utilized instances (average)", space.sparse.averageInstances, 0.01);
    expect("Energy (per-instance)", space.energyPerInstancePj, ENERGY_TOLERANCE_PJ);
    expect("Energy (total)", space.energyPj, ENERGY_TOLERANCE_PJ);
    compareRanks(comparison, figures, name, space);
  }
}

const kinds = [
  ["reads", "read"],
  ["fills", "fill"],
  ["updates", "update"],
] as const;

function countsOf(level: SparseLevelCost, space: SparseSpaceCost): [string, number][] {
  const { sparse } = space;
  return [
    ["Partition size", space.partitionWords],
    ["Data tile shape", space.tileWords],
    ["Max utilized data storage capacity", sparse.mostWords],
    ["Utilized instances (max)", level.instances],
    ["Utilized clusters (max)", level.clusters],
    ["Temporal reductions (per-instance)", space.temporalReductions],
    ...kinds.flatMap(([plural, kind]): [string, number][] => [
      [`Algorithmic scalar ${plural} (per-instance)`, sparse.dense[kind]],
      [`Actual scalar ${plural} (per-instance)`, space[plural]],
      [`Gated scalar ${plural} (per-instance)`, sparse.gated[kind]],
      [`Skipped scalar ${plural} (per-instance)`, sparse.skipped[kind]],
    ]),
  ];
}

/**
 * Metadata are printed rank by rank under one name for all kinds of accesses that are not nought, and of lines with one
 * name the file has the last: that of the last kind that is not nought.
 */
function compareRanks(
  comparison: Comparison,
  figures: Figures,
  level: string,
  { dataSpace, sparse }: SparseSpaceCost,
): void {
  const printed = [
    sparse.mostMetadata.map(({ metadata, payload }) => [Math.ceil(metadata), Math.ceil(payload)]),
    ...kinds.flatMap(([, kind]) => [sparse.metadata[kind], sparse.gatedMetadata[kind], sparse.skippedMetadata[kind]]),
  ];
  const last = printed.filter((ranks) => ranks.some(([metadata, payload]) => metadata! > 0 || payload! > 0)).pop();
  last?.forEach(([metadata, payload], rank) => {
    const stat = `Rank ${rank} (metadata, payload)`;
    const wanted = figures.text(level, dataSpace, stat);
    comparison.expectText(`${level} ${dataSpace} ${stat}`, wanted.replace(/\s+/g, " "), `(${metadata}, ${payload})`);
  });
}
