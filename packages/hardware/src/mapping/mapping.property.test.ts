import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMapping, printMapping } from "./loopnest.js";
import { type Mapping, readMapping, writeMapping } from "./mapping.js";

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,6}$/);
const dimension = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,3}$/);
const loops = fc.uniqueArray(fc.record({ dimension, bound: fc.integer({ min: 1, max: 1_000_000 }) }), {
  selector: (loop) => loop.dimension,
  maxLength: 4,
});
const mappings: fc.Arbitrary<Mapping> = fc.record({
  levels: fc.uniqueArray(
    fc.record({
      level: name,
      keep: fc.array(name, { maxLength: 3 }),
      temporal: loops,
      spatialY: loops,
      spatialX: loops,
    }),
    { selector: (level) => level.level, minLength: 1, maxLength: 5 },
  ),
});

describe("mapping", () => {
  it("is the same after printing and parsing", () => {
    fc.assert(
      fc.property(mappings, (mapping) => {
        expect(parseMapping(printMapping(mapping))).toEqual(mapping);
      }),
    );
  });

  it("is the same after writing and reading YAML", () => {
    fc.assert(
      fc.property(mappings, (mapping) => {
        expect(readMapping(writeMapping(mapping))).toEqual(mapping);
      }),
    );
  });
});
