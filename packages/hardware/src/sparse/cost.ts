import type { MappingRejection } from "../analysis/check.js";
import { type Architecture, architectureAreaUm2 } from "../architecture/architecture.js";
import {
  type CostOptions,
  costModelName,
  type DataSpaceCost,
  type LevelCost,
  type LimitingResource,
  type MappingCost,
} from "../cost/cost.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { analyzeSparse, type SparseAnalysis, type SparseRejection } from "./analyze.js";
import { checkRoom } from "./capacity.js";
import { distributionName } from "./density.js";
import type { Accesses, MetadataAccesses } from "./movement.js";
import { type PricedSpace, priceSpace } from "./price.js";
import type { RankOccupancy } from "./rank-occupancy.js";
import type { ComputeSparsity } from "./schema.js";
import { type TimedLevel, timeLevel } from "./time.js";

/** Cost of one tensor at one level, with what sparsity changed. The counts that it inherits are those that are made. */
export interface SparseSpaceCost extends DataSpaceCost {
  readonly sparse: {
    readonly distribution: string;
    /** Format of each rank, outermost first; empty where the tensor is held as it is. */
    readonly format: readonly string[];
    /** Words of the tile if it is as full as the distribution allows. */
    readonly mostWords: number;
    /** Metadata and payload items of the same tile, innermost rank first, and their bits. */
    readonly mostMetadata: readonly RankOccupancy[];
    readonly metadataBits: number;
    readonly averageInstances: number;
    /** Counts if the tensors were dense. */
    readonly dense: Accesses;
    readonly gated: Accesses;
    readonly skipped: Accesses;
    readonly metadata: MetadataAccesses;
    readonly gatedMetadata: MetadataAccesses;
    readonly skippedMetadata: MetadataAccesses;
    readonly decompressions: number;
    readonly compressions: number;
  };
}

export interface SparseLevelCost extends LevelCost {
  readonly dataSpaces: readonly SparseSpaceCost[];
}

/** `compute.macs` are those that are made; `macs` all that the layer has. */
export interface SparseCost extends MappingCost {
  readonly levels: readonly SparseLevelCost[];
  readonly compute: MappingCost["compute"] & { readonly gated: number; readonly skipped: number };
}

/** Whether anything here is sparse: then `evaluateSparseCost` has to be asked. */
export function isSparse(problem: Problem, architecture: Architecture): boolean {
  return (
    problem.dataSpaces.some(({ density }) => density !== undefined && density !== 1) ||
    architecture.compute.sparse !== undefined ||
    architecture.levels.some(({ sparse }) => sparse !== undefined)
  );
}

/**
 * Energy, latency and area of a layer with sparse tensors under a mapping; a rejection (a value) when it does not fit
 * or does not go with the formats. Mean values: of accesses, of instances in use, of rows.
 *
 * @throws DovetailError when the mapping names what does not exist, or a tensor does not go with its distribution.
 */
export function evaluateSparseCost(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  options: CostOptions = {},
): SparseCost | MappingRejection | SparseRejection {
  const analysis = analyzeSparse(problem, architecture, mapping, options);
  if (!analysis.ok) return analysis;
  const tooLarge = checkRoom(analysis);
  if (tooLarge !== undefined) return tooLarge;
  const { counts, rates, computes, tables } = analysis;
  const computeCycles = Math.max(1, Math.ceil((computes.actual + computes.gated) / counts.units));
  const timed = tables.architecture.levels.map((_, level) => timeLevel(analysis, level, computeCycles));
  const latencyCycles = timed.reduce((most, { cycles }) => Math.max(most, cycles), computeCycles);
  const leakCycles = (options.leakage ?? true) ? latencyCycles : 0;
  const levels = timed.map((time, level) => levelCost(problem, analysis, level, time, leakCycles));
  const compute: SparseCost["compute"] = {
    name: architecture.compute.name,
    units: counts.units,
    macs: computes.actual,
    gated: computes.gated,
    skipped: computes.skipped,
    cycles: computeCycles,
    energyPj: computePj(analysis, architecture.compute.sparse ?? {}),
    leakagePj: counts.units * rates.unitLeakagePj * leakCycles,
  };
  const energyPj = levels.reduce(
    (sum, level) => sum + level.accessEnergyPj + level.leakagePj,
    compute.energyPj + compute.leakagePj,
  );
  return {
    ok: true,
    energyPj,
    latencyCycles,
    ...(architecture.clockMhz !== undefined && { latencyMs: latencyCycles / (architecture.clockMhz * 1000) }),
    edpJouleCycles: energyPj * 1e-12 * latencyCycles,
    utilization: computes.actual / rates.units / latencyCycles,
    macs: tables.macs,
    areaUm2: architectureAreaUm2(architecture),
    levels,
    compute,
    limitedBy: limitOf(levels, timed),
    model: `${costModelName({ ...options, model: "timeloop" })}, sparse`,
  };
}

