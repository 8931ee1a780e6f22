import { type Diagnostic, nearestWord } from "@dovetail/core";
import type * as z from "zod";

// What a schema complains about, in our words: the field, what was expected, what was received.

type Path = readonly (string | number)[];
type Issue = z.core.$ZodIssue;
type Wording = Pick<Diagnostic, "code" | "message" | "expected" | "hint">;

/** Diagnostics for the issues that `safeParse` gave with `reportInput`, without file and place. */
export function describeIssues(schema: z.core.$ZodType, value: unknown, issues: readonly Issue[]): Diagnostic[] {
  return issues.flatMap((issue): Diagnostic[] => {
    const path = issue.path.filter((step) => typeof step !== "symbol");
    if (issue.code === "unrecognized_keys") return unknownFields(issue.keys, path, fieldsAt(schema, value, path));
    const input = issue.code === "invalid_union" ? discriminated(issue) : issue.input;
    const details = issue.code === "custom" ? (issue.params as Partial<Diagnostic> | undefined) : undefined;
    const missing = input === undefined && issue.code !== "custom";
    return [
      {
        kind: "input",
        ...wordingOf(issue, input),
        ...(missing && { code: "missing_field", message: "missing field" }),
        path,
        received: isPlain(input) ? JSON.stringify(input) : issue.code === "invalid_type" ? kindOf(input) : undefined,
        ...details,
      },
    ];
  });
}

function unknownFields(keys: readonly string[], path: Path, known: readonly string[]): Diagnostic[] {
  return keys.map((key) => {
    const near = nearestWord(key, known);
    return {
      code: "unknown_field",
      kind: "input",
      message: "unknown field",
      path: [...path, key],
      expected: known.length > 0 ? `one of ${known.join(", ")}` : undefined,
      received: key,
      hint: near === undefined ? undefined : `did you mean ${near}?`,
    };
  });
}

function wordingOf(issue: Issue, input: unknown): Wording {
  switch (issue.code) {
    case "invalid_type":
      return { code: "invalid_type", message: "wrong type", expected: typeNames[issue.expected] ?? issue.expected };
    case "invalid_value":
      return choice(issue.values.map(String), input);
    case "invalid_union":
      return issue.discriminator === undefined ? alternatives(issue) : choice(discriminators(issue), input);
    case "too_small":
      return size(issue, issue.minimum, issue.inclusive ? "at least" : "more than", "too small");
    case "too_big":
      return size(issue, issue.maximum, issue.inclusive ? "at most" : "less than", "too large");
    case "invalid_key":
      return { code: "invalid_key", message: issue.issues[0]?.message ?? lowerFirst(issue.message) };
    case "custom":
      return { code: "invalid_value", message: lowerFirst(issue.message) };
    default:
      return { code: `invalid_${issue.code.replace(/^invalid_/, "")}`, message: lowerFirst(issue.message) };
  }
}

const typeNames: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "fields with values",
  record: "fields with values",
};

function choice(options: readonly string[], input: unknown): Wording {
  const near = typeof input === "string" ? nearestWord(input, options) : undefined;
  return {
    code: "invalid_value",
    message: "wrong value",
    expected: options.length > 1 ? `one of ${options.join(", ")}` : options[0],
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  };
}

/** One of several forms: what each would have accepted. */
function alternatives(issue: Issue & { code: "invalid_union" }): Wording {
  const forms = issue.errors.flatMap((branch) => (branch[0] ? [wordingOf(branch[0], undefined).expected] : []));
  return { code: "invalid_union", message: "wrong value", expected: forms.filter(Boolean).join(" or ") || undefined };
}

const sizeUnits: Readonly<Record<string, string>> = { array: " items", string: " characters", set: " items" };

function size(issue: Issue & { origin: string }, limit: number | bigint, relation: string, message: string): Wording {
  return { code: `invalid_${issue.code}`, message, expected: `${relation} ${limit}${sizeUnits[issue.origin] ?? ""}` };
}

/** The values that the field may have which decides which form an object has. */
function discriminators(issue: Issue): string[] {
  return ((issue as { readonly options?: readonly unknown[] }).options ?? []).map(String);
}

/** The value of that field. */
function discriminated(issue: Issue & { code: "invalid_union" }): unknown {
  if (issue.discriminator === undefined) return issue.input;
  return (issue.input as Record<string, unknown> | null | undefined)?.[issue.discriminator];
}

/** What `_zod.def` of the schemas that we use may hold. */
interface SchemaParts {
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly discriminator?: string;
}

/** Fields that the object at a path may have; none when there is no object. */
function fieldsAt(schema: z.core.$ZodType, value: unknown, path: Path): string[] {
  let parts = partsOf(schema, value);
  let at = value;
  for (const step of path) {
    at = (at as Record<string | number, unknown> | undefined)?.[step];
    const next = parts.shape?.[step] ?? parts.element ?? parts.valueType;
    if (next === undefined) return [];
    parts = partsOf(next, at);
  }
  return Object.keys(parts.shape ?? {});
}

/** Past optional, default and codec, and into the form that the value chose. */
function partsOf(schema: z.core.$ZodType, value: unknown): SchemaParts {
  let parts = schema._zod.def as SchemaParts;
  for (;;) {
    const inner = parts.innerType ?? parts.in ?? chosenForm(parts, value);
    if (inner === undefined) return parts;
    parts = inner._zod.def as SchemaParts;
  }
}

function chosenForm({ options, discriminator }: SchemaParts, value: unknown): z.core.$ZodType | undefined {
  if (options === undefined || discriminator === undefined) return undefined;
  const chosen = (value as Record<string, unknown> | undefined)?.[discriminator];
  return options.find((option) => option._zod.propValues?.[discriminator]?.has(chosen as string));
}

function kindOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? "a list" : "fields with values";
}

function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** Messages begin in lower case. */
export function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
