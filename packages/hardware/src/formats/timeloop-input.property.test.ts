import { readFileSync } from "node:fs";
import { DovetailError } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateCost } from "../cost/explain.js";
import { evaluateExpression } from "./timeloop-expression.js";
import { readTimeloop } from "./timeloop-input.js";

const names = ["arch", "problem", "mapping", "ERT", "ART"];
const texts = names.map((name) =>
  readFileSync(new URL(`../../../../examples/timeloop/${name}.yaml`, import.meta.url), "utf8"),
);

/** Pieces that readers of YAML stumble over. */
const piecesArbitrary = fc.oneof(
  fc.constantFrom("", ":", "- ", "{", "}", "[", "]", "&a ", "*a", "<<: *row", "!Container ", "!!null", "|", "'", '"'),
  fc.constantFrom(
    "null",
    "true",
    "-1",
    "0",
    "1e309",
    "99999999999999999999",
    "NaN",
    "0x10",
    "1..2",
    "a[b]",
    "word ** 9",
  ),
  fc.constantFrom("architecture:", "nodes:", "subtree:", "mapping:", "targets:", "problem:", "\n", "\n  ", "\t", "#"),
  fc.string({ maxLength: 6 }),
);

const mutationArbitrary = fc.record({
  file: fc.nat(texts.length - 1),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat(12),
  piece: piecesArbitrary,
});

describe("mutated files", () => {
  it("are read or refused as wrong input, and what is read costs something or does not fit", () => {
    fc.assert(
      fc.property(fc.array(mutationArbitrary, { minLength: 1, maxLength: 4 }), (mutations) => {
        const changed = [...texts];
        for (const { file, at, length, piece } of mutations) {
          const text = changed[file]!;
          const start = Math.floor(at * text.length);
          changed[file] = text.slice(0, start) + piece + text.slice(start + length);
        }
        try {
          const files = changed.map((text, index) => ({ file: `${names[index]}.yaml`, text }));
          const { problem, architecture, mapping, constrained } = readTimeloop(files);
          constrained();
          if (mapping === undefined) return;
          const cost = evaluateCost(problem, architecture, mapping, { model: "timeloop" });
          if (cost.ok) {
            expect(Number.isFinite(cost.energyPj)).toBe(true);
            expect(cost.energyPj).toBeGreaterThanOrEqual(0);
            expect(cost.latencyCycles).toBeGreaterThanOrEqual(1);
          }
        } catch (error) {
          if (!(error instanceof DovetailError)) throw error;
          for (const diagnostic of error.diagnostics) expect(diagnostic.kind).toBe("input");
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("expressions", () => {
  const numberArbitrary = fc.integer({ min: 1, max: 99 });
  const treeArbitrary = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      numberArbitrary.map(String),
      fc.constant("word"),
      fc
        .tuple(tie("tree"), fc.constantFrom("+", "-", "*", "/"), tie("tree"))
        .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      tie("tree").map((inner) => `-${inner}`),
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `max(${a}, ${b})`),
    ),
  })).tree;

  it("come to what JavaScript makes of them", () => {
    fc.assert(
      fc.property(treeArbitrary, numberArbitrary, (text, word) => {
        // biome-ignore lint/security/noGlobalEval: the text is made by this test
        const expected = eval(
          text.replaceAll("max", "Math.max").replaceAll("word", String(word)).replaceAll("-", " -"),
        ) as number;
        fc.pre(Number.isFinite(expected));
        expect(evaluateExpression(text, (name) => (name === "word" ? word : undefined))).toBeCloseTo(expected, 6);
      }),
    );
  });

  it.each([
    ["2 ** 3 ** 2", 512],
    ["-2 ** 2", -4],
    ["7 // 2 + 7 % 4", 6],
    ["ceil(log2(100)) * 2", 14],
    ["min(3, 1, 2)", 1],
    [".5e1", 5],
  ])("%s", (text, value) => {
    expect(evaluateExpression(text, () => undefined)).toBe(value);
  });

  it.each(["", "1 +", "(1", "f(1)", "1 1", "a.b", "1 / 0", "'x'", "(".repeat(5000), "constructor", "toString(1)"])(
    "%s is refused",
    (text) => {
      expect(() => evaluateExpression(text, () => undefined)).toThrow(DovetailError);
    },
  );
});
