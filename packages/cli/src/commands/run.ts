import { isPresent } from "@dovetail/train";
import type { Command } from "commander";
import { carryOut } from "../jobs/carry-out.js";
import { resumeRun } from "../runs/run.js";
import { type ListedRun, listRuns, readRunSummary } from "../runs/summary.js";
import { verifyRun } from "../runs/verify.js";
import { cacheFolder } from "../terminal/cache-folder.js";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../terminal/command-io.js";
import { ChecksFailed } from "../terminal/exit-codes.js";
import { formatTable } from "../terminal/table.js";
import { defineCommand, defineGroup } from "./define.js";
import { describeRun, printRun } from "./run-summary.js";

/** `dovetail run`: what lies in run folders, and going on with it. */
export function runCommand(io: CommandIo): Command {
  return defineGroup(
    "run",
    {
      summary: "run folders: list, show, verify, resume",
      examples: [
        ["dovetail run list", "the runs in runs/"],
        ["dovetail run show runs/quickstart-seed0", "figures of one"],
        ["dovetail run verify runs/quickstart-seed0", "hold its files against what they say"],
        ["dovetail run resume runs/quickstart-seed0", "go on with one that was interrupted"],
      ],
    },
    [listCommand(io), showCommand(io), verifyCommand(io), resumeCommand(io)],
  );
}

const defaultFolder = "runs";

function listCommand(io: CommandIo): Command {
  return defineCommand("list", {
    summary: "the runs in a folder, and how far they are",
    examples: [["dovetail run list experiments --json", "another folder, for programs"]],
  })
    .argument("[folder]", "folder that holds run folders", defaultFolder)
    .action(async (folder: string, options: CommonOptions) => {
      // Before the first run there is no folder of runs, which is no fault of anybody's.
      const runs = folder === defaultFolder && !(await isPresent(folder)) ? [] : await listRuns(folder);
      printResult(io, options, runs, () =>
        runs.length === 0
          ? [`no runs in ${folder}`]
          : formatTable(["run", "state", "accuracy", "command"], runs.map(row)),
      );
    });
}

function row({ folder, status, command, summary }: ListedRun): string[] {
  const accuracy = summary?.metrics.task.accuracyFraction;
  return [folder, status, accuracy === undefined ? "-" : `${(100 * accuracy).toFixed(2)} %`, command ?? "-"];
}

function showCommand(io: CommandIo): Command {
  return defineCommand("show", {
    summary: "figures of a finished run",
    examples: [["dovetail run show runs/quickstart-seed0 --json", "metrics.json"]],
  })
    .argument("<folder>", "run folder")
    .action(async (folder: string, options: CommonOptions) => {
      const summary = await readRunSummary(folder);
      const { command, seed, versions } = summary.metrics;
      printResult(io, options, summary.metrics, () => [
        `${command} (seed ${seed}, dovetail ${versions.dovetail})`,
        ...describeRun(summary),
      ]);
    });
}

function verifyCommand(io: CommandIo): Command {
  return defineCommand("verify", {
    summary: "hold a run's files against what they say",
    description:
      "All files are there and have their form; the inputs have the hashes that they had; network.onnx has exactly the " +
      "stated accuracy in plain ONNX Runtime; every mapping fits and the cost is as stated; constraints are met. Exit " +
      "code 1 when something does not hold.",
    examples: [["dovetail run verify runs/quickstart-seed0", "a line for each check, and what does not hold"]],
  })
    .argument("<folder>", "run folder")
    .option("--data-folder <folder>", "where relative paths of the data set start; default: the current folder")
    .action(async (folder: string, options: CommonOptions & { dataFolder?: string }) => {
      const place = {
        baseFolder: options.dataFolder,
        environment: io.environment,
        cacheFolder: cacheFolder(io.environment),
      };
      const checks = await withWatch(io, options, (watch) => verifyRun(folder, { watch, place }));
      const failed = checks.filter(({ faults }) => faults.length > 0);
      printResult(io, options, { run: folder, holds: failed.length === 0, checks }, () =>
        checks.flatMap(({ name, faults }) => [
          `${faults.length === 0 ? "holds" : "FAILS"}  ${name}`,
          ...faults.map((fault) => `         ${fault}`),
        ]),
      );
      if (failed.length > 0)
        throw new ChecksFailed(`${folder}: ${failed.map(({ name }) => name).join(", ")} do not hold`);
    });
}

function resumeCommand(io: CommandIo): Command {
  return defineCommand("resume", {
    summary: "go on with a run that was interrupted",
    description: "The result has the same bits as if there had been no interruption.",
    examples: [["dovetail run resume runs/quickstart-seed0", "from its last checkpoint"]],
  })
    .argument("<folder>", "run folder")
    .action(async (folder: string, options: CommonOptions) => {
      const run = await resumeRun(folder);
      if (run) await withWatch(io, options, (watch) => carryOut(run, watch, io.environment));
      await printRun(io, options, folder);
    });
}
