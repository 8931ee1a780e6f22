import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { shapeTable } from "./table.js";

const { operators } = JSON.parse(readFileSync(new URL("./onnx-operators.golden.json", import.meta.url), "utf8")) as {
  readonly operators: readonly string[];
};

test("every operator of ONNX's set 18 has a shape rule, but those on sequences, optional values and texts", () => {
  expect(operators.filter((operator) => !(operator in shapeTable))).toEqual([
    "ConcatFromSequence",
    "Optional",
    "OptionalGetElement",
    "OptionalHasElement",
    "SequenceAt",
    "SequenceConstruct",
    "SequenceEmpty",
    "SequenceErase",
    "SequenceInsert",
    "SequenceLength",
    "SequenceMap",
    "SplitToSequence",
    "StringNormalizer",
    "TfIdfVectorizer",
  ]);
});

test("what the table knows beyond set 18 is of newer sets, or Dovetail's own", () => {
  const standard = new Set(operators);
  const beyond = Object.keys(shapeTable).filter((name) => !standard.has(name) && !name.startsWith("ai.dovetail."));
  expect(beyond.sort()).toEqual(["Gelu", "GroupNormalization", "RMSNormalization", "Swish"]);
});
