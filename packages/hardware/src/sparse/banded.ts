import { inputError } from "@dovetail/core";
import type { DensityModel, Extents, Occupancies } from "./density-model.js";

// A banded square matrix: the element (r, c) is non-zero when |r − c| ≤ bandWidth. A tile of rows × columns lies at
// multiples of its own extents, and what it holds depends on the distance of its corner from the diagonal alone. So
// the tiles are counted, not drawn: all probabilities are shares of tiles.
//
// Timeloop's `BandedDistribution` counts the rows of tiles at the beginning and takes one row for all in the middle,
// which is the same where tiles are square; and of the tiles inside a tile with a given occupancy it counts those in
// the first such tile, where this file averages over all of them.

/** Rows of a matrix whose 16 million elements can be looked at in a second. */
const SIZE_LIMIT = 4096;

/** Occupancy of a tile by its corner. */
interface Matrix {
  readonly size: number;
  readonly bandWidth: number;
}

/**
 * The model of a banded matrix.
 *
 * @throws DovetailError `banded_tensor` when the tensor is no square matrix.
 */
export function bandedModel(bandWidth: number, tensor: Extents): DensityModel {
  const [size = 0, columns] = tensor;
  if (tensor.length !== 2 || size !== columns) {
    throw inputError("banded_tensor", "a banded tensor must be a square matrix", {
      expected: "two ranks of the same extent",
      received: tensor.join(" × "),
    });
  }
  if (size > SIZE_LIMIT) {
    throw inputError(
      "banded_tensor",
      "the tiles of a banded matrix are counted one by one, and this one is too large",
      {
        expected: `at most ${SIZE_LIMIT} rows`,
        received: String(size),
      },
    );
  }
  const matrix = { size, bandWidth };
  const counts = new Map<string, ReadonlyMap<number, number>>();
  const inside = new Map<string, ReadonlyMap<number, number>>();
  const countOf = (tile: Extents): ReadonlyMap<number, number> => {
    const key = tile.join(" ");
    const known = counts.get(key) ?? tileCounts(matrix, tile);
    counts.set(key, known);
    return known;
  };
  return {
    density: nonZerosOf(matrix, 0, 0, size, size) / (size * size),
    emptyProbability(tile, enclosing) {
      if (enclosing !== undefined) {
        const key = `${tile.join(" ")} in ${enclosing.extents.join(" ")}`;
        const known = inside.get(key) ?? emptyShares(matrix, tile, enclosing.extents);
        inside.set(key, known);
        return known.get(enclosing.occupancy) ?? 1;
      }
      const count = countOf(tile);
      return (count.get(0) ?? 0) / sum(count.values());
    },
    occupancies(tile): Occupancies {
      const count = countOf(tile);
      const total = sum(count.values());
      const occupancy = [...count.keys()].sort((a, b) => a - b);
      return {
        occupancy,
        probability: occupancy.map((key) => count.get(key)! / total),
        least: occupancy[0]!,
        most: occupancy[occupancy.length - 1]!,
      };
    },
  };
}

/** Non-zeros in the box of rows × columns whose corner is (row, column); what sticks out of the matrix is empty. */
function nonZerosOf({ size, bandWidth }: Matrix, row: number, column: number, rows: number, columns: number): number {
  let count = 0;
  for (let r = row; r < Math.min(row + rows, size); r++) {
    const first = Math.max(column, r - bandWidth, 0);
    const end = Math.min(column + columns, r + bandWidth + 1, size);
    if (end > first) count += end - first;
  }
  return count;
}

/** How many tiles hold how many non-zeros. Tiles far from the diagonal are empty and are counted together. */
function tileCounts(matrix: Matrix, [rows = 1, columns = 1]: Extents): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const { size, bandWidth } = matrix;
  const groups = Math.ceil(size / columns);
  const add = (occupancy: number, times: number): void => {
    if (times > 0) counts.set(occupancy, (counts.get(occupancy) ?? 0) + times);
  };
  for (let row = 0; row < size; row += rows) {
    const first = Math.max(0, Math.floor((row - bandWidth) / columns));
    const last = Math.min(groups - 1, Math.floor((row + rows - 1 + bandWidth) / columns));
    for (let group = first; group <= last; group++) add(nonZerosOf(matrix, row, group * columns, rows, columns), 1);
    add(0, groups - Math.max(0, last - first + 1));
  }
  return counts;
}

/** Share of empty tiles inside the enclosing tiles, by what these hold. */
function emptyShares(matrix: Matrix, tile: Extents, enclosing: Extents): ReadonlyMap<number, number> {
  const [rows = 1, columns = 1] = enclosing;
  const { size, bandWidth } = matrix;
  const found = new Map<number, { empty: number; all: number }>();
  for (let row = 0; row < size; row += rows) {
    const first = Math.max(0, Math.floor((row - bandWidth) / columns));
    const last = Math.min(Math.ceil(size / columns) - 1, Math.floor((row + rows - 1 + bandWidth) / columns));
    for (let column = first * columns; column <= last * columns; column += columns) {
      const occupancy = nonZerosOf(matrix, row, column, rows, columns);
      const sums = found.get(occupancy) ?? { empty: 0, all: 0 };
      const counted = emptyInside(matrix, row, column, tile, enclosing);
      found.set(occupancy, { empty: sums.empty + counted.empty, all: sums.all + counted.all });
    }
  }
  const shares = new Map([...found].map(([occupancy, { empty, all }]) => [occupancy, empty / all]));
  return shares.set(0, 1);
}

function emptyInside(
  matrix: Matrix,
  row: number,
  column: number,
  [tileRows = 1, tileColumns = 1]: Extents,
  [rows = 1, columns = 1]: Extents,
): { readonly empty: number; readonly all: number } {
  let empty = 0;
  let all = 0;
  for (let r = row; r < row + rows; r += tileRows) {
    for (let c = column; c < column + columns; c += tileColumns) {
      if (nonZerosOf(matrix, r, c, tileRows, tileColumns) === 0) empty++;
      all++;
    }
  }
  return { empty, all };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
