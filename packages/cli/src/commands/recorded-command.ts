import { isAbsolute, relative } from "node:path";
import type { Command } from "commander";
import { quoteForShell } from "../terminal/quote.js";

/** Options that change nothing in a run's results, and whether a value follows. */
const silent: Readonly<Record<string, boolean>> = {
  "--run-folder": true,
  "--threads": true,
  "--quiet": false,
  "--json": false,
};

/**
 * The command line as the record of a run has it: without the options that change nothing in the results. Absolute paths
 * below the current folder are written from there.
 */
export function recordedCommand(command: Command): string {
  let root = command;
  while (root.parent) root = root.parent;
  const words = (root as Command & { readonly rawArgs: readonly string[] }).rawArgs;
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const name = word.split("=", 1)[0]!;
    if (Object.hasOwn(silent, name)) {
      if (silent[name] && name === word) index += 1;
    } else {
      kept.push(quoteForShell(portable(word)));
    }
  }
  return ["dovetail", ...kept].join(" ");
}

function portable(word: string): string {
  const path = isAbsolute(word) ? relative(process.cwd(), word) : word;
  return path === "" || path.startsWith("..") ? word : path;
}
