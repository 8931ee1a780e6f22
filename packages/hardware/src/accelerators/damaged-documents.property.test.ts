import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRandomStream, DovetailError } from "@dovetail/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { convolutionProblem } from "../workload/layers.js";
import { macCount } from "../workload/problem.js";
import { mapOnAccelerator } from "./cost.js";
import { isPipeline, readZooDocument, solvePipeline } from "./pipeline-document.js";

// Documents of the zoo with damage: what comes of them is a figure that makes sense, or an error of ours.

const folder = join(import.meta.dirname, "../../../../accelerators");
const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));

const layer = convolutionProblem({
  inputChannels: 16,
  outputChannels: 32,
  outputHeight: 8,
  outputWidth: 8,
  kernelHeight: 3,
  kernelWidth: 3,
});

const numbers = ["0", "-1", "1", "2", "3", "7", "1.5", "1e9", "1e300", "4503599627370496", ".nan", "null", "[]", "x"];

/** Replaces a number, drops a line, or swaps two words. */
const damage = fc.record({
  kind: fc.constantFrom("number", "line", "word"),
  place: fc.nat(),
  other: fc.nat(),
  number: fc.constantFrom(...numbers),
});

function damaged(
  text: string,
  { kind, place, other, number }: { kind: string; place: number; other: number; number: string },
): string {
  if (kind === "line") {
    const lines = text.split("\n");
    lines.splice(place % lines.length, 1);
    return lines.join("\n");
  }
  const matches = [...text.matchAll(kind === "number" ? /(?<=: )\d+(?:\.\d+)?/g : /[A-Za-z]+/g)];
  if (matches.length === 0) return text;
  const found = matches[place % matches.length]!;
  const by = kind === "number" ? number : matches[other % matches.length]![0];
  return text.slice(0, found.index) + by + text.slice(found.index + found[0].length);
}

it("gives a figure or an error with a place, never a crash", () => {
  let mapped = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(damage, { minLength: 1, maxLength: 3 }), (text, damages) => {
      const broken = damages.reduce(damaged, text);
      try {
        const document = readZooDocument(broken, { file: "broken.yaml" });
        if (isPipeline(document)) {
          solvePipeline([{ name: "layer", problem: layer }], document);
          return;
        }
        const found = mapOnAccelerator(layer, document, { random: createRandomStream(1), evaluations: 8 });
        if (!found.ok) return;
        mapped++;
        expect(found.cost.macs).toBe(macCount(layer));
        expect(found.cost.latencyCycles).toBeGreaterThan(0);
        expect(Number.isFinite(found.cost.latencyCycles)).toBe(true);
        expect(found.cost.energyPj).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(found.cost.energyPj)).toBe(true);
      } catch (error) {
        if (!(error instanceof DovetailError)) throw error;
        refused++;
        expect(error.diagnostics.length).toBeGreaterThan(0);
        for (const diagnostic of error.diagnostics) expect(diagnostic.kind).toBe("input");
      }
    }),
    { numRuns: 400 },
  );
  expect(mapped).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(50);
});
