// Errors as data. Text, JSON and an editor's underline are renderers of one object.

/**
 * Whose failure it is: `input` is the user's (exit code 2), `environment` the surroundings'
 * (disk full, provider absent; exit code 1), `internal` ours (exit code 70).
 */
export type DiagnosticKind = "input" | "environment" | "internal";

/** One thing that went wrong: where, what was expected, what was received, and a way on. */
export interface Diagnostic {
  /** Stable identifier in snake case, e.g. `unknown_dimension`. */
  readonly code: string;
  readonly kind: DiagnosticKind;
  /** One line, lower case, without the place (the renderer adds it). */
  readonly message: string;
  readonly file?: string | undefined;
  /** First line is 1. */
  readonly line?: number | undefined;
  /** First column is 1. */
  readonly column?: number | undefined;
  /** Path of the field inside the document, e.g. `["levels", 2, "permutation"]`. */
  readonly path?: readonly (string | number)[] | undefined;
  readonly expected?: string | undefined;
  readonly received?: string | undefined;
  readonly hint?: string | undefined;
}

/** An error that carries its diagnostics. Everything that Dovetail throws on purpose is one of these. */
export class DovetailError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[], options?: ErrorOptions) {
    super(diagnostics.map(formatDiagnostic).join("\n"), options);
    this.name = "DovetailError";
    this.diagnostics = diagnostics;
  }
}

type Details = Omit<Diagnostic, "kind" | "code" | "message">;

/** The user's failure: bad input, or constraints that cannot be met. */
export function inputError(code: string, message: string, details: Details = {}): DovetailError {
  return new DovetailError([{ code, kind: "input", message, ...details }]);
}

/** The surroundings' failure: disk full, folder not writable, execution provider absent. */
export function environmentError(code: string, message: string, details: Details = {}): DovetailError {
  return new DovetailError([{ code, kind: "environment", message, ...details }]);
}

/** Our own failure; the command line asks to report it. */
export function internalError(code: string, message: string, details: Details = {}): DovetailError {
  return new DovetailError([{ code, kind: "internal", message, ...details }]);
}

/** The same error with a file (and anything else) filled in where its diagnostics lack it. */
export function withPlace(error: unknown, place: Details): unknown {
  if (!(error instanceof DovetailError)) return error;
  return new DovetailError(
    error.diagnostics.map((diagnostic) => ({ ...place, ...diagnostic })),
    { cause: error },
  );
}

/** `levels[2].permutation` for `["levels", 2, "permutation"]`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

/** One diagnostic as text: `file:line:column: field: message: expected …, received … (hint)`. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, path, message, expected, received, hint } = diagnostic;
  let place = file ?? "";
  if (line !== undefined) place += `${place ? ":" : "line "}${line}`;
  if (line !== undefined && column !== undefined) place += `:${column}`;
  let text = place ? `${place}: ` : "";
  if (path && path.length > 0) text += `${formatPath(path)}: `;
  text += message;
  if (expected !== undefined) text += `: expected ${expected}`;
  if (received !== undefined) text += `${expected === undefined ? ":" : ","} received ${received}`;
  if (hint !== undefined) text += ` (${hint})`;
  return text;
}

/** The candidate that is closest to a misspelt word, or undefined when none is near: for "did you mean" hints. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}
