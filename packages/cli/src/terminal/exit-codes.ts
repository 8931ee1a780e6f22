import { DovetailError, formatDiagnostic } from "@dovetail/core";

/** Exit codes of the command `dovetail`, the same for every subcommand. */
export const exitCodes = {
  done: 0,
  /** A check did not hold, or the surroundings failed (disk full, provider absent). */
  failed: 1,
  /** Bad input, or constraints that cannot be met. */
  badInput: 2,
  /** Our own fault. */
  internal: 70,
  /** Interrupted; the run can be resumed. */
  interrupted: 130,
} as const;

/** Thrown when the user interrupts; `hint` says how to go on. */
export class Interrupted extends Error {
  constructor(readonly hint: string) {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/** Thrown after the result was printed, when a check did not hold. */
export class ChecksFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ChecksFailed";
  }
}

/** Error codes of the operating system that are the surroundings' fault, with what a person calls them. */
const systemFailures: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "this is a folder, not a file",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is larger than the system allows",
};

interface Outcome {
  readonly exitCode: number;
  /** For stderr. */
  readonly lines: readonly string[];
}

/** What to say and with which code to leave after an error. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof Interrupted) {
    return { exitCode: exitCodes.interrupted, lines: ["interrupted", error.hint] };
  }
  if (error instanceof ChecksFailed) return { exitCode: exitCodes.failed, lines: [error.message] };
  if (error instanceof DovetailError) {
    const kinds = new Set(error.diagnostics.map(({ kind }) => kind));
    const exitCode = kinds.has("internal")
      ? exitCodes.internal
      : kinds.has("environment")
        ? exitCodes.failed
        : exitCodes.badInput;
    const lines = error.diagnostics.map((diagnostic) => `error: ${formatDiagnostic(diagnostic)}`);
    if (exitCode === exitCodes.internal) lines.push(reportRequest(error));
    return { exitCode, lines };
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code === "string" && systemFailures[code]) {
    const path = (error as NodeJS.ErrnoException).path;
    const missing = code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR";
    return {
      exitCode: missing ? exitCodes.badInput : exitCodes.failed,
      lines: [`error: ${path ? `${path}: ` : ""}${systemFailures[code]}`],
    };
  }
  return { exitCode: exitCodes.internal, lines: [`error: ${String(error)}`, reportRequest(error)] };
}

function reportRequest(error: unknown): string {
  const stack = error instanceof Error && error.stack ? `\n${error.stack}` : "";
  return `this is a fault of dovetail, not yours: please report it with the command and what follows${stack}`;
}
