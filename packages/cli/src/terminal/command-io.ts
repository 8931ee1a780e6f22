import type { Log, ProgressListener } from "@dovetail/core";
import type { Output } from "./output.js";
import { createTerminal } from "./progress.js";

/** The surroundings of a command, so that it can run inside another program and in tests. */
export interface CommandIo {
  /** Results, and nothing else. */
  readonly stdout: Output;
  /** Progress, remarks and errors. */
  readonly stderr: Output;
  /** Aborted when the user interrupts; the reason is an `Interrupted`. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What every command takes. */
export interface CommonOptions {
  /** Results as JSON. */
  readonly json?: boolean | undefined;
  /** No progress and no remarks. */
  readonly quiet?: boolean | undefined;
}

/** The watch that a command gives to long-running functions. */
export interface CommandWatch {
  readonly onProgress: ProgressListener;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Runs `work` under a watch that shows progress and remarks on stderr. */
export async function withWatch<T>(
  io: CommandIo,
  { quiet }: CommonOptions,
  work: (watch: CommandWatch) => Promise<T>,
): Promise<T> {
  const terminal = createTerminal({ quiet, stream: io.stderr });
  try {
    return await work({ onProgress: terminal.onProgress, log: terminal.log, signal: io.signal });
  } finally {
    terminal.finish();
  }
}

/** Writes a result: `value` as JSON where it was asked for, else the lines. */
export function printResult(
  io: CommandIo,
  { json }: CommonOptions,
  value: unknown,
  lines: () => readonly string[],
): void {
  io.stdout.write(
    json
      ? `${JSON.stringify(value, null, 2)}\n`
      : lines()
          .map((line) => `${line}\n`)
          .join(""),
  );
}
