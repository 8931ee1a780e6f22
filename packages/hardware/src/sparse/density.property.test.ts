import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandedModel } from "./banded.js";
import type { DensityModel, Extents } from "./density-model.js";
import { fixedStructuredModel } from "./fixed-structured.js";
import { emptyProbability, hypergeometricModel } from "./hypergeometric.js";

// Every tensor that a distribution allows is built, and what the models say is held against the mean over them.

/** All sets of `size` among the first `total` places, as bit masks. */
function subsets(total: number, size: number): number[] {
  return Array.from({ length: 2 ** total }, (_, mask) => mask).filter((mask) => bits(mask) === size);
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) count++;
  return count;
}

const vectorArbitrary = fc.integer({ min: 1, max: 10 }).chain((total) =>
  fc.record({
    total: fc.constant(total),
    nonZeros: fc.integer({ min: 0, max: total }),
    tile: fc.integer({ min: 1, max: total }),
  }),
);

/** Mean and probabilities add up, and agree with the probability of an empty tile. */
function expectConsistent(model: DensityModel, tile: Extents): void {
  const { occupancy, probability, least, most } = model.occupancies(tile);
  expect(probability.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
  expect(least).toBeLessThanOrEqual(occupancy[0]!);
  expect(most).toBeGreaterThanOrEqual(occupancy[occupancy.length - 1]!);
  const empty = occupancy[0] === 0 ? probability[0]! : 0;
  expect(model.emptyProbability(tile)).toBeCloseTo(empty, 12);
}

describe("hypergeometric", () => {
  it("gives a tile's occupancies as they are among all tensors with so many non-zeros", () => {
    fc.assert(
      fc.property(vectorArbitrary, ({ total, nonZeros, tile }) => {
        const model = hypergeometricModel(nonZeros / total, total);
        const tensors = subsets(total, nonZeros);
        const { occupancy, probability } = model.occupancies([tile]);
        const found = occupancy.map(
          (words) => tensors.filter((mask) => bits(mask & (2 ** tile - 1)) === words).length / tensors.length,
        );
        expect(found).toHaveLength(probability.length);
        found.forEach((share, index) => {
          expect(probability[index]!).toBeCloseTo(share, 12);
        });
        expectConsistent(model, [tile]);
      }),
    );
  });

  it("gives empty subtiles as they are among all enclosing tiles with so many non-zeros", () => {
    fc.assert(
      fc.property(vectorArbitrary, ({ total, nonZeros, tile }) => {
        // The tensor's own density does not matter once the enclosing tile's occupancy is known.
        const model = hypergeometricModel(0.5, 1000);
        const tensors = subsets(total, nonZeros);
        const empty = tensors.filter((mask) => (mask & (2 ** tile - 1)) === 0).length / tensors.length;
        const enclosing = { extents: [total], occupancy: nonZeros };
        expect(model.emptyProbability([tile], enclosing)).toBeCloseTo(empty, 12);
      }),
    );
  });

  it("keeps the mean of large tiles, where single probabilities underflow", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 100_000 }), (percent, tile) => {
        const model = hypergeometricModel(percent / 100, 100_000);
        const { occupancy, probability } = model.occupancies([tile]);
        const mean = occupancy.reduce((sum, words, index) => sum + words * probability[index]!, 0);
        expect(mean).toBeCloseTo((tile * Math.ceil((percent / 100) * 100_000)) / 100_000, 5);
        expectConsistent(model, [tile]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("hypergeometric, of tensors too large for products and lists", () => {
  it("integrates what it does not multiply", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100_001, max: 400_000 }),
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 1e-6, max: 0.02, noNaN: true }),
        (drawn, factor, share) => {
          const nonZeros = drawn * factor;
          const total = Math.ceil(nonZeros / share);
          let logarithm = 0;
          for (let step = 0; step < drawn; step++) logarithm += Math.log1p(-nonZeros / (total - step));
          const found = Math.log(emptyProbability(drawn, nonZeros, total));
          if (logarithm > -700) expect(found).toBeCloseTo(logarithm, 6);
          else expect(found).toBeLessThan(-699);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("keeps mean and spread of what it does not list", () => {
    fc.assert(
      fc.property(fc.integer({ min: 34, max: 50 }), fc.integer({ min: 5, max: 95 }), (exponent, percent) => {
        const total = 2 ** exponent;
        const tile = 2 ** (exponent - 1);
        const { occupancy, probability } = hypergeometricModel(percent / 100, total).occupancies([tile]);
        expect(occupancy.length).toBeLessThan(5000);
        const mean = occupancy.reduce((sum, words, index) => sum + words * probability[index]!, 0);
        const share = Math.ceil((percent / 100) * total) / total;
        expect(mean / (tile * share)).toBeCloseTo(1, 6);
        const squares = occupancy.reduce((sum, words, index) => sum + (words - mean) ** 2 * probability[index]!, 0);
        expect(squares / (tile * share * (1 - share) * 0.5)).toBeCloseTo(1, 3);
      }),
      { numRuns: 20 },
    );
  });
});

describe("fixed structured", () => {
  it("rounds the share of a tile up or down, and keeps its mean", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 500 }), (thousandths, tile) => {
        const model = fixedStructuredModel(thousandths / 1000);
        const { occupancy, probability, least, most } = model.occupancies([tile]);
        const mean = occupancy.reduce((sum, words, index) => sum + words * probability[index]!, 0);
        expect(mean).toBeCloseTo((tile * thousandths) / 1000, 9);
        expect(most - least).toBeLessThanOrEqual(1);
        expectConsistent(model, [tile]);
      }),
    );
  });
});

