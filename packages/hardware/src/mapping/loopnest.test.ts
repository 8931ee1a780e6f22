import { describe, expect, it } from "vitest";
import { parseMapping, printMapping } from "./loopnest.js";

const text = `DRAM keeps Weights, Inputs
  for P in 0..8
    array keeps -
      spatial y for C in 0..4
        spatial x for Q in 0..14`;

describe("loop nest of a mapping", () => {
  it("reads and prints", () => {
    const mapping = parseMapping(text);
    expect(mapping.levels).toEqual([
      {
        level: "DRAM",
        keep: ["Weights", "Inputs"],
        temporal: [{ dimension: "P", bound: 8 }],
        spatialY: [],
        spatialX: [],
      },
      {
        level: "array",
        keep: [],
        temporal: [],
        spatialY: [{ dimension: "C", bound: 4 }],
        spatialX: [{ dimension: "Q", bound: 14 }],
      },
    ]);
    expect(printMapping(mapping)).toBe(text);
  });

  it("places errors", () => {
    expect(() => parseMapping("DRAM keeps W\n  four P in 0..8", { file: "m.txt" })).toThrow(
      "m.txt:2:3: not a line of a loop nest",
    );
    expect(() => parseMapping("for P in 0..8")).toThrow("line 1:1: not a line of a loop nest");
    expect(() => parseMapping("A keeps W\nspatial x for P in 0..8\nfor Q in 0..2")).toThrow("line 3:1");
    expect(() => parseMapping("A keeps W\nfor P in 0..0")).toThrow("at least 1");
    expect(() => parseMapping("")).toThrow("empty");
  });
});
