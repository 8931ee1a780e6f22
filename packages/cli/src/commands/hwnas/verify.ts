import { type BenchmarkCheck, verifyBenchmark } from "@dovetail/nasbench";
import type { Command } from "commander";
import { type CommandIo, type CommonOptions, printResult } from "../../terminal/command-io.js";
import { ChecksFailed } from "../../terminal/exit-codes.js";
import { defineCommand } from "../define.js";
import { loadTables, type TableOptions, withTableOptions } from "./tables.js";

/** `dovetail hwnas verify`: the nine checks of the tables. */
export function verifyCommand(io: CommandIo): Command {
  const command = defineCommand("verify", {
    summary: "hold the tables against figures that others published or computed",
    description: "Nine checks, a line each. Exit code 1 when one fails. The ninth needs the authors' pickle.",
    examples: [
      ["dovetail hwnas verify", "a line for each check"],
      ["dovetail hwnas verify --figures", "every figure: expected, found"],
    ],
  }).option("--figures", "print every figure");
  return withTableOptions(command).action(
    async (options: CommonOptions & TableOptions & { readonly figures?: boolean }) => {
      const { benchmark, source } = await loadTables(io, options);
      const checks = verifyBenchmark(benchmark);
      printResult(io, options, { tables: source, holds: !hasFailed(checks), checks }, () =>
        describeChecks(checks, options.figures),
      );
      throwIfFailed(checks, "the tables");
    },
  );
}

const verdicts = { held: "holds", failed: "FAILS", "not run": "-    " } as const;

/** A line a check, the figures that do not hold, or all of them. */
export function describeChecks(checks: readonly BenchmarkCheck[], all = false): string[] {
  return checks.flatMap(({ number, title, verdict, figures, reason }) => [
    `${verdicts[verdict]}  ${number}  ${title}${figures.length > 0 ? ` (${figures.length} figures)` : ""}${reason === undefined ? "" : `: ${reason}`}`,
    ...figures
      .filter(({ held }) => all || !held)
      .map(
        ({ name, expected, found, tolerance, held }) =>
          `          ${held ? "" : "NOT "}${name}: expected ${expected}${tolerance > 0 ? ` ± ${tolerance}` : ""}, found ${found}`,
      ),
  ]);
}

export function hasFailed(checks: readonly BenchmarkCheck[]): boolean {
  return checks.some(({ verdict }) => verdict === "failed");
}

export function throwIfFailed(checks: readonly BenchmarkCheck[], what: string): void {
  const failed = checks.filter(({ verdict }) => verdict === "failed");
  if (failed.length > 0)
    throw new ChecksFailed(`${what}: check ${failed.map(({ number }) => number).join(", ")} failed`);
}
