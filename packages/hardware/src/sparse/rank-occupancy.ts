import type { DensityModel, Enclosing, Extents } from "./density-model.js";
import type { RankFormat } from "./schema.js";

/** Words of metadata of one rank in one tile. */
export interface RankOccupancy {
  /** Coordinates, run lengths or mask bits. */
  metadata: number;
  /** Pointers to the next rank. */
  payload: number;
}

/** What a rank is asked about. */
export interface RankQuery {
  /** Fibers of the rank if none above it were empty. */
  readonly fibers: number;
  /** Coordinates in a fiber. */
  readonly fiberShape: number;
  /** What one fiber covers, and what one coordinate of it covers. */
  readonly tile: Extents;
  readonly subtile: Extents;
  readonly density: DensityModel;
  readonly enclosing: Enclosing;
}

/**
 * Metadata of one rank of a tile whose occupancy is given: fibers that are empty are not there, and of the others a
 * compressed rank lists the coordinates that are not. Timeloop's `GetOccupancy` of each format.
 */
export function rankOccupancy({ format }: RankFormat, query: RankQuery): RankOccupancy {
  const { fibers, fiberShape, tile, subtile, density, enclosing } = query;
  if (format === "uncompressedBitmask") return { metadata: fibers * fiberShape, payload: fibers * fiberShape };
  const present = fibers * (1 - density.emptyProbability(tile, enclosing));
  if (format === "offsetPairs") return { metadata: 0, payload: present * (fiberShape + 1) };
  const filled = fiberShape * (1 - density.emptyProbability(subtile, enclosing));
  switch (format) {
    case "bitmask":
      return { metadata: present * fiberShape, payload: present * Math.ceil(filled) };
    case "runLength":
      return { metadata: filled * present, payload: filled * present };
    case "coordinatePayload":
      return { metadata: Math.ceil(filled) * present, payload: Math.ceil(filled) * present };
  }
}
