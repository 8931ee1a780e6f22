import type { Movement } from "./movement.js";

// Accesses of rows. A row takes several words, but the non-zeros of a compressed tile seldom fill the last row: of
// tiles with few rows the mean of ⌈non-zeros / words of a row⌉ is taken. Timeloop's `ComputeVectorAccesses`.

/**
 * Rows of a tile, by the words of a row and tenths of density, from which on its last row is not looked at.
 * Timeloop's `VectorWidthCoefficientTable`.
 */
const rowsThatSuffice: Readonly<Record<number, readonly number[]>> = {
  2: [251, 125, 84, 63, 51, 42, 36, 32, 28, 1],
  4: [375, 188, 125, 94, 75, 63, 54, 47, 42, 1],
  8: [438, 219, 146, 110, 88, 73, 63, 55, 49, 1],
  16: [469, 235, 157, 118, 94, 79, 67, 59, 52, 1],
  32: [485, 243, 162, 122, 97, 81, 70, 61, 52, 1],
};

/** By how much more rows a compressed tile takes than its words in full rows would. */
export function rowSurplus(
  { compressed, shape, expectedDensity, density, extents }: Movement,
  rowWords: number,
): number {
  if (!compressed || shape === 0 || rowWords <= 1 || expectedDensity >= 1 || expectedDensity === 0) return 1;
  const tenth = expectedDensity >= 0.1 ? Math.floor(expectedDensity / 0.1) - 1 : 0;
  const enough = rowsThatSuffice[rowWords]?.[tenth] ?? Number.POSITIVE_INFINITY;
  if (enough <= Math.floor(shape / rowWords)) return 1;
  const { occupancy, probability } = density.occupancies(extents);
  const rows = occupancy.reduce((sum, words, index) => sum + Math.ceil(words / rowWords) * probability[index]!, 0);
  return rows / ((shape * expectedDensity) / rowWords);
}

/** Rows of words, with the surplus of tiles that fill them badly; a word wider than a row takes several. */
export function rowsOf(words: number, rowWords: number, rowsPerWord: number, surplus: number): number {
  return (rowWords > 1 ? Math.ceil(words / rowWords) : words * rowsPerWord) * surplus;
}
