import type { AccessCounts } from "../analysis/counts.js";
import type { Tables } from "../analysis/tables.js";
import type { DensityModel, Extents } from "./density-model.js";
import type { RankOccupancy } from "./rank-occupancy.js";
import { isCompressed, type TensorFormat } from "./schema.js";

// What the sparse layer knows and finds out about one tensor at one level. Levels count from the innermost (0).

/** Metadata and payload words of one rank. */
export type RankAccesses = [metadata: number, payload: number];

/** Words of each kind of access; metadata per rank, innermost first. */
export interface Accesses {
  read: number;
  fill: number;
  update: number;
}

export interface MetadataAccesses {
  read: RankAccesses[];
  fill: RankAccesses[];
  update: RankAccesses[];
}

export interface Movement {
  /** Words of the dense tile; 0 where the level does not keep the tensor. */
  readonly shape: number;
  readonly extents: Extents;
  /** Counts of the dense model, words per instance. */
  readonly dense: Accesses;
  readonly density: DensityModel;
  /** Next outer and inner levels that keep the tensor. */
  readonly parent: number | undefined;
  readonly child: number | undefined;
  readonly format: TensorFormat | undefined;
  readonly compressed: boolean;
  /** Extents of the subtile below each rank, innermost first; the last entry is the tile of the outermost rank. */
  subtiles: Extents[];
  /** Coordinates in one fiber of each rank, innermost first. */
  fiberShapes: number[];
  /** Loops of each rank, by dimension and bound. */
  rankLoops: { readonly dimension: number; readonly bound: number }[][];
  /** Mean non-zeros over the tile's words. */
  expectedDensity: number;
  expectedWords: number;
  expectedMetadata: RankOccupancy[];
  /** Dense metadata accesses: of every tile that moves. */
  formatAccesses: MetadataAccesses;
  /** Instances in use on average. */
  averageInstances: number;
  temporalReductions: number;
  actual: Accesses;
  gated: Accesses;
  skipped: Accesses;
  actualMetadata: MetadataAccesses;
  gatedMetadata: MetadataAccesses;
  skippedMetadata: MetadataAccesses;
  decompressions: number;
  compressions: number;
}

/** A movement for every level, innermost first, of one tensor. */
export function movementsOf(
  tables: Tables,
  counts: AccessCounts,
  space: number,
  density: DensityModel,
  extents: readonly Extents[],
  formats: readonly (TensorFormat | undefined)[],
): Movement[] {
  const { levelCount, spaces } = tables;
  const cellOf = (level: number): number => (levelCount - 1 - level) * spaces.length + space;
  const kept = Array.from({ length: levelCount }, (_, level) => counts.kept[cellOf(level)] === 1);
  return kept.map((keeps, level): Movement => {
    const cell = cellOf(level);
    const parent = kept.findIndex((other, index) => other && index > level);
    const child = kept.lastIndexOf(true, level - 1);
    const format = keeps ? formats[level] : undefined;
    return {
      shape: keeps ? counts.tile[cell]! : 0,
      extents: extents[level]!,
      dense: { read: counts.reads[cell]!, fill: counts.fills[cell]!, update: counts.updates[cell]! },
      density,
      parent: keeps && parent >= 0 ? parent : undefined,
      child: keeps && level > 0 && child >= 0 ? child : undefined,
      format,
      compressed: format?.ranks.some(({ format: name }) => isCompressed(name)) ?? false,
      subtiles: [],
      fiberShapes: [],
      rankLoops: [],
      expectedDensity: 1,
      expectedWords: 0,
      expectedMetadata: [],
      formatAccesses: { read: [], fill: [], update: [] },
      averageInstances: counts.instances[levelCount - 1 - level]!,
      temporalReductions: counts.temporalReductions[cell]!,
      actual: { read: counts.reads[cell]!, fill: counts.fills[cell]!, update: counts.updates[cell]! },
      gated: { read: 0, fill: 0, update: 0 },
      skipped: { read: 0, fill: 0, update: 0 },
      actualMetadata: { read: [], fill: [], update: [] },
      gatedMetadata: { read: [], fill: [], update: [] },
      skippedMetadata: { read: [], fill: [], update: [] },
      decompressions: 0,
      compressions: 0,
    };
  });
}
