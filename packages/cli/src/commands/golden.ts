import type { Command } from "commander";
import { runGolden } from "../golden/run.js";
import type { CommandIo } from "../terminal/command-io.js";
import { ChecksFailed } from "../terminal/exit-codes.js";
import { defineCommand } from "./define.js";

/** `dovetail golden PATH`: our models against the figures of other tools. Exit code 1 when any case fails. */
export function goldenCommand(io: CommandIo): Command {
  return defineCommand("golden", {
    summary: "hold the cost models against reference figures of other tools",
    description: "Prints `NAME: PASSED/FAILED/SKIPPED` for each set, what failed, and why cases were skipped.",
    examples: [
      ["dovetail golden golden-hardware.json", "one file of reference figures"],
      ["dovetail golden reference-figures/", "every .json and .json.gz file of a folder"],
    ],
  })
    .argument("<path>", "a golden file (.json or .json.gz) or a folder of such files")
    .action(async (path: string, { json }: { json?: boolean }) => {
      const lines: string[] = [];
      const totals = await runGolden(path, (line) => (json ? lines.push(line) : io.stdout.write(`${line}\n`)));
      if (json) io.stdout.write(`${JSON.stringify({ ...totals, lines }, null, 2)}\n`);
      if (totals.failed > 0) throw new ChecksFailed(`${totals.failed} of the reference figures are not met`);
    });
}
