import { type DovetailError, inputError, nearestWord } from "@dovetail/core";
import type { StructuredAnnotation, TensorAnnotation } from "./annotation.js";

/**
 * Key under which annotations travel in an ONNX file's `metadata_props`: a JSON object from value names to annotations,
 * `{"conv1.weight":{"bitWidth":4,"powerOfTwo":true}}`. The main graph's stand in the model's metadata, a subgraph's in
 * its own graph's.
 */
export const annotationsKey = "ai.dovetail.annotations";

type Path = readonly (string | number)[];

interface FieldRule {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  /** Rules of an object's fields, all of which must be there but the optional ones. */
  readonly fields?: Readonly<Record<string, FieldRule>> | undefined;
  readonly isOptional?: boolean | undefined;
}

const wholeNumber = (least: number, most: number): FieldRule => ({
  expected: `a whole number from ${least} to ${most}`,
  accepts: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});
const size = wholeNumber(1, Number.MAX_SAFE_INTEGER);
const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);

const structuredRules: Readonly<Record<keyof StructuredAnnotation, FieldRule>> = {
  columns: size,
  rows: size,
  keptRows: count,
  bases: size,
  nonZeroCoefficients: count,
  coefficientBitWidth: wholeNumber(1, 64),
  basisBitWidth: wholeNumber(1, 64),
  scaleBitWidth: { ...wholeNumber(0, 64), isOptional: true },
};

const fieldRules: Readonly<Record<keyof TensorAnnotation, FieldRule>> = {
  bitWidth: { ...wholeNumber(1, 64), isOptional: true },
  sparsityFraction: {
    expected: "a number from 0 to 1",
    accepts: (value) => typeof value === "number" && value >= 0 && value <= 1,
    isOptional: true,
  },
  powerOfTwo: { expected: "true or false", accepts: (value) => typeof value === "boolean", isOptional: true },
  structured: {
    expected: "a JSON object with no more kept rows than rows, and no more coefficients than kept rows hold",
    accepts: (value) => {
      const { columns, rows, keptRows, nonZeroCoefficients } = value as StructuredAnnotation;
      return keptRows <= rows && nonZeroCoefficients <= keptRows * columns;
    },
    fields: structuredRules,
    isOptional: true,
  },
};

/** The annotations' metadata entry, values in the order of their names; undefined when there are none. */
export function annotationsText(annotations: ReadonlyMap<string, TensorAnnotation>): string | undefined {
  const entries = [...annotations].sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return undefined;
  // Written by hand, for JSON.stringify would put names that look like numbers first.
  return `{${entries.map(([name, annotation]) => `${JSON.stringify(name)}:${JSON.stringify(annotation)}`).join(",")}}`;
}

/** The annotations in a graph's metadata. Throws an input error that names the value and the field that is wrong. */
export function readAnnotations(metadata: ReadonlyMap<string, string>, path: Path): Map<string, TensorAnnotation> {
  const text = metadata.get(annotationsKey);
  if (text === undefined) return new Map();
  const place = [...path, annotationsKey];
  const entries = Object.entries(asObject(parse(text, place), place));
  return new Map(entries.map(([name, value]) => [name, checked(value, [...place, name])]));
}

function parse(text: string, path: Path): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("not JSON", path, "a JSON object", text.slice(0, 40));
  }
}

function checked(
  value: unknown,
  path: Path,
  rules: Readonly<Record<string, FieldRule>> = fieldRules,
): TensorAnnotation {
  const annotation = asObject(value, path);
  for (const [field, content] of Object.entries(annotation)) {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    if (!rule) {
      const known = Object.keys(rules);
      const nearest = nearestWord(field, known);
      throw malformed(`unknown field "${field}"${nearest ? `: is "${nearest}" meant?` : ""}`, path, known.join(", "));
    }
    if (rule.fields) checked(content, [...path, field], rule.fields);
    if (!rule.accepts(content))
      throw malformed("wrong value", [...path, field], rule.expected, JSON.stringify(content));
  }
  const missing = Object.keys(rules).find((field) => !rules[field]!.isOptional && !Object.hasOwn(annotation, field));
  if (missing !== undefined) throw malformed("a field is missing", [...path, missing], rules[missing]!.expected);
  return annotation;
}

function asObject(value: unknown, path: Path): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw malformed("wrong value", path, "a JSON object", JSON.stringify(value).slice(0, 40));
}

function malformed(message: string, path: Path, expected: string, received?: string): DovetailError {
  return inputError("malformed_annotations", message, { path, expected, received });
}
