import fc from "fast-check";
import { expect, it } from "vitest";
import type { Architecture } from "../architecture/architecture.js";
import { evaluateCost } from "../cost/explain.js";
import { matmulProblem } from "../workload/layers.js";
import type { ZigZagAccelerator, ZigZagMemory, ZigZagPort } from "./accelerator.js";
import { evaluateZigZag } from "./cost.js";
import type { TemporalLoop } from "./mapping.js";

// Where the two models must count the same (cost-model.md §5): no window, words that fill an access, one cut for all
// operands, and no sums that leave the innermost memory unfinished.

const WORD_BITS = 8;

const port = (operands: readonly ("I1" | "I2" | "O")[]): ZigZagPort => ({
  name: "rw_port_1",
  kind: "readWrite",
  minBitsPerCycle: WORD_BITS,
  maxBitsPerCycle: WORD_BITS,
  transfers: operands.flatMap((operand) =>
    (["readToLow", "writeFromLow", "readToHigh", "writeFromHigh"] as const).map((move) => ({ operand, move })),
  ),
});

const memory = (name: string): ZigZagMemory => ({
  name,
  sizeBits: 2 ** 40,
  readPj: 1,
  writePj: 1,
  operands: ["I1", "I2", "O"],
  ports: [port(["I1", "I2", "O"])],
  servedDimensions: ["D1"],
});

const accelerator: ZigZagAccelerator = {
  name: "two levels",
  memories: [memory("inner"), memory("outer")],
  array: { dimensions: [{ name: "D1", size: 1 }], unitEnergyPj: 0 },
};

const storage = { widthBits: WORD_BITS, readPj: 1, writePj: 1 };
const architecture: Architecture = {
  name: "two-levels",
  levels: [
    { name: "outer", storage },
    { name: "inner", storage },
  ],
  compute: { name: "mac", energyPj: 0 },
};

const factor = fc.integer({ min: 2, max: 5 });
const loops = (dimensions: readonly string[]): fc.Arbitrary<TemporalLoop[]> =>
  fc.uniqueArray(fc.record({ dimension: fc.constantFrom(...dimensions), factor }), {
    selector: ({ dimension }) => dimension,
    maxLength: dimensions.length,
  });

it("ZigZag's model and the loop-nest model count the same where both say the same thing", () => {
  fc.assert(
    fc.property(loops(["K", "D", "C"]), loops(["K", "D"]), (inside, outside) => {
      const sizeOf = (name: string): number =>
        [...inside, ...outside].reduce(
          (product, loop) => (loop.dimension === name ? product * loop.factor : product),
          1,
        );
      const [k, d, c] = [sizeOf("K"), sizeOf("D"), sizeOf("C")];
      const operand = (name: string, ranks: string[]) => ({ name, ranks, bits: WORD_BITS });
      const all = [...inside, ...outside];
      const zigzag = evaluateZigZag({
        layer: {
          id: 0,
          name: "product",
          operator: "Gemm",
          dimensions: { C: c, D: d, K: k },
          output: { ...operand("O", ["D", "K"]), finalBits: WORD_BITS },
          inputs: [operand("I", ["D", "C"]), operand("W", ["C", "K"])],
          relations: [],
          sources: {},
        },
        accelerator,
        links: { O: "O", I: "I1", W: "I2" },
        spatial: {},
        temporal: {
          loops: all,
          cuts: Object.fromEntries(["O", "I", "W"].map((name) => [name, [inside.length, all.length]])),
        },
      });
      const bitWidths = { weights: WORD_BITS, inputs: WORD_BITS, outputs: WORD_BITS };
      const letters: Readonly<Record<string, string>> = { K: "M", D: "N", C: "C" };
      const level = (name: string, own: readonly TemporalLoop[]) => ({
        level: name,
        keep: ["Weights", "Inputs", "Outputs"],
        temporal: [...own].reverse().map((loop) => ({ dimension: letters[loop.dimension]!, bound: loop.factor })),
        spatialY: [],
        spatialX: [],
      });
      const nest = evaluateCost(matmulProblem({ rows: d, inner: c, columns: k, bitWidths }), architecture, {
        levels: [level("outer", outside), level("inner", inside)],
      });
      if (!nest.ok) throw new Error(nest.reason);
      const words = (name: string, place: number) =>
        nest.levels[place]!.dataSpaces.find((space) => space.dataSpace === name)!;
      const moved = (name: string, place: number, move: string): number =>
        zigzag.operands.find((each) => each.operand === name)!.levels[place]!.moves.find((each) => each.move === move)
          ?.accesses ?? 0;
      for (const [ours, theirs] of [
        ["Weights", "W"],
        ["Inputs", "I"],
      ] as const) {
        expect(moved(theirs, 1, "readToLow")).toBe(words(ours, 0).reads);
        expect(moved(theirs, 0, "writeFromHigh")).toBe(words(ours, 1).fills);
      }
      expect(moved("O", 1, "writeFromLow")).toBe(words("Outputs", 0).updates);
      expect(moved("O", 0, "writeFromLow")).toBe(words("Outputs", 1).updates);
      expect(moved("O", 0, "writeFromHigh")).toBe(words("Outputs", 1).fills);
    }),
    { numRuns: 300 },
  );
});
