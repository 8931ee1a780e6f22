import { DovetailError, inputError } from "@dovetail/core";
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
import { describeIssues, lowerFirst } from "./issues.js";

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

/** How a peer's files are read. */
export interface PeerReadOptions extends ReadOptions {
  /** Of a field that is given twice the last counts, as in Python's readers; by default it is an error. */
  readonly lastKeyCounts?: boolean | undefined;
  /** Whether `<<` merges another map's fields, as in YAML 1.1. */
  readonly merge?: boolean | undefined;
  /** Sees the parsed tree before it becomes values, and may change it. */
  readonly prepare?: ((tree: ParsedDocument, lines: LineCounter) => void) | undefined;
}

type Path = readonly (string | number)[];

/**
 * Parses YAML (or JSON, its subset) and checks it against a schema.
 *
 * @throws DovetailError (`yaml_syntax`, `document_too_long`, or `invalid_…` per field) with line, column and path.
 */
export function readDocument<T>(schema: z.ZodType<T>, text: string, options: PeerReadOptions = {}): T {
  if (text.length > LENGTH_LIMIT) {
    throw inputError("document_too_long", "the document is too long", {
      file: options.file,
      expected: `at most ${LENGTH_LIMIT} characters`,
      received: String(text.length),
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Its warnings would go to stderr past our messages.
    logLevel: "error",
    uniqueKeys: options.lastKeyCounts !== true,
    merge: options.merge === true,
  });
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
  options.prepare?.(document, lines);
  const value = plainValue(document, options);
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issues = describeIssues(schema, value, result.error.issues);
  throw new DovetailError(
    issues.slice(0, ISSUE_LIMIT).map((issue) => ({
      ...issue,
      file: options.file,
      ...placeIn(document, lines, issue.path ?? [], issue.code === "unknown_field"),
    })),
  );
}

/** Line and column of a field, or of what is nearest to a missing one. */
export function placeIn(
  document: ParsedDocument,
  lines: LineCounter,
  path: Path,
  atKey = false,
): { line?: number; column?: number } {
  return position(lines, placeOf(document, path, atKey));
}

/** The same checks on an object that is already in memory; its complaints carry the path only. */
export function checkDocument<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw new DovetailError(describeIssues(schema, value, result.error.issues).slice(0, ISSUE_LIMIT));
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
