// How the non-zeros of a tensor are spread. Every question that the sparse layer asks of a tensor is one of the
// functions of `DensityModel`; a tile is asked about by the extents of its box, one a rank.

/** A tile's box: its extent along each rank of the tensor. */
export type Extents = readonly number[];

/** What is known of the tile that a smaller tile lies in. */
export interface Enclosing {
  readonly extents: Extents;
  /** Non-zeros in it. */
  readonly occupancy: number;
}

/** How many non-zeros a tile may hold, and with which probability; probabilities of 0 are left out. */
export interface Occupancies {
  readonly occupancy: readonly number[];
  readonly probability: readonly number[];
  /** Fewest that the distribution allows, whether or not their probability underflows. */
  readonly least: number;
  readonly most: number;
}

export interface DensityModel {
  /** Mean share of non-zeros in the whole tensor. */
  readonly density: number;
  /** Probability that the tile holds only zeros; within an enclosing tile if one is given. */
  emptyProbability(tile: Extents, enclosing?: Enclosing): number;
  /** All occupancies of the tile. */
  occupancies(tile: Extents): Occupancies;
}

/** Points of a box. */
export function volume(extents: Extents): number {
  return extents.reduce((product, extent) => product * extent, 1);
}
