// For tests only: the program inside the test's process.
import { run } from "../program.js";
import type { CommandIo } from "../terminal/command-io.js";

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunCommandOptions {
  readonly signal?: AbortSignal | undefined;
  readonly environment?: CommandIo["environment"] | undefined;
  /** Called with each text that the command writes to stderr. */
  readonly onStderr?: ((text: string) => void) | undefined;
}

/** Runs a command line and collects what it writes. */
export async function runCommand(argv: readonly string[], options: RunCommandOptions = {}): Promise<CommandResult> {
  let stdout = "";
  let stderr = "";
  const exitCode = await run(argv, {
    stdout: {
      write: (text) => {
        stdout += text;
      },
      columns: 100,
    },
    stderr: {
      write: (text) => {
        stderr += text;
        options.onStderr?.(text);
      },
      columns: 100,
    },
    signal: options.signal ?? new AbortController().signal,
    environment: options.environment ?? {},
  });
  return { exitCode, stdout, stderr };
}
