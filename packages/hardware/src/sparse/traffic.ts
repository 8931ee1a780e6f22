import type { Accesses, MetadataAccesses, Movement, RankAccesses } from "./movement.js";
import type { LevelOptimization } from "./optimizations.js";

// From dense counts to those that are made, gated and skipped. Timeloop's `CombineStorageOptimizationImpact` with
// what it calls; where a rounding or an index there is odd, it is kept, and said.

/** What reaches the compute units of one read-only tensor. */
export interface OperandArrival {
  /** Share of operations for which the tensor's innermost accesses are left out; undefined when none are. */
  readonly leftOut: number | undefined;
}

/** Accesses of one tensor at all levels, in place, and the operations that are left. */
export function countSparse(
  movements: readonly Movement[],
  optimizations: readonly (LevelOptimization | undefined)[],
  readWrite: boolean,
  computes: number,
): { readonly arrival: OperandArrival; readonly computes: number } {
  for (const movement of movements) dropEmptyElements(movement, readWrite);
  const left = movements.map(remaining);
  const done = new Set<number>();
  let leftOut: number | undefined;
  let operations = computes;
  for (let level = movements.length - 1; level >= 0; level--) {
    const optimization = optimizations[level];
    if (optimization === undefined) continue;
    const inner = passOn(movements, optimizations, left, level, readWrite);
    if (inner !== undefined) done.add(inner);
    if (!done.has(level)) {
      done.add(level);
      takeOver(movements[level]!, left[level]!);
      leaveOut(movements, level, optimization.kind, optimization.probability, readWrite);
    }
    // Only what is left out at the innermost level of its tensor is left out of the operations too.
    if (inner === undefined && !readWrite) {
      operations -= Math.floor(operations * optimization.probability);
      leftOut = Math.round(optimization.probability * 1e6) / 1e6;
    }
  }
  movements.forEach((movement, level) => {
    if (optimizations[level] === undefined) finishWithout(movement, left[level]!);
  });
  countConversions(movements, readWrite);
  return { arrival: { leftOut }, computes: operations };
}

/** Where there is metadata the zeros are neither stored nor moved. */
function dropEmptyElements(movement: Movement, readWrite: boolean): void {
  if (movement.format === undefined) return;
  const sparsity = 1 - movement.expectedDensity;
  const { dense, actual } = movement;
  actual.read = dense.read - Math.floor(dense.read * sparsity);
  actual.fill = dense.fill - Math.floor(dense.fill * sparsity);
  if (readWrite) actual.update = dense.update - Math.floor(dense.update * sparsity);
}

/** Accesses that what is left out further out has not yet taken away. */
interface Remaining {
  readonly data: Accesses;
  readonly metadata: MetadataAccesses;
}

function remaining({ actual, formatAccesses }: Movement): Remaining {
  const copy = (ranks: readonly RankAccesses[]): RankAccesses[] => ranks.map(([a, b]) => [a, b]);
  const { read, fill, update } = formatAccesses;
  return { data: { ...actual }, metadata: { read: copy(read), fill: copy(fill), update: copy(update) } };
}

/**
 * What is left out at a level never reaches the levels inside it, down to the next one that leaves out accesses itself;
 * the index of that one, which is then counted. Its own probability is absolute, and of what has arrived it takes the
 * rest.
 */
function passOn(
  movements: readonly Movement[],
  optimizations: readonly (LevelOptimization | undefined)[],
  left: readonly Remaining[],
  level: number,
  readWrite: boolean,
): number | undefined {
  const { probability } = optimizations[level]!;
  const ownRanks = left[level]!.metadata.read.length;
  for (let inner = level - 1; inner >= 0; inner--) {
    const { data, metadata } = left[inner]!;
    for (const kind of ["fill", "read", "update"] as const) data[kind] -= Math.floor(data[kind] * probability);
    // Timeloop's loop over the ranks ends at rank 0 and begins at the outermost one that the level sends: it runs when
    // these are the same, and never for updates.
    if (ownRanks === 1) {
      for (const kind of ["fill", "read"] as const) scaleRank(metadata[kind][0], probability);
    }
    const own = optimizations[inner];
    if (own === undefined) continue;
    takeOver(movements[inner]!, left[inner]!);
    // There, the metadata read are taken from the updates.
    movements[inner]!.actualMetadata.read = metadata.update.map(([a, b]) => [a, b]);
    const arriving = 1 - probability;
    const share = arriving > 0 ? 1 - (1 - own.probability) / arriving : 0;
    leaveOut(movements, inner, own.kind, share, readWrite);
    return inner;
  }
  return undefined;
}

function scaleRank(rank: RankAccesses | undefined, probability: number): void {
  if (rank === undefined) return;
  rank[0] -= Math.floor(rank[0] * probability);
  rank[1] -= Math.floor(rank[1] * probability);
}

function takeOver(movement: Movement, { data, metadata }: Remaining): void {
  movement.actual = { ...data };
  movement.actualMetadata = metadata;
}

/** Moves a share of a level's reads and updates from those that are made to those that are gated or skipped. */
function leaveOut(
  movements: readonly Movement[],
  level: number,
  kind: LevelOptimization["kind"],
  probability: number,
  readWrite: boolean,
): void {
  const movement = movements[level]!;
  const { actual } = movement;
  const idle = kind === "gate" ? movement.gated : movement.skipped;
  const idleMetadata = kind === "gate" ? movement.gatedMetadata : movement.skippedMetadata;
  // A result is read and written back: the read is rounded the other way.
  const reads = readWrite ? Math.ceil(actual.read * probability) : Math.floor(actual.read * probability);
  const updates = Math.floor(actual.update * probability);
  idle.read += reads;
  idle.update += updates;
  actual.read -= reads;
  actual.update -= updates;
  // Only the ranks that the next inner level takes are sent; the innermost level sends all.
  const sent = movements[movement.child ?? level]!.format?.ranks.length ?? 0;
  for (const access of ["read", "update"] as const) {
    for (let rank = 0; rank < sent; rank++) {
      for (const item of [0, 1] as const) {
        const words = Math.floor(movement.actualMetadata[access][rank]![item] * probability);
        movement.actualMetadata[access][rank]![item] -= words;
        idleMetadata[access][rank]![item] += words;
      }
    }
  }
  if (readWrite && movement.shape > 0) reduceByUpdates(movement);
}

function finishWithout(movement: Movement, left: Remaining): void {
  takeOver(movement, left);
  reduceByUpdates(movement);
}

/** Only what is written is added. */
function reduceByUpdates(movement: Movement): void {
  const { dense, actual, temporalReductions } = movement;
  movement.temporalReductions = dense.update === 0 ? 0 : Math.ceil((temporalReductions * actual.update) / dense.update);
}

/** Words that a level unpacks from a compressed one above, or packs for it. */
function countConversions(movements: readonly Movement[], readWrite: boolean): void {
  for (const movement of movements) {
    if (movement.compressed || movement.parent === undefined) continue;
    const parent = movements[movement.parent]!;
    if (!parent.compressed) continue;
    movement.decompressions += movement.actual.fill;
    if (readWrite) movement.compressions += parent.actual.update;
  }
}
