import { inputError } from "@dovetail/core";
import type { RankAccesses } from "./movement.js";
import type { RankOccupancy } from "./rank-occupancy.js";
import type { MetadataStorage, RankFormat, TensorFormat } from "./schema.js";

/** Bits of an item of metadata and of a pointer of each rank, innermost first. */
export type RankBits = readonly { readonly metadata: number; readonly payload: number }[];

/**
 * Bits of the items of each rank: as the rank says, widened until they fill a row of the metadata memory without rest.
 * Timeloop's `AdjustFormatWordBits`.
 *
 * @throws DovetailError `metadata_bits` when an item is wider than the row.
 */
export function rankBits(format: TensorFormat | undefined, memory: MetadataStorage | undefined): RankBits {
  const ranks = [...(format?.ranks ?? [])].reverse();
  return ranks.map((rank) => ({
    metadata: itemBits(rank.metadataBits ?? defaultBits(rank, memory), memory, format!.tensor),
    payload: itemBits(rank.payloadBits ?? memory?.wordBits ?? 0, memory, format!.tensor),
  }));
}

function defaultBits({ format }: RankFormat, memory: MetadataStorage | undefined): number {
  return format === "bitmask" ? 1 : (memory?.wordBits ?? 0);
}

function itemBits(bits: number, memory: MetadataStorage | undefined, tensor: string): number {
  const widthBits = memory?.widthBits ?? 0;
  let fitting = bits;
  while (bits > 0 && fitting < 2 * bits && widthBits % fitting !== 0) fitting++;
  if (memory === undefined || fitting <= widthBits) return fitting;
  throw inputError("metadata_bits", "an item of metadata is wider than a row of the memory for metadata", {
    path: [tensor],
    expected: `at most ${widthBits} bits`,
    received: `${bits} bits`,
  });
}

/** Bits of accesses or items. */
export function bitsOf(bits: RankBits, items: readonly (RankAccesses | RankOccupancy)[]): number {
  return items.reduce((sum, item, rank) => {
    const [metadata, payload] = Array.isArray(item) ? item : [item.metadata, item.payload];
    return sum + metadata * bits[rank]!.metadata + payload * bits[rank]!.payload;
  }, 0);
}
