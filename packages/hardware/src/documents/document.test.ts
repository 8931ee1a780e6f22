import { DovetailError, formatDiagnostic } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { architectureJsonSchema, readArchitecture } from "../architecture/architecture.js";
import { mappingJsonSchema, readMapping } from "../mapping/mapping.js";
import { problemJsonSchema, readProblem } from "../workload/problem.js";
import { readDocument } from "./document.js";

function diagnosticsOf(action: () => unknown) {
  try {
    action();
  } catch (error) {
    if (error instanceof DovetailError) return error.diagnostics;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("reading documents", () => {
  it("places a wrong value at its line, column and field", () => {
    const text = "name: a\ndimensions:\n  M: 4\n  C: -1\ndataSpaces:\n  - { name: W, projection: [M, C] }\n";
    expect(diagnosticsOf(() => readProblem(text, { file: "p.yaml" }))).toEqual([
      expect.objectContaining({ file: "p.yaml", line: 4, column: 6, path: ["dimensions", "C"], received: "-1" }),
    ]);
  });

  it("places an unknown field at its key and names what was meant", () => {
    const text = "name: a\ndimensions: { M: 4 }\ndataspaces: []\n";
    expect(diagnosticsOf(() => readProblem(text))).toContainEqual(
      expect.objectContaining({
        code: "unknown_field",
        line: 3,
        column: 1,
        path: ["dataspaces"],
        expected: "one of name, operation, dimensions, dataSpaces",
        hint: "did you mean dataSpaces?",
      }),
    );
  });

  it("knows the fields of what lies deeper", () => {
    const level = "{ name: DRAM, storage: { widthBits: 64, readpJ: 1, readPj: 1, writePj: 1 }, fanOut: { x: 2 } }";
    const text = `name: a\nlevels:\n  - ${level}\ncompute: { energyPj: 1 }\n`;
    expect(diagnosticsOf(() => readArchitecture(text))).toEqual([
      expect.objectContaining({ path: ["levels", 0, "storage", "readpJ"], line: 3, hint: "did you mean readPj?" }),
      expect.objectContaining({ path: ["levels", 0, "fanOut"], hint: "did you mean fanout?" }),
    ]);
  });

  it("says what was expected and what was received", () => {
    const shape = z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("asic"), areaMm2: z.union([z.number().positive(), z.literal("reference")]) }),
      z.strictObject({ kind: z.literal("fpga"), board: z.enum(["zc706", "ultra96"]), dsp: z.number().int().min(1) }),
    ]);
    const schema = z.strictObject({ name: z.string(), target: shape });
    const messages = (text: string) => diagnosticsOf(() => readDocument(schema, text)).map(formatDiagnostic);
    expect(messages("name: 3\ntarget: { kind: fpga, board: zc760, dsp: 0.5 }")).toEqual([
      "line 1:7: name: wrong type: expected text, received 3",
      'line 2:30: target.board: wrong value: expected one of zc706, ultra96, received "zc760" (did you mean zc706?)',
      "line 2:42: target.dsp: wrong type: expected a whole number, received 0.5",
    ]);
    expect(messages("target: { kind: fpga, board: zc706, dsp: 0 }")).toEqual([
      "line 1:1: name: missing field: expected text",
      "line 1:42: target.dsp: too small: expected at least 1, received 0",
    ]);
    expect(messages("name: a\ntarget: { kind: asics }")).toEqual([
      'line 2:17: target.kind: wrong value: expected one of asic, fpga, received "asics" (did you mean asic?)',
    ]);
    expect(messages("name: a\ntarget: { kind: asic, areaMm2: big, areaMm: 3 }")).toEqual([
      'line 2:32: target.areaMm2: wrong value: expected a number or reference, received "big"',
      "line 2:37: target.areaMm: unknown field: expected one of kind, areaMm2, received areaMm (did you mean areaMm2?)",
    ]);
  });

  it("names the unknown dimension of a projection", () => {
    const text = "name: a\ndimensions: { P: 4, R: 3 }\ndataSpaces:\n  - { name: I, projection: [2*P + K] }\n";
    expect(diagnosticsOf(() => readProblem(text))).toEqual([
      expect.objectContaining({
        line: 4,
        column: 29,
        path: ["dataSpaces", 0, "projection", 0],
        expected: "one of P, R",
        received: "K",
      }),
    ]);
  });

  it("reports a projection that is no sum", () => {
    const text = "name: a\ndimensions: { P: 4 }\ndataSpaces:\n  - { name: I, projection: [P*P] }\n";
    expect(diagnosticsOf(() => readProblem(text))[0]).toMatchObject({ line: 4, received: '"P*P"' });
  });

  it("points into broken YAML", () => {
    expect(diagnosticsOf(() => readMapping("levels:\n  - level: 'DRAM\n"))[0]).toMatchObject({
      code: "yaml_syntax",
      kind: "input",
    });
  });

  it("refuses aliases that multiply", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 8; level++) {
      const name = String.fromCharCode(97 + level);
      const before = String.fromCharCode(96 + level);
      bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]`);
    }
    expect(diagnosticsOf(() => readMapping(bomb.join("\n")))[0]).toMatchObject({ code: "yaml_aliases" });
  });

  it("refuses an architecture whose outermost level holds nothing, and constraints on unknown levels", () => {
    const text = [
      "name: a",
      "levels:",
      "  - { name: array, fanout: { x: 4 } }",
      "compute: { energyPj: 1 }",
      "constraints: { levels: [{ level: buffer }] }",
    ].join("\n");
    expect(diagnosticsOf(() => readArchitecture(text)).map((diagnostic) => diagnostic.path)).toEqual([
      ["levels", 0],
      ["constraints", "levels", 0, "level"],
    ]);
  });

  it("exports JSON Schemas of the text forms", () => {
    expect(problemJsonSchema()).toMatchObject({ type: "object", required: ["name", "dimensions", "dataSpaces"] });
    expect(architectureJsonSchema()).toMatchObject({ type: "object", required: ["name", "levels", "compute"] });
    expect(mappingJsonSchema()).toMatchObject({ type: "object", required: ["levels"] });
  });
});
