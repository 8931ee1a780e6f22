import type { Enclosing, Occupancies } from "./density-model.js";
import type { Movement } from "./movement.js";
import { type RankOccupancy, rankOccupancy } from "./rank-occupancy.js";

// How much of a tile there is: means over all occupancies that its density allows. Timeloop's
// `CalculateExpectedOccupancy`, `CalculateExpectedMetaDataAccesses` and `GetMetaDataTileOccupancyGivenDataTile`.

/** Mean words and metadata of every level of one tensor, and the metadata that move with its tiles, in place. */
export function expectOccupancies(movements: readonly Movement[]): void {
  for (const movement of movements) {
    if (movement.shape === 0) continue;
    const parent = movement.parent === undefined ? undefined : movements[movement.parent]!;
    const { occupancy, probability } = arrivingOccupancies(movement, parent?.format !== undefined);
    movement.expectedWords = 0;
    occupancy.forEach((words, index) => {
      movement.expectedWords += probability[index]! * words;
      if (movement.format === undefined) return;
      const metadata = metadataOf(movement, { extents: movement.extents, occupancy: words });
      addScaled(movement.expectedMetadata, metadata, probability[index]!);
    });
    movement.expectedDensity = movement.expectedWords / movement.shape;
    if (movement.format !== undefined) countMetadata(movement);
  }
}

/**
 * Occupancies of the tiles that arrive. Where the level above knows which tiles are empty it sends none of these: the
 * others are as likely as they are among non-empty tiles, and fewer instances are in use.
 */
function arrivingOccupancies(movement: Movement, parentKnows: boolean): Pick<Occupancies, "occupancy" | "probability"> {
  const occupancies = movement.density.occupancies(movement.extents);
  const possible = occupancies.probability.flatMap((p, index) => (p === 0 ? [] : [index]));
  const occupancy = possible.map((index) => occupancies.occupancy[index]!);
  const probability = possible.map((index) => occupancies.probability[index]!);
  if (!parentKnows || occupancies.least !== 0 || occupancy[0] !== 0 || probability[0] === 1) {
    return { occupancy, probability };
  }
  const present = 1 - probability[0]!;
  movement.averageInstances *= present;
  return { occupancy, probability: probability.map((p, index) => (index === 0 ? 0 : p / present)) };
}

/** Metadata of each rank, innermost first, of a tile with the given occupancy. */
export function metadataOf(movement: Movement, enclosing: Enclosing): RankOccupancy[] {
  const { format, fiberShapes, subtiles, density } = movement;
  const ranks = [...(format?.ranks ?? [])].reverse();
  const spared = format?.rankOrder === "innerToOuter" ? 0 : ranks.length - 1;
  const occupancies: RankOccupancy[] = [];
  let fibers = 1;
  let tile = enclosing.extents;
  for (let rank = ranks.length - 1; rank >= 0; rank--) {
    const subtile = subtiles[rank]!;
    const fiberShape = fiberShapes[rank]!;
    // A rank over a trivial loop is not built; one that stands for the whole tile is.
    const trivial = fiberShape === 1 && rank !== spared;
    occupancies.unshift(
      trivial
        ? { metadata: 0, payload: 0 }
        : rankOccupancy(ranks[rank]!, { fibers, fiberShape, tile, subtile, density, enclosing }),
    );
    fibers *= fiberShape;
    tile = subtile;
  }
  // The payload of the innermost rank that is there are the data themselves.
  const innermost = occupancies.find(({ metadata, payload }) => metadata !== 0 || payload !== 0);
  if (innermost !== undefined) innermost.payload = 0;
  return occupancies;
}

function addScaled(sums: RankOccupancy[], terms: readonly RankOccupancy[], scale: number): void {
  terms.forEach(({ metadata, payload }, rank) => {
    sums[rank] ??= { metadata: 0, payload: 0 };
    sums[rank].metadata += metadata * scale;
    sums[rank].payload += payload * scale;
  });
}

/** Metadata move as often as the tile that they belong to. */
function countMetadata(movement: Movement): void {
  const { dense, shape, expectedMetadata, formatAccesses } = movement;
  for (const kind of ["read", "fill", "update"] as const) {
    const times = dense[kind] / shape;
    formatAccesses[kind] = expectedMetadata.map(({ metadata, payload }) => [
      Math.ceil(metadata * times),
      Math.ceil(payload * times),
    ]);
    const nothing = (): [number, number][] => expectedMetadata.map(() => [0, 0]);
    movement.gatedMetadata[kind] = nothing();
    movement.skippedMetadata[kind] = nothing();
    movement.actualMetadata[kind] = nothing();
  }
}
