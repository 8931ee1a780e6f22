// The best signed powers of two for a row, given the basis: a closest-point search on the basis's orthogonal–triangular
// form, depth first, each level's values in the order of their distance (Schnorr and Euchner 1994). Exact.

import { factorizeBasis } from "./small-systems.js";
import { mostExponents } from "./structured-layer.js";

/** Finds codes for rows of one width. It keeps its memory: one search at a time. */
export interface CodeSearch {
  /** Takes the basis [columns, columns] and the number of exponents, 1 to 7, for the rows to come. */
  prepare(basis: Float64Array, exponents: number): void;
  /**
   * Writes the codes of the row `rows[start … start + columns)` and gives the squared error. A coefficient whose entry in
   * `allowed` is 0 stays zero.
   */
  encode(rows: Float64Array, start: number, allowed: Uint8Array<ArrayBuffer>, codes: Int8Array): number;
}

/**
 * Nodes that a row's search may open, which wide kernels with bad bases need. Such a row takes the best of what searches
 * with fewer and fewer exponents find, so that more exponents never do worse.
 */
const mostNodes = 20_000;

export function createCodeSearch(columns: number): CodeSearch {
  const q = new Float64Array(columns * columns);
  const r = new Float64Array(columns * columns);
  let basis = new Float64Array(columns * columns);
  let exponents = 1;
  const rotated = new Float64Array(columns);
  const best = new Int8Array(columns);
  // By level: what is left to meet, the squared error of the levels above, the values tried and their codes, the places of
  // the next values above and below with their squared errors.
  const target = new Float64Array(columns);
  const outer = new Float64Array(columns + 1);
  const value = new Float64Array(columns);
  const tried = new Int8Array(columns);
  const above = new Int8Array(columns);
  const below = new Int8Array(columns);
  const errorAbove = new Float64Array(columns);
  const errorBelow = new Float64Array(columns);

  // What is searched now: a row's place, which coefficients may differ from zero, the codes there are.
  let start = 0;
  let allowed = new Uint8Array();
  let ladder = ladders[0]!;

  /** The least squared error, and whether the search came to its end; its codes lie in `best`. */
  function search(): { bound: number; isWhole: boolean } {
    let bound = Number.POSITIVE_INFINITY;
    let nodes = 0;
    let level = columns - 1;
    enter(level);
    while (level < columns) {
      const error = outer[level + 1]! + Math.min(errorAbove[level]!, errorBelow[level]!);
      if (!(error < bound)) {
        level++;
        continue;
      }
      if (++nodes > mostNodes) return { bound, isWhole: false };
      take(level);
      if (level > 0) {
        outer[level] = error;
        level--;
        enter(level);
        continue;
      }
      bound = error;
      for (let column = 0; column < columns; column++) best[column] = tried[column]!;
      // The first value of the last level is its best.
      level++;
    }
    return { bound, isWhole: true };
  }

  /** Looks for the value nearest to what the levels above leave. */
  function enter(level: number): void {
    const line = level * columns;
    let rest = rotated[level]!;
    for (let k = level + 1; k < columns; k++) rest -= r[line + k]! * value[k]!;
    target[level] = rest;
    if (allowed[start + level] === 0) {
      above[level] = -1;
      errorAbove[level] = rest * rest;
      errorBelow[level] = Number.POSITIVE_INFINITY;
      return;
    }
    const diagonal = r[line + level]!;
    const place = diagonal === 0 ? ladder.zero : nearestPlace(rest / diagonal, ladder);
    above[level] = place;
    below[level] = place - 1;
    errorAbove[level] = errorAt(level, place);
    errorBelow[level] = errorAt(level, place - 1);
  }

  /** Takes the nearest value that is left, and looks at the next one on its side. */
  function take(level: number): void {
    if (allowed[start + level] === 0) {
      tried[level] = 0;
      value[level] = 0;
      errorAbove[level] = Number.POSITIVE_INFINITY;
      return;
    }
    const isAbove = errorAbove[level]! <= errorBelow[level]!;
    const place = isAbove ? above[level]! : below[level]!;
    tried[level] = ladder.codes[place]!;
    value[level] = ladder.values[place]!;
    if (isAbove) {
      above[level] = place + 1;
      errorAbove[level] = errorAt(level, place + 1);
    } else {
      below[level] = place - 1;
      errorBelow[level] = errorAt(level, place - 1);
    }
  }

  function errorAt(level: number, place: number): number {
    if (place < 0 || place > 2 * ladder.zero) return Number.POSITIVE_INFINITY;
    const rest = target[level]! - r[level * columns + level]! * ladder.values[place]!;
    return rest * rest;
  }

  return {
    prepare(given, count) {
      basis = given.slice();
      exponents = count;
      factorizeBasis(basis, q, r, columns);
    },
    encode(rows, place, mask, codes) {
      start = place;
      allowed = mask;
      for (let i = 0; i < columns; i++) {
        let sum = 0;
        for (let k = 0; k < columns; k++) sum += q[i * columns + k]! * rows[start + k]!;
        rotated[i] = sum;
      }
      ladder = ladders[exponents - 1]!;
      let least = search();
      codes.set(best, start);
      for (let fewer = exponents - 1; !least.isWhole && fewer > 0; fewer--) {
        ladder = ladders[fewer - 1]!;
        const narrower = search();
        if (narrower.bound < least.bound) codes.set(best, start);
        least = { bound: Math.min(least.bound, narrower.bound), isWhole: narrower.isWhole };
      }
      return squaredError(rows, start, codes, basis, columns);
    },
  };
}

/** The value of a code. */
export function codeValue(code: number): number {
  return code === 0 ? 0 : Math.sign(code) * 2 ** (1 - Math.abs(code));
}

/** The codes with so many exponents in the order of their values. */
interface Ladder {
  readonly codes: Int8Array;
  readonly values: Float64Array;
  /** Place of zero; as many values lie on either side. */
  readonly zero: number;
}

const ladders = Array.from({ length: mostExponents }, (_, index): Ladder => {
  const exponents = index + 1;
  const positive = Array.from({ length: exponents }, (_, k) => exponents - k);
  const codes = Int8Array.from([...positive.map((code) => -code).reverse(), 0, ...positive]);
  return { codes, values: Float64Array.from(codes, codeValue), zero: exponents };
});

/** The place of the value nearest to a number. */
function nearestPlace(number: number, { values, zero }: Ladder): number {
  const magnitude = Math.abs(number);
  let place = zero;
  // The switch is halfway between neighbours.
  while (place < 2 * zero && 2 * magnitude >= values[place]! + values[place + 1]!) place++;
  return number < 0 ? 2 * zero - place : place;
}

function squaredError(
  rows: Float64Array,
  start: number,
  codes: Int8Array,
  basis: Float64Array,
  columns: number,
): number {
  let sum = 0;
  for (let column = 0; column < columns; column++) {
    let rest = rows[start + column]!;
    for (let inner = 0; inner < columns; inner++) {
      const code = codes[start + inner]!;
      if (code !== 0) rest -= shifted[code + mostExponents]! * basis[inner * columns + column]!;
    }
    sum += rest * rest;
  }
  return sum;
}

/** Values by code, from the most negative code on. */
const shifted = Float64Array.from({ length: 2 * mostExponents + 1 }, (_, index) => codeValue(index - mostExponents));