function computePj({ computes, rates }: SparseAnalysis, { gatedPj, skippedPj }: ComputeSparsity): number {
  const gated = gatedPj ?? rates.macPj;
  return computes.actual * rates.macPj + computes.gated * gated + computes.skipped * (skippedPj ?? gated);
}

function levelCost(
  problem: Problem,
  analysis: SparseAnalysis,
  level: number,
  { slowdown, cycles }: TimedLevel,
  leakCycles: number,
): SparseLevelCost {
  const { tables, counts, rates, movements } = analysis;
  const inner = tables.levelCount - 1 - level;
  const instances = counts.instances[level]!;
  const dataSpaces = tables.spaces.flatMap((_, space): SparseSpaceCost[] =>
    movements[space]![inner]!.shape === 0 ? [] : [spaceCost(problem, analysis, level, space)],
  );
  const busy = movements.reduce((most, levels) => Math.max(most, levels[inner]!.averageInstances), 1);
  return {
    level: tables.architecture.levels[level]!.name,
    instances,
    clusters: Math.min(instances, rates.clusters[level]!),
    dataSpaces,
    slowdown,
    cycles,
    accessEnergyPj: dataSpaces.reduce((sum, space) => sum + space.energyPj, 0),
    leakagePj: busy * rates.leakagePj[level]! * leakCycles,
  };
}

function spaceCost(problem: Problem, analysis: SparseAnalysis, level: number, space: number): SparseSpaceCost {
  const { tables, counts, rates, movements } = analysis;
  const movement = movements[space]![tables.levelCount - 1 - level]!;
  const cell = level * tables.spaces.length + space;
  const priced: PricedSpace = priceSpace(analysis, level, space);
  const { read, fill, update } = movement.actual;
  return {
    dataSpace: tables.spaces[space]!.name,
    tileWords: movement.shape,
    partitionWords: counts.partition[cell]!,
    reads: read,
    fills: fill,
    updates: update,
    temporalReductions: movement.temporalReductions,
    wordsPerAccess: rates.wordsPerAccess[cell]!,
    readAccesses: priced.rows.read,
    fillAccesses: priced.rows.fill,
    updateAccesses: priced.rows.update,
    energyPerInstancePj: priced.energyPerInstancePj,
    energyPj: priced.energyPerInstancePj * movement.averageInstances,
    sparse: {
      distribution: distributionName(problem.dataSpaces[space]!.density),
      format: movement.format?.ranks.map(({ format }) => format) ?? [],
      mostWords: priced.most.words,
      mostMetadata: priced.most.metadata,
      metadataBits: priced.most.metadataBits,
      averageInstances: movement.averageInstances,
      dense: movement.dense,
      gated: movement.gated,
      skipped: movement.skipped,
      metadata: movement.actualMetadata,
      gatedMetadata: movement.gatedMetadata,
      skippedMetadata: movement.skippedMetadata,
      decompressions: movement.decompressions,
      compressions: movement.compressions,
    },
  };
}

function limitOf(levels: readonly SparseLevelCost[], timed: readonly TimedLevel[]): LimitingResource {
  let worst = -1;
  timed.forEach(({ slowdown }, level) => {
    if (slowdown < (worst < 0 ? 1 : timed[worst]!.slowdown)) worst = level;
  });
  const port = worst < 0 ? undefined : timed[worst]!.port;
  if (port === undefined) return { resource: "compute" };
  return { resource: "bandwidth", level: levels[worst]!.level, port };
}
