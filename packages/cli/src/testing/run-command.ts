// For tests only: the program inside the test's process.
import { run } from "../program.js";
import type { CommandIo } from "../terminal/command-io.js";
import { Interrupted } from "../terminal/exit-codes.js";

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunCommandOptions {
  readonly environment?: CommandIo["environment"] | undefined;
  /** Interrupts the command as soon as this holds; it is asked every millisecond. */
  readonly interruptWhen?: (() => boolean) | undefined;
}

/** Runs a command line and collects what it writes. */
export async function runCommand(argv: readonly string[], options: RunCommandOptions = {}): Promise<CommandResult> {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (options.interruptWhen?.()) controller.abort(new Interrupted("nothing is lost"));
  }, 1);
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
      },
      columns: 100,
    },
    signal: controller.signal,
    environment: options.environment ?? {},
  });
  clearInterval(timer);
  return { exitCode, stdout, stderr };
}
