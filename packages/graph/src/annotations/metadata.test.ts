import { DovetailError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { annotationsKey, annotationsText, readAnnotations } from "./metadata.js";

const read = (text: string) => readAnnotations(new Map([[annotationsKey, text]]), ["metadata_props"]);

const structured = {
  columns: 3,
  rows: 96,
  keptRows: 40,
  bases: 2,
  nonZeroCoefficients: 101,
  coefficientBitWidth: 4,
  basisBitWidth: 8,
};

function refusal(text: string) {
  try {
    read(text);
  } catch (error) {
    if (error instanceof DovetailError) return error.diagnostics[0]!;
    throw error;
  }
  throw new Error("the annotations were read");
}

describe("annotations in a model's metadata", () => {
  it("are JSON in the order of names, whatever the order in which they were given", () => {
    const text = annotationsText(
      new Map([
        ["w", { bitWidth: 4, powerOfTwo: true }],
        ["7", {}],
        ["a", { sparsityFraction: 0.25 }],
      ]),
    );
    expect(text).toBe('{"7":{},"a":{"sparsityFraction":0.25},"w":{"bitWidth":4,"powerOfTwo":true}}');
    expect(annotationsText(new Map())).toBeUndefined();
  });

  it("come back as they were", () => {
    const annotations = new Map([
      ["w", { bitWidth: 4, powerOfTwo: true, sparsityFraction: 0.5 }],
      ["__proto__", { bitWidth: 8 }],
    ]);
    expect(read(annotationsText(annotations)!)).toEqual(annotations);
    expect(readAnnotations(new Map([["other", "x"]]), [])).toEqual(new Map());
    const withForm = new Map([["w", { structured }]]);
    expect(read(annotationsText(withForm)!)).toEqual(withForm);
  });

  it("are refused where they are not what they should be", () => {
    const place = ["metadata_props", annotationsKey];
    expect(refusal("{")).toMatchObject({ code: "malformed_annotations", message: "not JSON", path: place });
    expect(refusal("[]")).toMatchObject({ expected: "a JSON object", path: place });
    expect(refusal('{"w":4}')).toMatchObject({ path: [...place, "w"], received: "4" });
    expect(refusal('{"w":{"bitWidth":0}}')).toMatchObject({ path: [...place, "w", "bitWidth"], received: "0" });
    expect(refusal('{"w":{"bitWidth":"8"}}').expected).toBe("a whole number from 1 to 64");
    expect(refusal('{"w":{"sparsityFraction":1.5}}').expected).toBe("a number from 0 to 1");
    expect(refusal('{"w":{"powerOfTwo":1}}').expected).toBe("true or false");
    expect(refusal('{"w":{"bitwidth":8}}').message).toBe('unknown field "bitwidth": is "bitWidth" meant?');
    expect(refusal('{"w":{"toString":8}}').message).toBe('unknown field "toString"');
    const form = (change: object) => refusal(JSON.stringify({ w: { structured: { ...structured, ...change } } }));
    const formPlace = [...place, "w", "structured"];
    expect(form({ rows: 0 })).toMatchObject({ path: [...formPlace, "rows"], received: "0" });
    expect(form({ bases: undefined })).toMatchObject({ message: "a field is missing", path: [...formPlace, "bases"] });
    expect(form({ keptRows: 97 })).toMatchObject({ message: "wrong value", path: formPlace });
    expect(form({ nonZeroCoefficients: 121 })).toMatchObject({ message: "wrong value", path: formPlace });
    expect(form({ base: 1 }).message).toBe('unknown field "base": is "bases" meant?');
    expect(refusal('{"w":{"structured":4}}')).toMatchObject({ expected: "a JSON object", path: formPlace });
  });
});
