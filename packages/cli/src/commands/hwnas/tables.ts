import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type BenchmarkColumns,
  benchmarkFiles,
  benchmarkOfColumns,
  type HardwareBenchmark,
  parseDeviceTable,
  readColumns,
  type SpaceName,
  spaceNames,
  withDevice,
} from "@dovetail/nasbench";
import { isPresent, readWholeFile } from "@dovetail/train";
import { type Command, Option } from "commander";
import { inFile, readText } from "../../files/read-text.js";
import type { CommandIo } from "../../terminal/command-io.js";

/** Options of all commands that read the tables. */
export interface TableOptions {
  readonly tables?: string;
  readonly device?: readonly string[];
}

export interface Tables {
  readonly benchmark: HardwareBenchmark;
  readonly columns: BenchmarkColumns;
  /** In words: bundled, or the folder. */
  readonly source: string;
}

const maximumBytes = 64 * 2 ** 20;

/** Folder in $DOVETAIL_DATA into which `hwnas import` writes. */
export const importedFolderName = "hw-nas-bench";

/** Where the tables lie: the folder asked for, else an import in $DOVETAIL_DATA, else undefined for those that come along. */
async function tableFolder(io: CommandIo, options: TableOptions): Promise<string | undefined> {
  if (options.tables !== undefined) return options.tables;
  const { DOVETAIL_DATA } = io.environment;
  if (!DOVETAIL_DATA) return undefined;
  const folder = join(DOVETAIL_DATA, importedFolderName);
  return (await isPresent(join(folder, benchmarkFiles.cells))) ? folder : undefined;
}

/** The tables that come with the program. */
export async function bundledColumns(): Promise<BenchmarkColumns> {
  const read = async (name: string): Promise<Uint8Array> =>
    readFile(fileURLToPath(import.meta.resolve(`@dovetail/nasbench/data/${name}`)));
  return {
    cells: await readColumns(await read(benchmarkFiles.cells)),
    fbnet: await readColumns(await read(benchmarkFiles.fbnet)),
  };
}

/** The tables, with the devices of measured files among them. Throws `bad_table_file`, `bad_device_table`. */
export async function loadTables(io: CommandIo, options: TableOptions): Promise<Tables> {
  const folder = await tableFolder(io, options);
  const columns = folder === undefined ? await bundledColumns() : await columnsIn(folder);
  let benchmark = benchmarkOfColumns(columns);
  for (const file of options.device ?? []) {
    const text = await readText(file);
    benchmark = inFile(file, () => withDevice(benchmark, parseDeviceTable(text)));
  }
  return { benchmark, columns, source: folder ?? "bundled" };
}

async function columnsIn(folder: string): Promise<BenchmarkColumns> {
  const read = async (name: string): Promise<BenchmarkColumns["cells"]> => {
    const path = join(folder, name);
    const bytes = await readWholeFile(path, maximumBytes);
    return inFile(path, () => readColumns(bytes));
  };
  return { cells: await read(benchmarkFiles.cells), fbnet: await read(benchmarkFiles.fbnet) };
}

/** Adds `--tables` and `--device`. */
export function withTableOptions(command: Command): Command {
  return command
    .option("--tables <folder>", "tables of an import; default: those in $DOVETAIL_DATA, else the bundled ones")
    .option("--device <file...>", "files of `dovetail hwnas measure`: further devices");
}

export function spaceOption(): Option {
  return new Option("--space <name>", "search space").choices([...spaceNames]).default("nas-bench-201");
}

/** Default data set of a space: the one that the bundled tables have costs of. */
export function datasetOf(space: SpaceName, dataset: string | undefined): string {
  return dataset ?? (space === "fbnet" ? "cifar100" : "cifar10");
}
