import type { SparseAnalysis } from "./analyze.js";
import { fullestTile } from "./capacity.js";
import { bitsOf, rankBits } from "./metadata-bits.js";
import type { Accesses, MetadataAccesses, Movement } from "./movement.js";
import type { RankOccupancy } from "./rank-occupancy.js";
import type { IdleEnergies, LevelSparsity, MetadataStorage } from "./schema.js";
import { rowSurplus, rowsOf } from "./vector-accesses.js";

/** Energy of one tensor at one level, with the accesses of rows that it comes from. */
export interface PricedSpace {
  readonly rows: Accesses;
  readonly energyPerInstancePj: number;
  readonly most: { readonly words: number; readonly metadata: readonly RankOccupancy[]; readonly metadataBits: number };
}

/** Accesses of rows times their energies, of data and metadata, of one instance in use. */
export function priceSpace(
  { tables, counts, rates, levels, movements }: SparseAnalysis,
  level: number,
  space: number,
): PricedSpace {
  const inner = tables.levelCount - 1 - level;
  const movement = movements[space]![inner]!;
  const sparsity = levels[inner] ?? {};
  const cell = level * tables.spaces.length + space;
  const surplus = rowSurplus(movement, rates.wordsPerAccess[cell]!);
  const rows = ({ read, fill, update }: Accesses): Accesses => {
    const of = (words: number): number =>
      rowsOf(words, rates.wordsPerAccess[cell]!, rates.accessesPerWord[cell]!, surplus);
    return { read: of(read), fill: of(fill), update: of(update) };
  };
  const made = rows(movement.actual);
  const energies = { readPj: rates.readPj[level]!, writePj: rates.writePj[level]!, updatePj: rates.updatePj[level]! };
  const clusterPj =
    pricePj(made, energies.readPj, energies.writePj, energies.updatePj) +
    idlePj(rows(movement.gated), rows(movement.skipped), sparsity.idle ?? {}) +
    metadataPj(movement, sparsity.metadata) +
    conversionPj(movement, sparsity);
  // One access of a cluster serves all its instances.
  const instances = counts.instances[level]!;
  const perCluster = instances / Math.min(instances, rates.clusters[level]!);
  const most = fullestTile(movement);
  const metadataBits = bitsOf(rankBits(movement.format, sparsity.metadata), most.metadata);
  return { rows: made, energyPerInstancePj: clusterPj / perCluster, most: { ...most, metadataBits } };
}

function pricePj({ read, fill, update }: Accesses, readPj: number, writePj: number, updatePj: number): number {
  return read * readPj + fill * writePj + update * updatePj;
}

/** Accesses that are gated or skipped; a skipped one costs what a gated one does unless it is said. */
function idlePj(gated: Accesses, skipped: Accesses, idle: IdleEnergies): number {
  const { gatedReadPj = 0, gatedFillPj = 0, gatedUpdatePj = 0 } = idle;
  return (
    pricePj(gated, gatedReadPj, gatedFillPj, gatedUpdatePj) +
    pricePj(
      skipped,
      idle.skippedReadPj ?? gatedReadPj,
      idle.skippedFillPj ?? gatedFillPj,
      idle.skippedUpdatePj ?? gatedUpdatePj,
    )
  );
}

/** Rows of the metadata memory; without a memory for them metadata are free. */
function metadataPj(movement: Movement, memory: MetadataStorage | undefined): number {
  if (memory === undefined) return 0;
  const bits = rankBits(movement.format, memory);
  const rows = ({ read, fill, update }: MetadataAccesses): Accesses => ({
    read: Math.ceil(bitsOf(bits, read) / memory.widthBits),
    fill: Math.ceil(bitsOf(bits, fill) / memory.widthBits),
    update: Math.ceil(bitsOf(bits, update) / memory.widthBits),
  });
  return (
    pricePj(rows(movement.actualMetadata), memory.readPj, memory.writePj, memory.updatePj ?? memory.writePj) +
    idlePj(rows(movement.gatedMetadata), rows(movement.skippedMetadata), memory)
  );
}

function conversionPj({ decompressions, compressions }: Movement, sparsity: LevelSparsity): number {
  return decompressions * (sparsity.decompressionPj ?? 0) + compressions * (sparsity.compressionPj ?? 0);
}
