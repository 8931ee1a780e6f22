import { DovetailError } from "@dovetail/core";
import { Command, CommanderError } from "commander";
import { commands } from "./commands/table.js";
import type { CommandIo } from "./terminal/command-io.js";
import { exitCodes, Interrupted, outcomeOf } from "./terminal/exit-codes.js";
import { dovetailVersion } from "./terminal/versions.js";

/**
 * Runs one command line, as the program `dovetail` does, and gives its exit code. Results go to `io.stdout`, everything
 * else to `io.stderr`; with `--json` a failure too is told as JSON on stdout, beside the text on stderr.
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const program = await createProgram(argv[0], io);
    await program.parseAsync([...argv], { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return usageOutcome(error, argv, io);
    const outcome = outcomeOf(interruption(error, io.signal));
    for (const line of outcome.lines) io.stderr.write(`${line}\n`);
    if (argv.includes("--json")) {
      const diagnostics =
        error instanceof DovetailError ? error.diagnostics : [{ kind: "internal", message: outcome.lines[0] }];
      if (outcome.exitCode !== exitCodes.failed || error instanceof DovetailError) {
        printFailure(io, outcome.exitCode, diagnostics);
      }
    }
    return outcome.exitCode;
  }
}

/** The program with the command that the first word names, or with all where it names none. */
async function createProgram(firstWord: string | undefined, io: CommandIo): Promise<Command> {
  const program = new Command("dovetail")
    .description("Design a neural network and the accelerator that runs it, together.")
    .version(dovetailVersion(), "-V, --version", "print the version")
    .addHelpText(
      "after",
      [
        "",
        "Start with `dovetail search`: a network and an accelerator for bundled images, in a few minutes.",
        "Each command has its own help with examples: dovetail COMMAND --help",
        "",
        "Exit codes: 0 done; 1 a check did not hold, or the surroundings failed; 2 bad input, or constraints that",
        "cannot be met; 70 our own fault; 130 interrupted.",
      ].join("\n"),
    );
  const names = firstWord !== undefined && Object.hasOwn(commands, firstWord) ? [firstWord] : Object.keys(commands);
  for (const name of names) program.addCommand((await commands[name]!())(io));
  settle(program, io);
  return program;
}

/** The same manners for a command and all below it. */
function settle(command: Command, io: CommandIo): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    })
    .showSuggestionAfterError(true)
    .helpOption("-h, --help", "print this help");
  for (const member of command.commands) settle(member, io);
}

function usageOutcome(error: CommanderError, argv: readonly string[], io: CommandIo): number {
  if (error.exitCode === 0) return exitCodes.done;
  if (argv.includes("--json")) {
    const message = error.message.replace(/^error: /, "");
    printFailure(io, exitCodes.badInput, [{ code: "usage", kind: "input", message }]);
  }
  return exitCodes.badInput;
}

function printFailure(io: CommandIo, exitCode: number, diagnostics: readonly object[]): void {
  io.stdout.write(`${JSON.stringify({ exitCode, diagnostics }, null, 2)}\n`);
}

/** What was thrown because of an interruption, whatever form it has by now. */
function interruption(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted || error instanceof Interrupted) return error;
  return (error as Error | undefined)?.name === "AbortError" ? signal.reason : error;
}
