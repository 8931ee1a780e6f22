import fc from "fast-check";
import { expect, it } from "vitest";
import { codeValue, createCodeSearch } from "./nearest-codes.js";

const number = fc.double({ min: -4, max: 4, noNaN: true });

/** The least squared error over all codes, one after the other. */
function leastByEnumeration(row: readonly number[], basis: readonly number[], exponents: number, allowed: Uint8Array) {
  const columns = row.length;
  let least = Number.POSITIVE_INFINITY;
  const walk = (column: number, rest: readonly number[]): void => {
    if (column === columns) {
      least = Math.min(
        least,
        rest.reduce((sum, value) => sum + value * value, 0),
      );
      return;
    }
    const most = allowed[column] === 0 ? 0 : exponents;
    for (let code = -most; code <= most; code++) {
      walk(
        column + 1,
        rest.map((value, k) => value - codeValue(code) * basis[column * columns + k]!),
      );
    }
  };
  walk(0, row);
  return least;
}

it("finds the least error that any codes have", () => {
  const rowAndBasis = fc
    .integer({ min: 1, max: 3 })
    .chain((n) =>
      fc.tuple(
        fc.array(number, { minLength: n, maxLength: n }),
        fc.array(number, { minLength: n * n, maxLength: n * n }),
        fc.uint8Array({ min: 0, max: 3, minLength: n, maxLength: n }),
      ),
    );
  fc.assert(
    fc.property(rowAndBasis, fc.integer({ min: 1, max: 4 }), ([row, basis, mask], exponents) => {
      const search = createCodeSearch(row.length);
      search.prepare(Float64Array.from(basis), exponents);
      const codes = new Int8Array(row.length);
      const allowed = Uint8Array.from(mask);
      const error = search.encode(Float64Array.from(row), 0, allowed, codes);
      const least = leastByEnumeration(row, basis, exponents, allowed);
      expect(error).toBeLessThanOrEqual(least + 1e-9 * (1 + least));
      for (const [column, code] of codes.entries()) {
        expect(Math.abs(code)).toBeLessThanOrEqual(allowed[column] === 0 ? 0 : exponents);
      }
    }),
    { numRuns: 300 },
  );
});

it("gives up in bounded time on a wide kernel's bad basis, and more exponents still do no worse", () => {
  const columns = 11;
  const basis = Float64Array.from({ length: columns * columns }, (_, index) => Math.sin(1 + index * index) + 3);
  const row = Float64Array.from({ length: columns }, (_, index) => 10 * Math.cos(7 * index));
  const errors = [1, 2, 3, 4, 5, 6, 7].map((exponents) => {
    const search = createCodeSearch(columns);
    search.prepare(basis, exponents);
    return search.encode(row, 0, new Uint8Array(columns).fill(1), new Int8Array(columns));
  });
  for (let index = 1; index < errors.length; index++) expect(errors[index]).toBeLessThanOrEqual(errors[index - 1]!);
});
