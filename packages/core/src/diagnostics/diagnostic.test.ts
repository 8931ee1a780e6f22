import { describe, expect, it } from "vitest";
import { type DovetailError, formatDiagnostic, inputError, nearestWord, withPlace } from "./diagnostic.js";

describe("diagnostics", () => {
  it("renders place, field, expectation and hint on one line", () => {
    expect(
      formatDiagnostic({
        code: "unknown_dimension",
        kind: "input",
        message: "unknown dimension",
        file: "map.yaml",
        line: 3,
        column: 7,
        path: ["levels", 2, "permutation"],
        expected: "N, M or C",
        received: "Q",
        hint: "did you mean P?",
      }),
    ).toBe("map.yaml:3:7: levels[2].permutation: unknown dimension: expected N, M or C, received Q (did you mean P?)");
  });

  it("fills in a place without overwriting one that is known", () => {
    const placed = withPlace(inputError("bad", "bad value", { line: 4 }), { file: "a.yaml", line: 1 });
    expect((placed as DovetailError).diagnostics[0]).toMatchObject({ file: "a.yaml", line: 4 });
    const other = new TypeError("x");
    expect(withPlace(other, { file: "a.yaml" })).toBe(other);
  });

  it("suggests the nearest word, and none when nothing is near", () => {
    expect(nearestWord("weigts", ["Inputs", "Weights", "Outputs"])).toBe("Weights");
    expect(nearestWord("zzzzzz", ["Inputs", "Weights"])).toBeUndefined();
  });
});
