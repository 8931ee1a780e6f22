import type { SparseAnalysis } from "./analyze.js";
import { bitsOf, rankBits } from "./metadata-bits.js";

/** How fast a level keeps up. */
export interface TimedLevel {
  /** What its bandwidths leave of full speed, at most 1. */
  readonly slowdown: number;
  readonly cycles: number;
  /** The port that holds it up; undefined when none does. */
  readonly port: "read" | "write" | "shared" | undefined;
  /** Words per cycle that each tensor asks for. */
  readonly demand: readonly { readonly read: number; readonly write: number }[];
}

/**
 * Slowdown of a level by its bandwidths, on average over the layer. Gated accesses take their cycle, skipped ones do not;
 * metadata take the bandwidth of whole words. Timeloop's `ComputePerformance`.
 */
export function timeLevel(analysis: SparseAnalysis, level: number, computeCycles: number): TimedLevel {
  const { rates, tables } = analysis;
  const demand = tables.spaces.map((_, space) => demandOf(analysis, level, space, computeCycles));
  let read = 0;
  let write = 0;
  demand.forEach((words, space) => {
    const bits = rates.wordBits[level * tables.spaces.length + space]!;
    read += words.read * bits;
    write += words.write * bits;
  });
  let slowdown = 1;
  let port: TimedLevel["port"];
  const limit = (bandwidth: number, wanted: number, name: "read" | "write" | "shared"): void => {
    if (bandwidth >= slowdown * wanted) return;
    slowdown = bandwidth / wanted;
    port = name;
  };
  limit(rates.readBandwidth[level]!, read, "read");
  limit(rates.writeBandwidth[level]!, write, "write");
  limit(rates.sharedBandwidth[level]!, read + write, "shared");
  return { slowdown, cycles: Math.ceil(computeCycles / slowdown), port, demand };
}

function demandOf(
  { rates, tables, counts, levels, movements }: SparseAnalysis,
  level: number,
  space: number,
  computeCycles: number,
): { readonly read: number; readonly write: number } {
  const inner = tables.levelCount - 1 - level;
  const movement = movements[space]![inner]!;
  if (movement.shape === 0) return { read: 0, write: 0 };
  const wordBits = rates.wordBits[level * tables.spaces.length + space]!;
  const bits = rankBits(movement.format, levels[inner]?.metadata);
  const metadataWords = (...kinds: ("read" | "fill" | "update")[]): number => {
    const sum = kinds.reduce(
      (total, kind) => total + bitsOf(bits, movement.actualMetadata[kind]) + bitsOf(bits, movement.gatedMetadata[kind]),
      0,
    );
    return Math.floor(sum / wordBits);
  };
  const { actual, gated } = movement;
  // Tiles that are empty go to no instance: the others share the demand.
  const spread = counts.instances[level]! / movement.averageInstances;
  const perCycle = (words: number): number => Math.ceil(words / spread) / computeCycles;
  return {
    read: perCycle(actual.read + gated.read + metadataWords("read")),
    write: perCycle(actual.fill + gated.fill + actual.update + gated.update + metadataWords("fill", "update")),
  };
}
