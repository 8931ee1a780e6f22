import { type Diagnostic, DovetailError, inputError, nearestWord } from "@dovetail/core";
import {
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Document as ParsedDocument,
  parseDocument,
  stringify,
} from "yaml";
import * as z from "zod";

// Problem, architecture and mapping are YAML documents. This file turns text into a checked object, and places
// every complaint at the line and column of the field that it is about.

/** Longer texts are refused: no document of ours comes near it, and the parser holds the whole tree. */
const LENGTH_LIMIT = 4 * 2 ** 20;
/** More complaints than this help nobody. */
const ISSUE_LIMIT = 20;

export interface ReadOptions {
  /** Name of the file, for the messages. */
  readonly file?: string | undefined;
}

type Path = readonly (string | number)[];

/**
 * Parses YAML (or JSON, its subset) and checks it against a schema.
 *
 * @throws DovetailError (`yaml_syntax`, `document_too_long`, or `invalid_…` per field) with line, column and path.
 */
export function readDocument<T>(schema: z.ZodType<T>, text: string, options: ReadOptions = {}): T {
  if (text.length > LENGTH_LIMIT) {
    throw inputError("document_too_long", "the document is too long", {
      file: options.file,
      expected: `at most ${LENGTH_LIMIT} characters`,
      received: String(text.length),
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new DovetailError(
      document.errors.slice(0, ISSUE_LIMIT).map((error) => ({
        code: "yaml_syntax",
        kind: "input",
        message: lowerFirst(error.message),
        file: options.file,
        ...position(lines, error.pos[0]),
      })),
    );
  }
  const value = plainValue(document, options);
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issues = flattenIssues(schema, result.error.issues);
  throw new DovetailError(
    issues.slice(0, ISSUE_LIMIT).map((issue) => ({
      ...issue,
      file: options.file,
      ...position(lines, placeOf(document, issue.path ?? [], issue.code === "unknown_field")),
    })),
  );
}

/** The same checks on an object that is already in memory; its complaints carry the path only. */
export function checkDocument<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw new DovetailError(flattenIssues(schema, result.error.issues).slice(0, ISSUE_LIMIT));
}

/** YAML text of a checked object; `readDocument` gives the same object back. */
export function writeDocument<T>(schema: z.ZodType<T>, value: T): string {
  return stringify(z.encode(schema, value), { lineWidth: 120, collectionStyle: "any", flowCollectionPadding: true });
}

/** JSON Schema (2020-12) of the text form, for editors. */
export function documentJsonSchema(schema: z.ZodType, title: string): Record<string, unknown> {
  return { ...z.toJSONSchema(schema, { io: "input" }), title };
}

function plainValue(document: ParsedDocument, options: ReadOptions): unknown {
  try {
    // Aliases may multiply: a few lines of YAML could otherwise unfold to gigabytes.
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw inputError("yaml_aliases", "the document repeats itself too often through aliases", {
      file: options.file,
      received: cause instanceof Error ? cause.message : String(cause),
    });
  }
}

function flattenIssues(schema: z.core.$ZodType, issues: readonly z.core.$ZodIssue[]): Diagnostic[] {
  return issues.flatMap((issue): Diagnostic[] => {
    const path = issue.path.filter((step) => typeof step !== "symbol");
    if (issue.code === "unrecognized_keys") {
      const known = knownFields(schema, path);
      return issue.keys.map((key) => {
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
    const details = issue.code === "custom" ? (issue.params as Partial<Diagnostic> | undefined) : undefined;
    return [
      {
        code: `invalid_${issue.code === "custom" ? "value" : issue.code.replace(/^invalid_/, "")}`,
        kind: "input",
        message: issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : lowerFirst(issue.message),
        path,
        received: isPlain(issue.input) ? JSON.stringify(issue.input) : undefined,
        ...details,
      },
    ];
  });
}

/** What `_zod.def` of the schemas that we use may hold. */
interface SchemaParts {
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
}

/** Fields that the object at a path may have; none when there is no object. */
function knownFields(schema: z.core.$ZodType, path: Path): string[] {
  let parts: SchemaParts = unwrap(schema);
  for (const step of path) {
    const next = parts.shape?.[step] ?? parts.element ?? parts.valueType;
    if (next === undefined) return [];
    parts = unwrap(next);
  }
  return Object.keys(parts.shape ?? {});
}

/** Past optional, default and codec. */
function unwrap(schema: z.core.$ZodType): SchemaParts {
  let parts = schema._zod.def as SchemaParts;
  for (let inner = parts.innerType ?? parts.in; inner !== undefined; inner = parts.innerType ?? parts.in) {
    parts = inner._zod.def as SchemaParts;
  }
  return parts;
}

function placeOf(document: ParsedDocument, path: Path, atKey: boolean): number | undefined {
  if (atKey) {
    const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path[path.length - 1]);
      const key = pair?.key as Node | undefined;
      if (key?.range) return key.range[0];
    }
  }
  // A missing field has no place of its own: point at the nearest container that exists.
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as Node | undefined;
    if (node?.range) return node.range[0];
  }
  return document.contents?.range?.[0];
}

function position(lines: LineCounter, offset: number | undefined): { line?: number; column?: number } {
  if (offset === undefined) return {};
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
