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
import {
  compareLevelTotals,
  ENERGY_TOLERANCE_PJ,
  type Figures,
  figuresOf,
  type ReferenceCase,
} from "./timeloop-figures.js";

// The sparse ones among Timeloop's reference outputs. The file leaves out some attributes of a component. Width and
// depth of its metadata memory stand among the printed specifications. The width of one item of metadata does not: it is
// the divisor of a row's width with which the share of metadata in the level's writes comes out as printed, and a whole
// row where nothing is written. All other figures are judged with it.

/** The differences of one sparse case. */
export function compareSparseCase(entry: ReferenceCase): readonly GoldenDifference[] {
  const comparison = startComparison();
  // Counts do not depend on the width of an item, and items of one bit fit wherever the case fits.
  const counted = costWith(entry, () => 1);
  const cost = counted.ok ? costWith(entry, (name, width) => itemBits(entry, counted, name, width)) : counted;
  if (!cost.ok) {
    comparison.expectText("mapping", "fits", JSON.stringify(cost));
    return comparison.differences;
  }
  compareCost(comparison, figuresOf(entry), entry, cost);
  return comparison.differences;
}

/** The cost with items of the given width at each level that has a metadata memory of a width. */
function costWith(
  entry: ReferenceCase,
  bitsOf: (level: string, width: number) => number,
): ReturnType<typeof evaluateSparseCost> {
  const components = z
    .array(timeloopComponentSchema)
    .parse(entry.architecture)
    .map((component) => ({ ...component, ...metadataOf(entry, component.name, bitsOf) }));
  return evaluateSparseCost(
    importTimeloopProblem(timeloopProblemSchema.parse(entry.problem)),
    importTimeloopArchitecture(
      entry.id,
      components,
      timeloopEnergySchema.parse(entry.energy_table_pJ),
      timeloopSparseSchema.parse(entry.sparse_optimizations ?? {}),
    ),
    importTimeloopMapping(timeloopMappingSchema.parse(entry.mapping_printed)),
  );
}

function metadataOf(entry: ReferenceCase, name: string, bitsOf: (level: string, width: number) => number) {
  const specs = entry.expected.levels.find((level) => level.name === name)?.specs ?? {};
  const width = specs["Metadata storage width(bits)"];
  const depth = specs["Metadata storage depth"];
  // Compression and decompression are allowed wherever the tool has printed a result.
  const converts = { decompression_supported: true, compression_supported: true };
  if (typeof width !== "number" || width === 0) return converts;
  return {
    ...converts,
    metadata_storage_width: width,
    metadata_datawidth: bitsOf(name, width),
    ...(typeof depth === "number" && { metadata_storage_depth: depth }),
  };
}

/** Shares are printed with two digits. */
const SHARE_TOLERANCE_PERCENT = 0.006;

function itemBits(entry: ReferenceCase, counted: SparseCost, name: string, width: number): number {
  const figures = figuresOf(entry);
  const spaces = counted.levels.find(({ level }) => level === name)?.dataSpaces ?? [];
  const component = z
    .array(timeloopComponentSchema)
    .parse(entry.architecture)
    .find((own) => own.name === name);
  const printed = spaces.flatMap((space) => {
    const text = figures.text(name, space.dataSpace, "Breakdown (Data, Format)");
    const percent = Number(/,\s*([\d.]+)%/.exec(text)?.[1] ?? 0);
    return percent > 0 ? [{ space, percent }] : [];
  });
  const divisors = Array.from({ length: width }, (_, index) => index + 1).filter((bits) => width % bits === 0);
  const fits = (bits: number): boolean =>
    printed.every(({ space, percent }) => {
      const share = writtenShare(space, bits, component?.datawidth ?? 16);
      return Math.abs(share - percent) <= SHARE_TOLERANCE_PERCENT;
    });
  return printed.length === 0 ? width : (divisors.find(fits) ?? width);
}

/** Percent of the words written that are metadata, of items of so many bits; a bitmask's have one. */
function writtenShare({ fills, updates, sparse }: SparseSpaceCost, bits: number, wordBits: number): number {
  const ranks = [...sparse.format].reverse();
  const bitsOf = (items: SparseSpaceCost["sparse"]["metadata"]): number =>
    [...items.fill.entries(), ...items.update.entries()].reduce(
      (sum, [rank, [metadata, payload]]) => sum + metadata * (ranks[rank] === "bitmask" ? 1 : bits) + payload * bits,
      0,
    );
  const words = Math.floor((bitsOf(sparse.metadata) + bitsOf(sparse.gatedMetadata)) / wordBits);
  const data = fills + updates + sparse.gated.fill + sparse.gated.update;
  return (100 * words) / (data + words);
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
  compareLevelTotals(comparison, figures, level);
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
