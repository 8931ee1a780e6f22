#!/usr/bin/env node
// The program: connects the command line to the process, and does nothing else.
import { run } from "./program.js";
import { exitCodes, Interrupted, outcomeOf } from "./terminal/exit-codes.js";

/** The reader of a pipe may leave early (`dovetail data | head -1`): what is written after that is of no use to anyone. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

/** The first signal lets the work save itself, the second leaves at once. */
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
    process.stderr.write("\nstopping at the next step; once more to leave at once\n");
    interruption.abort(new Interrupted("nothing was left half done; run the command again"));
  });
}

process.on("uncaughtException", (error) => {
  const { exitCode, lines } = outcomeOf(error);
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exit(exitCode);
});

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  environment: process.env,
});
