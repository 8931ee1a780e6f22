import { join } from "node:path";
import { environmentError } from "@dovetail/core";
import { benchmarkFiles, importPickle, writeColumns } from "@dovetail/nasbench";
import { readWholeFile, writeFileAtomically } from "@dovetail/train";
import type { Command } from "commander";
import { inFile } from "../../files/read-text.js";
import { type CommandIo, type CommonOptions, printResult } from "../../terminal/command-io.js";
import { defineCommand } from "../define.js";
import { bundledColumns, importedFolderName } from "./tables.js";
import { describeChecks, throwIfFailed } from "./verify.js";

interface ImportOptions extends CommonOptions {
  readonly output?: string;
}

const maximumBytes = 2 ** 30;

/** `dovetail hwnas import`: the authors' pickle, read as data. */
export function importCommand(io: CommandIo): Command {
  return defineCommand("import", {
    summary: "take over the authors' pickle, HW-NAS-Bench-v1_0.pickle, after all checks",
    description:
      "The pickle is read as data: nothing in it is executed, and a pickle that asks for more than numbers, texts, lists " +
      "and dictionaries is refused with the place. When a check fails nothing is written (exit code 1).",
    examples: [
      ["dovetail hwnas import HW-NAS-Bench-v1_0.pickle", "to $DOVETAIL_DATA, where the other commands look"],
      ["dovetail hwnas import HW-NAS-Bench-v1_0.pickle -o tables", "to a folder, for --tables"],
    ],
  })
    .argument("<pickle>", "the file")
    .option("-o, --output <folder>", `where to write; default: ${importedFolderName} in $DOVETAIL_DATA`)
    .action(async (path: string, options: ImportOptions) => {
      const folder = outputFolder(io, options);
      const bytes = await readWholeFile(path, maximumBytes);
      const bundled = await bundledColumns();
      const { columns, tables, checks } = inFile(path, () => importPickle(bytes, bundled));
      const held = checks.every(({ verdict }) => verdict !== "failed");
      if (held) {
        for (const space of ["cells", "fbnet"] as const) {
          const contents = await writeColumns(columns[space].facts, columns[space].columns);
          await writeFileAtomically(join(folder, benchmarkFiles[space]), contents);
        }
      }
      printResult(io, options, { tables, written: held ? folder : null, checks }, () => [
        `${tables.length} tables read: ${tables.join(", ")}`,
        ...describeChecks(checks),
        ...(held ? [`written to ${folder}`] : ["nothing was written"]),
      ]);
      throwIfFailed(checks, path);
    });
}

function outputFolder(io: CommandIo, { output }: ImportOptions): string {
  if (output !== undefined) return output;
  const { DOVETAIL_DATA } = io.environment;
  if (DOVETAIL_DATA) return join(DOVETAIL_DATA, importedFolderName);
  throw environmentError("no_data_folder", "there is no place for the tables", {
    expected: "the environment variable DOVETAIL_DATA, or --output FOLDER",
    received: "neither",
  });
}
