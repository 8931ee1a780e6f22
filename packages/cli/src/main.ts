#!/usr/bin/env node
import { DovetailError } from "@dovetail/core";
import { Command } from "commander";
import { goldenCommand } from "./commands/golden.js";

const program = new Command("dovetail").addCommand(goldenCommand());
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof DovetailError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.diagnostics.some(({ kind }) => kind !== "input") ? 1 : 2;
}
