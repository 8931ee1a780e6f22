import { inputError } from "@dovetail/core";
import { type CellBenchmark, cellBenchmark } from "./cell-benchmark.js";
import { type ColumnFile, readColumns } from "./columns.js";
import { type FbnetBenchmark, fbnetBenchmark } from "./fbnet-benchmark.js";

/** Both spaces. */
export interface HardwareBenchmark {
  readonly cells: CellBenchmark;
  readonly fbnet: FbnetBenchmark;
}

/** The two files that come with the package, in the folder `data`. */
export const benchmarkFiles = { cells: "nas-bench-201.columns.gz", fbnet: "fbnet.columns.gz" } as const;

/** The contents of the two files. */
export interface BenchmarkColumns {
  readonly cells: ColumnFile;
  readonly fbnet: ColumnFile;
}

/** Both spaces from the contents of the two files. Throws the input error `bad_table_file`. */
export function benchmarkOfColumns({ cells, fbnet }: BenchmarkColumns): HardwareBenchmark {
  return { cells: cellBenchmark(cells), fbnet: fbnetBenchmark(fbnet) };
}

/** Both spaces from the bytes of the two files. Throws the input error `bad_table_file`. */
export async function readBenchmark(bytes: {
  readonly cells: Uint8Array;
  readonly fbnet: Uint8Array;
}): Promise<HardwareBenchmark> {
  const [cells, fbnet] = await Promise.all([readColumns(bytes.cells), readColumns(bytes.fbnet)]);
  return benchmarkOfColumns({ cells, fbnet });
}

/** The input error for a name that does not exist: says what does. */
export function unknownName(what: string, received: string, known: Iterable<string>, hint?: string): Error {
  return inputError(`unknown_${what.replaceAll(" ", "_")}`, `unknown ${what}`, {
    expected: `one of ${[...known].join(", ")}`,
    received: `"${received}"`,
    hint,
  });
}
