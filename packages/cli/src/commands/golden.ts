import { Command } from "commander";
import { runGolden } from "../golden/run.js";

/** `dovetail golden PATH`: our models against the figures of other tools. Exit code 1 when any case fails. */
export function goldenCommand(): Command {
  return new Command("golden")
    .description("hold the cost models against reference figures of other tools")
    .argument("<path>", "a golden file (.json or .json.gz) or a folder of such files")
    .action(async (path: string) => {
      const { failed } = await runGolden(path, (line) => process.stdout.write(`${line}\n`));
      if (failed > 0) process.exitCode = 1;
    });
}
