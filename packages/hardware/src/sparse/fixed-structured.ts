import { type DensityModel, type Enclosing, type Occupancies, volume } from "./density-model.js";

/**
 * Every tile holds `density` times its words, and where that is no whole number, either neighbour of it with the
 * probabilities that keep the mean. Timeloop's `FixedStructuredDistribution`.
 */
export function fixedStructuredModel(density: number): DensityModel {
  return {
    density,
    emptyProbability(tile, enclosing) {
      const exact = volume(tile) * shareIn(density, enclosing);
      const least = Math.floor(exact);
      if (least === 0) return 1 - exact;
      return 0;
    },
    occupancies(tile): Occupancies {
      const exact = volume(tile) * density;
      const least = Math.floor(exact);
      const upper = exact - least;
      if (upper === 0) return { occupancy: [least], probability: [1], least, most: least };
      return { occupancy: [least, least + 1], probability: [1 - upper, upper], least, most: least + 1 };
    },
  };
}

/** The share of non-zeros in the enclosing tile; of the tensor where none is given. */
function shareIn(density: number, enclosing: Enclosing | undefined): number {
  return enclosing === undefined ? density : enclosing.occupancy / volume(enclosing.extents);
}