const divisorArbitrary = (size: number): fc.Arbitrary<number> =>
  fc.constantFrom(...Array.from({ length: size }, (_, index) => index + 1).filter((part) => size % part === 0));

const matrixArbitrary = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    bandWidth: fc.integer({ min: 0, max: size }),
    rows: divisorArbitrary(size),
    columns: divisorArbitrary(size),
  }),
);

/** Occupancies of all tiles of a banded matrix, by looking at every element. */
function tilesOf(size: number, bandWidth: number, rows: number, columns: number): number[] {
  const tiles: number[] = [];
  for (let row = 0; row < size; row += rows) {
    for (let column = 0; column < size; column += columns) {
      let count = 0;
      for (let r = row; r < row + rows; r++) {
        for (let c = column; c < column + columns; c++) if (Math.abs(r - c) <= bandWidth) count++;
      }
      tiles.push(count);
    }
  }
  return tiles;
}

describe("banded", () => {
  it("gives occupancies as they are among all tiles of the matrix", () => {
    fc.assert(
      fc.property(matrixArbitrary, ({ size, bandWidth, rows, columns }) => {
        const model = bandedModel(bandWidth, [size, size]);
        const tiles = tilesOf(size, bandWidth, rows, columns);
        const { occupancy, probability, least, most } = model.occupancies([rows, columns]);
        expect(least).toBe(Math.min(...tiles));
        expect(most).toBe(Math.max(...tiles));
        occupancy.forEach((words, index) => {
          expect(probability[index]!).toBeCloseTo(tiles.filter((tile) => tile === words).length / tiles.length, 12);
        });
        expectConsistent(model, [rows, columns]);
      }),
    );
  });

  it("gives empty elements as they are inside all tiles with an occupancy", () => {
    fc.assert(
      fc.property(matrixArbitrary, ({ size, bandWidth, rows, columns }) => {
        const model = bandedModel(bandWidth, [size, size]);
        for (const occupancy of new Set(tilesOf(size, bandWidth, rows, columns))) {
          // A single element is empty with the share of zeros, whichever tile it is in.
          const expected = 1 - occupancy / (rows * columns);
          const enclosing = { extents: [rows, columns], occupancy };
          expect(model.emptyProbability([1, 1], enclosing)).toBeCloseTo(expected, 12);
        }
      }),
    );
  });

  it("is refused for what is no square matrix", () => {
    expect(() => bandedModel(1, [3, 4])).toThrow("square");
    expect(() => bandedModel(1, [3])).toThrow("square");
  });
});
