import type { MappingRejection } from "../analysis/check.js";
import type { SparseAnalysis } from "./analyze.js";
import { bitsOf, rankBits } from "./metadata-bits.js";
import type { Movement } from "./movement.js";
import { metadataOf } from "./occupancy.js";
import type { RankOccupancy } from "./rank-occupancy.js";

/** What a tile takes when it is as full as its distribution allows. */
export interface FullestTile {
  readonly words: number;
  /** Per rank, innermost first. */
  readonly metadata: readonly RankOccupancy[];
}

/** The fullest tile; a tensor that is held as it is takes its whole shape. Timeloop's `ComputeTileOccupancyAndConfidence`. */
export function fullestTile(movement: Movement): FullestTile {
  if (movement.format === undefined) return { words: movement.shape, metadata: [] };
  const { most } = movement.density.occupancies(movement.extents);
  return { words: most, metadata: metadataOf(movement, { extents: movement.extents, occupancy: most }) };
}

/** Whether data and metadata of all fullest tiles fit their memories; if not, why. */
export function checkRoom({ tables, limits, levels, movements }: SparseAnalysis): MappingRejection | undefined {
  for (const [level, { name, storage }] of tables.architecture.levels.entries()) {
    if (storage?.entries === undefined) continue;
    const inner = tables.levelCount - 1 - level;
    const memory = levels[inner]?.metadata;
    let data = 0;
    let metadataBits = 0;
    for (const [space, own] of movements.entries()) {
      const movement = own[inner]!;
      if (movement.shape === 0) continue;
      const { words, metadata } = fullestTile(movement);
      data += words * limits.weight[level * movements.length + space]!;
      metadataBits += bitsOf(rankBits(movement.format, memory), metadata);
    }
    if (data > limits.capacity[level]!) return tooLarge(name, data, limits.capacity[level]!);
    const room = Math.floor(metadataRoom(memory) / buffering(tables.architecture.constraints, name));
    if (metadataBits > room) return tooLarge(`${name} (metadata)`, metadataBits, room);
    if (data < limits.minimum[level]!) {
      return { ok: false, reason: "utilization", level: name, needed: limits.minimum[level]!, available: data };
    }
  }
  return undefined;
}

function tooLarge(level: string, needed: number, available: number): MappingRejection {
  return { ok: false, reason: "capacity", level, needed, available };
}

function metadataRoom(
  memory: { readonly entries?: number | undefined; readonly widthBits: number } | undefined,
): number {
  return (memory?.entries ?? 0) * (memory?.widthBits ?? 0);
}

function buffering(constraints: SparseAnalysis["tables"]["architecture"]["constraints"], level: string): number {
  return constraints?.levels?.find((entry) => entry.level === level)?.multipleBuffering ?? 1;
}
