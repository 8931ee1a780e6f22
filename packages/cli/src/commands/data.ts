import { relative } from "node:path";
import {
  type DatasetStatus,
  type DatasetVerification,
  importDataset,
  knownDataset,
  knownDatasets,
  verifyDataset,
} from "@dovetail/train";
import type { Command } from "commander";
import { stringify } from "yaml";
import { type CommandIo, type CommonOptions, printResult, withWatch } from "../terminal/command-io.js";
import { ChecksFailed } from "../terminal/exit-codes.js";
import { formatTable } from "../terminal/table.js";
import { defineCommand, defineGroup } from "./define.js";

/** `dovetail data`: data sets by name, where they lie, whether they are what was published, how to come by them. */
export function dataCommand(io: CommandIo): Command {
  return defineGroup(
    "data",
    {
      summary: "data sets: what is known, where it lies, import and verify",
      description:
        "Data sets that do not come with Dovetail lie in the folder that the environment variable DOVETAIL_DATA names.",
      examples: [
        ["dovetail data", "what is known, and what of it is here"],
        ["dovetail data show cifar10-jpeg", "files, licence, where to get it, what to write in a recipe"],
        ["dovetail data import mnist ~/Downloads", "copy the files to $DOVETAIL_DATA after a check"],
        ["dovetail data verify cifar10-bundled", "hashes, decoding, images of each class"],
      ],
    },
    [listCommand(io), showCommand(io), importCommand(io), verifyCommand(io)],
    "list",
  );
}

function listCommand(io: CommandIo): Command {
  return defineCommand("list", {
    summary: "the data sets that are known by name, and whether they are here",
    examples: [["dovetail data list --json", "the same for programs"]],
  }).action(async (options: CommonOptions) => {
    const all = await knownDatasets({ environment: io.environment });
    printResult(io, options, all, () => [
      ...formatTable(
        ["name", "here", "where", "data set"],
        all.map((known) => [known.name, presence(known), placeOf(known), known.title]),
      ),
      "",
      "`dovetail data show NAME` tells where to get what is missing.",
    ]);
  });
}

/** As short as it can be said from here. */
function placeOf({ place }: DatasetStatus): string {
  const path = place === undefined ? "-" : relative(process.cwd(), place);
  return path.startsWith("..") ? place! : path || ".";
}

function presence({ place, missing, files }: DatasetStatus): string {
  if (place === undefined || missing.length === files.length) return "no";
  return missing.length === 0 ? "yes" : "in part";
}

function showCommand(io: CommandIo): Command {
  return defineCommand("show", {
    summary: "one data set: files, licence, where to get it",
    examples: [["dovetail data show cifar10-jpeg", "and what to write in a recipe to use it"]],
  })
    .argument("<name>", "name of the data set")
    .action(async (name: string, options: CommonOptions) => {
      const known = await knownDataset(name, { environment: io.environment });
      printResult(io, options, known, () => describe(known));
    });
}

function describe(known: DatasetStatus): string[] {
  const { name, title, place, missing, files, citation, licence, whereToGet, description } = known;
  const here = missing.length === 0 ? "all files are there" : `missing: ${missing.join(", ")}`;
  return [
    `${name}: ${title}`,
    `  place      ${place ?? "none: set the environment variable DOVETAIL_DATA to a folder for data sets"}`,
    `  files      ${files.map((file) => file.name).join(", ")} (${here})`,
    `  get it     ${whereToGet}`,
    `  cite       ${citation}`,
    `  licence    ${licence}`,
    "  recipe     data:",
    ...stringify(description)
      .trimEnd()
      .split("\n")
      .map((line) => `               ${line}`),
  ];
}

function importCommand(io: CommandIo): Command {
  return defineCommand("import", {
    summary: "copy a data set's files to $DOVETAIL_DATA after checking them",
    examples: [["dovetail data import cifar10-binary ./cifar-10-batches-bin", "from a folder that holds the files"]],
  })
    .argument("<name>", "name of the data set")
    .argument("<folder>", "folder that holds its files")
    .action(async (name: string, folder: string, options: CommonOptions) => {
      const imported = await withWatch(io, options, (watch) =>
        importDataset(name, folder, { environment: io.environment, ...watch }),
      );
      reportVerification(io, options, imported, `${name} is now in ${imported.place}`);
    });
}

function verifyCommand(io: CommandIo): Command {
  return defineCommand("verify", {
    summary: "check hashes, that every image decodes, and the images of each class",
    description: "Exit code 1 when the files are not what was published.",
    examples: [
      ["dovetail data verify cifar10-bundled", "where it usually lies"],
      ["dovetail data verify mnist --folder ./mnist", "somewhere else"],
    ],
  })
    .argument("<name>", "name of the data set")
    .option("--folder <folder>", "where the files lie; default: their place in $DOVETAIL_DATA")
    .action(async (name: string, options: CommonOptions & { folder?: string }) => {
      const verification = await withWatch(io, options, (watch) =>
        verifyDataset(name, { environment: io.environment, folder: options.folder, ...watch }),
      );
      reportVerification(io, options, verification, `${name} is as published`);
    });
}

function reportVerification(
  io: CommandIo,
  options: CommonOptions,
  verification: DatasetVerification,
  conclusion: string,
): void {
  const { files, images, wrongCounts, isAsPublished } = verification;
  printResult(io, options, verification, () => [
    ...formatTable(
      ["file", "contents"],
      files.map(({ name, verdict, received }) => [name, `${verdict} (${received.slice(0, 16)}…)`]),
    ),
    `${images.train} training images, ${images.test} test images, all decoded`,
    ...wrongCounts,
    ...(isAsPublished ? [conclusion] : []),
  ]);
  if (!isAsPublished) throw new ChecksFailed(`${verification.name} is not as published`);
}
