import { readFileSync } from "node:fs";
import { DovetailError } from "@dovetail/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readArchitecture } from "../architecture/architecture.js";
import { readMapping } from "../mapping/mapping.js";
import { readProblem } from "../workload/problem.js";
import { evaluateSparseCost } from "./cost.js";

const names = ["sparse-product", "sparse-buffer", "sparse-mapping"];
const texts = names.map((name) =>
  readFileSync(new URL(`../../../../examples/hardware/${name}.yaml`, import.meta.url), "utf8"),
);

const piecesArbitrary = fc.oneof(
  fc.constantFrom(
    "0",
    "1",
    "3",
    "1000000",
    "1e-9",
    "0.999",
    "4503599627370496",
    "-1",
    "[]",
    "{}",
    "null",
    "A",
    "Z",
    "M",
  ),
  fc.constantFrom("banded", "hypergeometric", "bitmask", "runLength", "uncompressedBitmask", "gate", "skip", "outer"),
  fc.constantFrom(
    "decompresses: true, ",
    "compresses: true, ",
    "flatten: [[M, K]], ",
    "metadataBits: 3, ",
    "bandWidth: 1",
  ),
);

const mutationArbitrary = fc.record({
  file: fc.nat(texts.length - 1),
  word: fc.nat(400),
  piece: piecesArbitrary,
});

it("mutated documents are refused, do not fit, or cost something", () => {
  fc.assert(
    fc.property(fc.array(mutationArbitrary, { minLength: 1, maxLength: 3 }), (mutations) => {
      const changed = [...texts];
      for (const { file, word, piece } of mutations) {
        // Words, so that most results are still documents.
        const parts = changed[file]!.split(/(\b[\w.]+\b)/);
        const at = (2 * word + 1) % parts.length;
        parts[at] = piece;
        changed[file] = parts.join("");
      }
      try {
        const [problem, architecture, mapping] = changed as [string, string, string];
        const cost = evaluateSparseCost(readProblem(problem), readArchitecture(architecture), readMapping(mapping));
        if (!cost.ok) return;
        expect(cost.energyPj).toBeGreaterThanOrEqual(0);
        expect(cost.latencyCycles).toBeGreaterThanOrEqual(1);
        expect(cost.compute.macs).toBeLessThanOrEqual(cost.macs);
        for (const { dataSpaces } of cost.levels) {
          for (const { reads, fills, updates } of dataSpaces) {
            for (const words of [reads, fills, updates]) expect(words).toBeGreaterThanOrEqual(0);
          }
        }
      } catch (error) {
        if (!(error instanceof DovetailError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
